// SPDX-License-Identifier: Apache-2.0

/// A link that receives from one address, for the life of one connection.
///
/// Iterate over deliveries, or over ``batches`` where there are many. At most `credit` messages are on their way, buffered
/// and unsettled together; settling makes room for more.
public final class AMQPReceiver: Sendable, AsyncSequence {
  public typealias Element = AMQPDelivery
  public typealias Failure = AMQPError

  /// The address it is attached to.
  public let address: String

  let link: LinkID
  let buffer: ReceiverBuffer
  let connection: AMQPConnection

  init(_ link: LinkID, address: String, buffer: ReceiverBuffer, connection: AMQPConnection) {
    self.link = link
    self.address = address
    self.buffer = buffer
    self.connection = connection
  }

  /// All that has arrived, at least one delivery; waits for it.
  ///
  /// - Returns: nil after ``close(within:)``, or when the calling task is cancelled.
  /// - Throws: ``AMQPError`` when the link, session or connection was lost.
  public func nextBatch() async throws(AMQPError) -> [AMQPDelivery]? {
    guard let transfers = try await self.buffer.nextBatch().get() else { return nil }
    let presettled = transfers.count { $0.settled }
    if presettled > 0 { self.connection.mailbox.put(.taken(self.link, presettled)) }
    return transfers.map { AMQPDelivery($0, receiver: self) }
  }

  /// Settles many deliveries of this receiver alike, with one wake-up of the event loop.
  ///
  /// - Throws: `settlementLost` when the link is gone: they will be delivered again.
  public func settle(_ deliveries: [AMQPDelivery], as disposition: AMQPDisposition) throws(AMQPError) {
    guard !self.buffer.hasEnded else {
      throw AMQPError(
        .settlementLost, .delivery, .local, tried: "settle a delivery of \(self.address)", seen: "the link is gone")
    }
    self.connection.mailbox.put(contentsOf: deliveries.filter { !$0.isSettled }.map { .settle(self.link, $0.id, disposition) })
  }

  /// Detaches. Deliveries that no task has taken are released first; those handed out and not settled come again
  /// elsewhere. Waits for the peer's answer no longer than `timeout`. Idempotent.
  public func close(within timeout: Duration = .seconds(3)) async {
    await self.connection.closeLink(self.link, within: timeout)
  }

  public func makeAsyncIterator() -> Iterator { Iterator(receiver: self) }

  /// One delivery after the other.
  public struct Iterator: AsyncIteratorProtocol {
    private let receiver: AMQPReceiver
    private var batch: ArraySlice<AMQPDelivery> = []

    init(receiver: AMQPReceiver) { self.receiver = receiver }

    public mutating func next(isolation actor: isolated (any Actor)?) async throws(AMQPError) -> AMQPDelivery? {
      if let first = self.batch.popFirst() { return first }
      guard let batch = try await self.receiver.nextBatch() else { return nil }
      self.batch = batch[...]
      return self.batch.popFirst()
    }
  }

  /// The same deliveries, as they arrive together.
  public var batches: Batches { Batches(receiver: self) }

  /// Batches of at least one delivery each.
  public struct Batches: AsyncSequence, Sendable {
    public typealias Failure = AMQPError
    let receiver: AMQPReceiver

    public func makeAsyncIterator() -> Iterator { Iterator(receiver: self.receiver) }

    public struct Iterator: AsyncIteratorProtocol {
      let receiver: AMQPReceiver

      public mutating func next(isolation actor: isolated (any Actor)?) async throws(AMQPError) -> [AMQPDelivery]? {
        try await self.receiver.nextBatch()
      }
    }
  }
}
