// SPDX-License-Identifier: Apache-2.0

extension AMQPClient {
  /// Receives from an address for the time of `body`, over all losses of link, session and connection.
  ///
  /// ```swift
  /// try await client.withReceiver(from: "/queues/orders", credit: 20) { deliveries in
  ///   for try await delivery in deliveries {
  ///     try await handle(delivery.message())
  ///     try? delivery.accept()  // throws settlementLost when its link is gone: the message comes again
  ///   }
  /// }
  /// ```
  ///
  /// However `body` ends, by breaking out of the loop, by an error or by cancellation, what was not taken is released, what
  /// was settled is told to the bus, and the link is detached. Keep `credit` small where handling is slow: what is given back
  /// counts towards the delivery limit of RabbitMQ 4.0 to 4.2's quorum queues.
  ///
  /// - Parameter credit: the most messages on their way, waiting to be taken and unsettled together. Default 100.
  /// - Throws: what `body` throws; an ``AMQPError`` that trying again cannot mend comes to it from the deliveries.
  public func withReceiver<Result>(
    from address: String, credit: Int = 100, isolation: isolated (any Actor)? = #isolation,
    _ body: (AMQPDeliveries) async throws -> Result
  ) async throws -> Result {
    try await self.withReceiver(from: address, credit: credit, onEvent: { _ in }, body)
  }

  func withReceiver<Result>(
    from address: String, credit: Int, isolation: isolated (any Actor)? = #isolation,
    onEvent: @escaping @Sendable (ReceiverKeeper.Event) -> Void, _ body: (AMQPDeliveries) async throws -> Result
  ) async throws -> Result {
    let buffer = DeliveryBuffer<AMQPDelivery>()
    // The loop ends when the client is leaving; what is left is given back when the closure is.
    let work = try self.begin(on: address) { buffer.end($0.map { .failure($0) } ?? .success(())) }
    defer { self.finished(work) }
    let recovery = LinkRecovery(
      .receiver(address, number: self.nextNumber()), self.configuration.recovery, keeper: try self.keeper(.receiving),
      board: self.board)
    let keeper = ReceiverKeeper(
      address, credit: credit, recovery: recovery, into: buffer,
      closeWithin: { [weak self] in self?.closingTime ?? .seconds(1) }, onEvent: onEvent)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await keeper.run() }
      // The group waits for the keeper, which gives back and detaches when it is cancelled.
      defer { group.cancelAll() }
      return try await body(AMQPDeliveries(address: address, buffer: buffer))
    }
  }
}
