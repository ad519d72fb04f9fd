// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

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
  /// - Parameters:
  ///   - credit: the most messages on their way, waiting to be taken and unsettled together. Default 100.
  ///   - refusedRetry: about how long until an address that does not exist, or may not be read, is tried again, for ever; nil,
  ///     the default, to end with the error.
  /// - Throws: what `body` throws; an ``AMQPError`` that trying again cannot mend comes to it from the deliveries.
  public func withReceiver<Result>(
    from address: String, credit: Int = 100, refusedRetry: Duration? = nil, isolation: isolated (any Actor)? = #isolation,
    _ body: (AMQPDeliveries) async throws -> Result
  ) async throws -> Result {
    try await self.withReceiver(from: address, credit: credit, refusedRetry: refusedRetry, watching: ReceiverWatch(), body)
  }

  /// What the holder of deliveries is told besides them, and asked.
  struct ReceiverWatch: Sendable {
    var onEvent: @Sendable (ReceiverKeeper.Event) -> Void = { _ in }
    var onState: (@Sendable (AMQPClientState) -> Void)?
    /// Where deliveries are that were taken; nil where the holder does not tell.
    var load: (@Sendable (inout AMQPReceiverLoad) -> Void)?
  }

  func withReceiver<Result>(
    from address: String, credit: Int, refusedRetry: Duration?, watching watch: ReceiverWatch,
    isolation: isolated (any Actor)? = #isolation, _ body: (AMQPDeliveries) async throws -> Result
  ) async throws -> Result {
    let buffer = DeliveryBuffer<AMQPDelivery>()
    // The loop ends when the client is leaving; what is left is given back when the closure is.
    let work = try self.begin(on: address) { buffer.end($0.map { .failure($0) } ?? .success(())) }
    defer { self.finished(work) }
    let subject = AMQPClientState.Subject.receiver(address, number: self.nextNumber())
    let recovery = LinkRecovery(
      subject, self.configuration.recovery, refusedRetry: refusedRetry, keeper: try self.keeper(.receiving), board: self.board,
      onState: watch.onState)
    let attached = NIOLockedValueBox<AMQPReceiver?>(nil)
    let keeper = ReceiverKeeper(
      address, credit: max(credit, 1), recovery: recovery, into: buffer,
      closeWithin: { [weak self] in self?.closingTime ?? .seconds(1) },
      onEvent: { event in
        switch event {
        case .attached(let receiver): attached.withLockedValue { $0 = receiver }
        case .lost: attached.withLockedValue { $0 = nil }
        }
        watch.onEvent(event)
      })
    self.setLoad(work) {
      var load = AMQPReceiverLoad(subject: subject, epoch: attached.withLockedValue { $0?.epoch }, waiting: buffer.count)
      watch.load?(&load)
      return load
    }
    defer { self.setLoad(work, nil) }
    // No child of ours: when we are cancelled, the link must stay until `body` has settled what it has in hand. Cancelled and
    // awaited below, whatever happens: then it gives back what nobody has taken, and detaches.
    let keeping = Task.detached { await keeper.run() }
    do {
      let result = try await body(
        AMQPDeliveries(address: address, buffer: buffer, receiver: { attached.withLockedValue { $0 } }))
      keeping.cancel()
      await keeping.value
      return result
    } catch {
      keeping.cancel()
      await keeping.value
      throw error
    }
  }
}
