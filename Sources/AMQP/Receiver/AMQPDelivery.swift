// SPDX-License-Identifier: Apache-2.0

/// A message that arrived, bound to the link it came on.
///
/// It must be settled: until then it takes a place in the receiver's window. Settling states the outcome to the peer
/// without waiting for it; when the connection breaks before the peer has read that, the message is delivered again.
public struct AMQPDelivery: Sendable, CustomStringConvertible {
  let id: DeliveryID
  /// The encoded sections as they came.
  package let payload: [UInt8]
  /// Whether the sender had settled it: then there is nothing to settle.
  public let isSettled: Bool
  /// What the bus calls it on its link: for Azure Service Bus the token of the lock on it.
  public let tag: AMQPDeliveryTag
  private let receiver: AMQPReceiver
  private let incoming: IncomingBody?

  init(_ transfer: IncomingTransfer, receiver: AMQPReceiver) {
    self.id = transfer.delivery
    self.payload = transfer.payload
    self.isSettled = transfer.settled
    self.tag = transfer.tag
    self.receiver = receiver
    self.incoming = transfer.body
  }

  /// The most bytes of a streamed body that ever waited to be read.
  var mostBodyBytesWaiting: Int { self.incoming?.most ?? 0 }

  /// The bytes of the data sections. On a receiver that was opened with ``AMQPBodyDelivery/streamed`` they are read from here as
  /// they come, once; ``message()`` then has all sections before the body, and no body. Settling before the end drops the rest.
  public var body: AMQPBodyPieces {
    if let incoming { return AMQPBodyPieces(source: .streamed(incoming) { self.receiver.wakeForBody() }) }
    do {
      guard case .dataSections(let sections) = try self.message().body else { return AMQPBodyPieces(source: .sections([])) }
      return AMQPBodyPieces(source: .sections(sections))
    } catch {
      return AMQPBodyPieces(source: .failed(error))
    }
  }

  /// The size of the encoded message in bytes.
  public var size: Int { self.payload.count }

  /// The address it came from.
  public var address: String { self.receiver.address }

  /// The connection it came by.
  var connection: AMQPConnectionConfiguration { self.receiver.connection.configuration }

  /// Decodes the message. A failure concerns this message only: reject it and go on.
  ///
  /// - Throws: ``AMQPError`` `messageMalformed`, without any of the content.
  public func message() throws(AMQPError) -> AMQPMessage {
    do {
      return try AMQPMessage(decoding: self.payload, limits: self.receiver.connection.configuration.decodingLimits)
    } catch {
      throw AMQPError(
        .messageMalformed, .delivery, .remote, tried: "decode a message of \(self.address)", seen: String(describing: error))
    }
  }

  /// Processed: the bus may forget it. - Throws: `settlementLost`, `deliveryWithdrawn`.
  public func accept() throws(AMQPError) { try self.settle(as: .accepted) }

  /// Not processed, to be delivered again. - Throws: `settlementLost`, `deliveryWithdrawn`.
  public func release() throws(AMQPError) { try self.settle(as: .released) }

  /// Cannot be processed: to be dead-lettered. - Throws: `settlementLost`, `deliveryWithdrawn`.
  public func reject(_ condition: AMQPCondition? = nil) throws(AMQPError) { try self.settle(as: .rejected(condition)) }

  /// Given back, changed. RabbitMQ 3.x ends the session over it. - Throws: `settlementLost`, `deliveryWithdrawn`.
  public func modify(deliveryFailed: Bool, undeliverableHere: Bool) throws(AMQPError) {
    try self.settle(as: .modified(deliveryFailed: deliveryFailed, undeliverableHere: undeliverableHere))
  }

  /// States `disposition` and settles.
  ///
  /// - Throws: `settlementLost` when the link it came on is gone: it will be delivered again. `deliveryWithdrawn` when the bus
  ///   has taken it back: it is settled, and what was stated does not count.
  public func settle(as disposition: AMQPDisposition) throws(AMQPError) {
    try self.receiver.settle([self], as: disposition)
  }

  // MARK: Withdrawal

  /// The link's generation it came on.
  public var epoch: AMQPEpoch { self.receiver.epoch }

  /// Whether the bus has taken it back, because it was not settled in time (RabbitMQ 4.3's consumer timeout). It is delivered
  /// to someone else then, and the bus gives this link nothing more until it is settled here: any of the settling calls does
  /// that, and throws `deliveryWithdrawn`.
  public var isWithdrawn: Bool { self.receiver.buffer.withdrawn.contains(self.id) }

  /// Calls `handler` when the bus takes the delivery back; at once when it has. Never after it was settled or its link ended.
  ///
  /// - Parameter handler: called on the connection's event loop: it must be quick, such as cancelling a task.
  public func onWithdrawn(_ handler: @escaping @Sendable () -> Void) {
    self.receiver.whenDecided(self.id) { if $0 { handler() } }
  }

  /// Waits until it is known whether the bus takes the delivery back.
  ///
  /// - Returns: true when it was taken back; false when it was settled, its link ended, or the calling task was cancelled.
  public func waitUntilWithdrawn() async -> Bool {
    let decided = OneShot<Bool>()
    let number = self.receiver.whenDecided(self.id) { decided.fulfil($0) }
    defer { self.receiver.buffer.withdrawn.forget(number, of: self.id) }
    return (try? await decided.wait()) ?? false
  }

  public var description: String { "delivery of \(self.size) bytes from \(self.address)" }
}
