// SPDX-License-Identifier: Apache-2.0

/// What arrives from one address, over all losses of link, session and connection: see
/// ``AMQPClient/withReceiver(from:credit:_:)``.
///
/// A delivery belongs to the link it came on. After a loss, settling it throws `settlementLost`, and the bus delivers the
/// message again; that ends neither this sequence nor the receiving. What was lost before it was taken is not handed out.
///
/// It ends without an error when the client is leaving, when the closure is left, or when the reading task is cancelled. It
/// throws ``AMQPError`` when trying again cannot mend it: `notFound`, `unauthorized`, `linkStolen`, or why the client ended.
public struct AMQPDeliveries: AsyncSequence, Sendable {
  public typealias Element = AMQPDelivery
  public typealias Failure = AMQPError

  /// The address they come from.
  public let address: String
  let buffer: DeliveryBuffer<AMQPDelivery>
  /// The link that they come by now; nil while there is none.
  let receiver: @Sendable () -> AMQPReceiver?

  /// All that is there, at least one delivery, at a time. For many small messages: settle a batch with one call by
  /// ``settle(_:as:)``.
  public var batches: Batches { Batches(deliveries: self) }

  /// All that is there, at least one delivery; waits for it. Nil at the end.
  public func nextBatch() async throws(AMQPError) -> [AMQPDelivery]? { try await self.buffer.next(atMost: .max).get() }

  /// Settles deliveries alike. Those whose link is gone are left out: the bus delivers them again.
  ///
  /// - Returns: how many were lost that way.
  @discardableResult
  public func settle(_ deliveries: [AMQPDelivery], as disposition: AMQPDisposition) -> Int {
    deliveries.reduce(0) { lost, delivery in
      do throws(AMQPError) {
        try delivery.settle(as: disposition)
        return lost
      } catch {
        return lost + 1
      }
    }
  }

  /// Asks the bus to send what it can at once and to give back the credit it does not need, and grants no more until ``resume()``.
  /// What arrives is handed out as always. See ``AMQPReceiver/drain(within:)``.
  ///
  /// A drain is its link's: when that is lost, the next one is granted credit as if there had been none.
  ///
  /// - Parameter timeout: for the bus's answer; nil for the connection's operation timeout.
  /// - Returns: how many deliveries came meanwhile, and how much credit came back.
  /// - Throws: ``AMQPError``: `drainNotSupported` on RabbitMQ 3, `drainTimedOut`, `cancelled`, why the link ended; `linkDetached`
  ///   when there is no link just now: it is being attached again, and can be drained then.
  @discardableResult
  public func drain(within timeout: Duration? = nil) async throws(AMQPError) -> AMQPDrainResult {
    guard let receiver = self.receiver() else {
      throw AMQPError(
        .linkDetached, .link, .local, tried: "drain the receiver from \(self.address)", seen: "there is no link just now")
    }
    return try await receiver.drain(within: timeout)
  }

  /// Grants credit again after ``drain(within:)``. A drain that is not answered yet ends with `drainTimedOut`.
  public func resume() { self.receiver()?.resume() }

  public func makeAsyncIterator() -> Iterator { Iterator(buffer: self.buffer) }

  /// One delivery after the other. Leaving the loop leaves the rest where it is, for the next loop or to be given back.
  public struct Iterator: AsyncIteratorProtocol {
    let buffer: DeliveryBuffer<AMQPDelivery>

    public mutating func next(isolation actor: isolated (any Actor)?) async throws(AMQPError) -> AMQPDelivery? {
      try await self.buffer.next(atMost: 1).get()?.first
    }

    public mutating func next() async throws(AMQPError) -> AMQPDelivery? { try await self.next(isolation: nil) }
  }

  /// ``AMQPDeliveries`` a batch at a time.
  public struct Batches: AsyncSequence, Sendable {
    public typealias Element = [AMQPDelivery]
    public typealias Failure = AMQPError

    let deliveries: AMQPDeliveries

    public func makeAsyncIterator() -> Iterator { Iterator(buffer: self.deliveries.buffer) }

    public struct Iterator: AsyncIteratorProtocol {
      let buffer: DeliveryBuffer<AMQPDelivery>

      public mutating func next(isolation actor: isolated (any Actor)?) async throws(AMQPError) -> [AMQPDelivery]? {
        try await self.buffer.next(atMost: .max).get()
      }

      public mutating func next() async throws(AMQPError) -> [AMQPDelivery]? { try await self.next(isolation: nil) }
    }
  }
}
