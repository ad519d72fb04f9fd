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
