// SPDX-License-Identifier: Apache-2.0

internal import CProton

/// Messages that are handed over and read in parts. Proton has one such message at a time on each link.
extension ProtonEngine {
  /// Begins a message that is sent in parts. Until it is finished or aborted, the link takes no other.
  ///
  /// - Parameter tag: the delivery's; nil for one of our own counting.
  package func beginTransfer(on id: LinkID, tag: [UInt8]? = nil) -> DeliveryID? {
    guard let link = self.links[id]?.pointer else { return nil }
    let number = self.nextNumber()
    return Self.make(link, tag, number).map { self.open($0, number) }
  }

  /// Hands over a part of the message that was begun on the link.
  package func append(_ bytes: ArraySlice<UInt8>, on id: LinkID) {
    guard let link = self.links[id]?.pointer else { return }
    bytes.withUnsafeBytes { raw in
      raw.withMemoryRebound(to: CChar.self) { _ = pn_link_send(link, $0.baseAddress, $0.count) }
    }
  }

  /// The message that was begun is whole.
  package func finishTransfer(_ delivery: DeliveryID, on id: LinkID, settled: Bool) {
    guard let link = self.links[id]?.pointer, self.deliveries[delivery] != nil else { return }
    pn_link_advance(link)
    if settled { self.settle(delivery) }
  }

  /// Tells the peer to forget the message that was begun (spec 2.6.14).
  package func abortTransfer(_ delivery: DeliveryID) {
    if let pointer = self.deliveries.close(delivery) { pn_delivery_abort(pointer) }
  }

  /// A part of a message that is coming in.
  struct IncomingPart {
    enum Progress: Equatable { case more, complete, aborted }
    var bytes: [UInt8]
    var progress: Progress
  }

  /// The next message that has begun to come in on a link that streams bodies; nil when there is none, or its reading has begun.
  func beginReceive(on id: LinkID) -> (delivery: DeliveryID, settled: Bool, tag: AMQPDeliveryTag)? {
    guard let link = self.links[id]?.pointer else { return nil }
    while let pointer = pn_link_current(link) {
      guard self.deliveryID(pointer) == nil else { return nil }
      if pn_delivery_aborted(pointer) {
        pn_delivery_settle(pointer)
        continue
      }
      let delivery = self.open(pointer, self.nextNumber())
      return (delivery, pn_delivery_settled(pointer), Self.tag(of: pointer))
    }
    return nil
  }

  /// Reads no more than `limit` bytes of the message that is coming in. What is not read counts against the session's window.
  func readPart(of delivery: DeliveryID, on id: LinkID, limit: Int) -> IncomingPart {
    guard let link = self.links[id]?.pointer, let pointer = self.deliveries[delivery], pn_link_current(link) == pointer else {
      return IncomingPart(bytes: [], progress: .aborted)
    }
    if pn_delivery_aborted(pointer) {
      self.settle(delivery)
      return IncomingPart(bytes: [], progress: .aborted)
    }
    let count = min(pn_delivery_pending(pointer), limit)
    var read = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      if count > 0 {
        read = UnsafeMutableRawBufferPointer(buffer).withMemoryRebound(to: CChar.self) {
          max(0, pn_link_recv(link, $0.baseAddress, count))
        }
      }
      initialized = read
    }
    guard !pn_delivery_partial(pointer), pn_delivery_pending(pointer) == 0 else {
      return IncomingPart(bytes: bytes, progress: .more)
    }
    let settled = pn_delivery_settled(pointer)
    pn_link_advance(link)
    if settled {
      self.settle(delivery)
    } else {
      pn_delivery_clear(pointer)
    }
    return IncomingPart(bytes: bytes, progress: .complete)
  }
}
