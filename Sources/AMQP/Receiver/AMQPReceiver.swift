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

  /// The link's generation: a delivery of another one cannot be settled here.
  public let epoch: AMQPEpoch

  let link: LinkID
  let buffer: ReceiverBuffer
  let connection: AMQPConnection

  init(_ attached: ConnectionCore.Attached, address: String, buffer: ReceiverBuffer, connection: AMQPConnection) {
    self.link = attached.link
    self.epoch = attached.epoch
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
    self.connection.mailbox.put(.taken(self.link, transfers.count - presettled, settled: presettled))
    let deliveries = transfers.map { AMQPDelivery($0, receiver: self) }
    let observability = self.connection.configuration.observability
    observability.metrics?.consumed(deliveries.count, from: self.address)
    observability.tracing?.received(deliveries, from: self.address, at: self.connection.configuration)
    return deliveries
  }

  /// What a listener is told.
  package enum Told: Sendable {
    /// All that came with one read of the socket. It has been taken, and must be settled unless its sender had.
    case arrived([IncomingTransfer])
    /// Nothing more comes: the link was lost, or (nil) was closed from this side.
    case ended(AMQPError?)
  }

  package typealias Listener = @Sendable (Told) -> Void

  /// Has `listener` told of all that arrives from now on, in place of ``nextBatch()``: without a task that waits, and without what
  /// observers of single deliveries are told.
  ///
  /// - Parameter listener: called on the connection's event loop; it must be quick. Told of the end once.
  package func listen(_ listener: @escaping Listener) {
    self.connection.mailbox.put(.listen(self.link, self.buffer, listener))
  }

  /// Settles many deliveries of this receiver alike, with one wake-up of the event loop.
  ///
  /// - Throws: `settlementLost` when the link is gone, or when one of the deliveries came on another generation of it:
  ///   nothing is settled then, and they will be delivered again. `deliveryWithdrawn` when the bus has taken some of them back
  ///   before: those are settled so that the bus gives this link more again, and the others as stated.
  public func settle(_ deliveries: [AMQPDelivery], as disposition: AMQPDisposition) throws(AMQPError) {
    guard !self.buffer.hasEnded, deliveries.allSatisfy({ $0.epoch == self.epoch }) else {
      let seen = self.buffer.hasEnded ? "the link is gone" : "the delivery came on another generation of the link"
      throw AMQPError(.settlementLost, .delivery, .local, tried: "settle a delivery of \(self.address)", seen: seen)
    }
    try self.settle(deliveries.compactMap { $0.isSettled ? nil : $0.id }, as: disposition)
  }

  /// The same, of what ``listen(_:)`` told of.
  package func settle(_ unsettled: [DeliveryID], as disposition: AMQPDisposition) throws(AMQPError) {
    guard !self.buffer.hasEnded else {
      throw AMQPError(
        .settlementLost, .delivery, .local, tried: "settle a delivery of \(self.address)", seen: "the link is gone")
    }
    let withdrawn = self.buffer.withdrawn.settled(unsettled)
    if withdrawn.isEmpty {
      if !unsettled.isEmpty { self.connection.mailbox.put(.settle(self.link, unsettled, disposition)) }
      return
    }
    self.connection.mailbox.put(.settle(self.link, Array(withdrawn), WithdrawnDeliveries.settlement))
    self.connection.mailbox.put(.settle(self.link, unsettled.filter { !withdrawn.contains($0) }, disposition))
    throw AMQPError(
      .deliveryWithdrawn, .delivery, .remote, tried: "settle \(unsettled.count) deliveries of \(self.address)",
      seen: "the bus had taken back \(withdrawn.count) of them")
  }

  /// A piece of a body was read: there is room for more.
  func wakeForBody() { self.connection.mailbox.put(.bodyTaken(self.link)) }

  /// As ``WithdrawnDeliveries/whenDecided(_:_:)``, also for a delivery that has been settled already.
  @discardableResult
  func whenDecided(_ delivery: DeliveryID, _ handler: @escaping @Sendable (Bool) -> Void) -> UInt64 {
    let number = self.buffer.withdrawn.whenDecided(delivery, handler)
    self.connection.mailbox.put(.askWhetherSettled(self.link, delivery))
    return number
  }

  /// Asks the bus to send what it can at once and to give back the credit it does not need, and grants no more until
  /// ``resume()``. What arrives is handed out as always.
  ///
  /// - Parameter timeout: for the bus's answer; nil for the configuration's operation timeout. When it passes, the receiver
  ///   goes on draining; the credit that is left may still be used.
  /// - Returns: how many deliveries came, and how much credit came back. Zeros when it is drained already.
  /// - Throws: ``AMQPError``: `drainNotSupported` on RabbitMQ 3, which ends the session of a receiver that drains a classic
  ///   queue (nothing is sent then), `drainTimedOut`, `cancelled`, or why the link ended.
  @discardableResult
  public func drain(within timeout: Duration? = nil) async throws(AMQPError) -> AMQPDrainResult {
    try await self.connection.drain(
      self.link, address: self.address, within: timeout ?? self.connection.configuration.operationTimeout)
  }

  /// Grants credit again after ``drain(within:)``. A drain that is not answered yet ends with `drainTimedOut`.
  public func resume() { self.connection.mailbox.put(.resume(self.link)) }

  /// From now on at most `window` messages are on their way, buffered and unsettled together. What is beyond a smaller one already stays until
  /// it is settled, and what crosses it on its way still comes.
  ///
  /// - Parameter kept: how many of those that are unsettled stay so for long. A grant waits until half of the others are settled.
  package func changeWindow(to window: Int, kept: Int = 0) {
    self.connection.mailbox.put(.changeWindow(self.link, window, kept: kept))
  }

  /// Takes the credit back: the bus sends nothing more but what is on its way already, so that nothing which is given back from
  /// now on comes here again. To be followed by ``close(within:)``; cannot be undone.
  public func leave() { self.connection.mailbox.put(.leave(self.link)) }

  /// Detaches. Credit is taken back and deliveries that no task has taken are released first; those handed out and not settled come again
  /// elsewhere. Waits for the peer's answer no longer than `timeout`. Idempotent.
  public func close(within timeout: Duration = .seconds(3)) async {
    await self.connection.closeLink(self.link, within: timeout)
  }

  /// As ``close(within:)``, but nothing is released: the bus gives back all that is unsettled together and in its order, as it does when a
  /// link is lost. RabbitMQ 3.10 puts what is released to a quorum queue behind what it has not handed out yet.
  package func abandon(within timeout: Duration = .seconds(3)) async {
    await self.connection.closeLink(self.link, within: timeout, releasing: false)
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
