// SPDX-License-Identifier: Apache-2.0

internal import CProton

/// Messages that are handed over whole.
extension ProtonEngine {
  /// Sends one whole message on a link that has credit.
  ///
  /// - Parameter tag: the delivery's; nil for one of our own counting.
  /// - Returns: nil when the link is gone; otherwise the delivery, already forgotten when `settled`.
  package func transfer(_ payload: [UInt8], on id: LinkID, settled: Bool = false, tag: [UInt8]? = nil) -> DeliveryID? {
    guard let link = self.links[id]?.pointer else { return nil }
    let number = self.nextNumber()
    guard let pointer = Self.make(link, tag, number) else { return nil }
    Self.send(payload, from: 0, on: link)
    pn_link_advance(link)
    guard settled else { return self.open(pointer, number) }
    pn_delivery_settle(pointer)
    return DeliveryID(number: number, place: -1)
  }

  /// Sends one whole message on a link that has credit: `head`, then `payload` from `start` on. Unsettled.
  ///
  /// - Returns: nil when Proton makes none.
  func transfer(_ head: [UInt8], _ payload: [UInt8], from start: Int, on state: LinkState) -> DeliveryID? {
    let link = state.pointer
    let number = self.nextNumber()
    guard let pointer = Self.make(link, nil, number) else { return nil }
    Self.send(head, from: 0, on: link)
    Self.send(payload, from: start, on: link)
    pn_link_advance(link)
    return self.open(pointer, number)
  }

  /// A new delivery on a sending link.
  static func make(_ link: OpaquePointer, _ tag: [UInt8]?, _ number: Int) -> OpaquePointer? {
    func make(_ raw: UnsafeRawBufferPointer) -> OpaquePointer? {
      raw.withMemoryRebound(to: CChar.self) { pn_delivery(link, pn_dtag($0.baseAddress, $0.count)) }
    }
    if let tag { return tag.withUnsafeBytes(make) }
    return withUnsafeBytes(of: UInt64(number).bigEndian, make)
  }

  static func send(_ bytes: [UInt8], from start: Int, on link: OpaquePointer) {
    bytes.withUnsafeBytes { raw in
      guard start < raw.count else { return }
      raw.withMemoryRebound(to: CChar.self) { _ = pn_link_send(link, $0.baseAddress?.advanced(by: start), $0.count - start) }
    }
  }

  func open(_ pointer: OpaquePointer, _ number: Int) -> DeliveryID {
    let id = self.deliveries.open(pointer, number: number)
    pn_delivery_set_context(pointer, context(Int(id.place) + 1))
    return id
  }
}
