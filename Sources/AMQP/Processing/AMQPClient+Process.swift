// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle

extension AMQPClient {
  /// Receives from an address and runs `handler` on each delivery, until the client or the service is shut down gracefully,
  /// the task is cancelled, or a reaction says stop.
  ///
  /// ```swift
  /// try await client.process(from: "/queues/orders", maxConcurrent: 5, orderedBy: { try? $0.message().properties.groupID }) {
  ///   delivery in try await handle(delivery.message())
  /// }
  /// ```
  ///
  /// - A handler that returns: the delivery is accepted. One that throws: what the policy's reaction says. It does not settle.
  /// - Deliveries of one key are handled one after the other, in order; one that is held back holds back those behind it.
  /// - Handlers survive the loss of their link; their delivery comes again then, and of one key not before they have ended.
  /// - A delivery that the bus takes back (RabbitMQ 4.3's consumer timeout) has its handler's task cancelled.
  /// - A handler runs within a span that continues its sender's trace, and is timed, where the connection is observed.
  /// - Stopping takes the credit back, starts nothing more, hands back what was not begun, waits for handlers at work, and
  ///   cancels them at the deadline. It returns when the last handler has, even one that heeds no cancellation; its delivery is
  ///   handed back before that.
  ///
  /// - Parameters:
  ///   - maxConcurrent: how many handlers run at once. Default 1.
  ///   - orderedBy: the key whose order is kept; nil, or a nil key, for none.
  /// - Returns: how many deliveries ended how.
  /// - Throws: the handler's error when the reaction to it was ``AMQPProcessReaction/stop``; an ``AMQPError`` that trying again
  ///   cannot mend, such as `notFound`.
  @discardableResult
  public func process<Key: Hashable & Sendable>(
    from address: String, maxConcurrent: Int = 1, orderedBy key: @escaping @Sendable (AMQPDelivery) -> Key?,
    policy: AMQPProcessPolicy = AMQPProcessPolicy(), _ handler: @escaping @Sendable (AMQPDelivery) async throws -> Void
  ) async throws -> AMQPProcessCounts {
    let closure = ClosureHandler(orderedBy: key, policy, handler)
    let counts = try await self.process(from: address, maxConcurrent: maxConcurrent, policy: policy, with: closure)
    if let error = closure.stopError { throw error }
    return counts
  }

  /// As ``process(from:maxConcurrent:orderedBy:policy:_:)`` without any order.
  @discardableResult
  public func process(
    from address: String, maxConcurrent: Int = 1, policy: AMQPProcessPolicy = AMQPProcessPolicy(),
    _ handler: @escaping @Sendable (AMQPDelivery) async throws -> Void
  ) async throws -> AMQPProcessCounts {
    try await self.process(
      from: address, maxConcurrent: maxConcurrent, orderedBy: { _ -> Int? in nil }, policy: policy, handler)
  }

  /// As ``process(from:maxConcurrent:orderedBy:policy:_:)``, with a handler that reads deliveries as they come and decides by
  /// a verdict. The policy's `reaction` is not asked; spans are the handler's to begin (``AMQPDelivery/processing(_:)``).
  @discardableResult
  public func process<Handler: AMQPDeliveryHandler>(
    from address: String, maxConcurrent: Int = 1, policy: AMQPProcessPolicy = AMQPProcessPolicy(), with handler: Handler
  ) async throws -> AMQPProcessCounts {
    let concurrent = max(maxConcurrent, 1)
    let shell = ProcessShell(
      address, maximumConcurrent: concurrent, policy: policy, handler: handler, deadlines: self.deadlines, logger: self.logger)
    let deadline = policy.stopWithin ?? self.configuration.shutdownDeadline / 2
    let grace = min(.seconds(2), self.configuration.shutdownDeadline / 4)
    let window = concurrent + max(policy.prefetch ?? concurrent, 0)
    let watch = ReceiverWatch(
      onEvent: { shell.take($0) }, onState: { policy.report(.link($0)) }, load: { shell.addLoad(to: &$0) })
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await self.withReceiver(
          from: address, credit: window, refusedRetry: policy.refusedRetry, watching: watch
        ) { deliveries in
          defer { shell.close() }
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
              // The end of the deliveries, whatever its reason, is a reason to stop.
              defer { shell.stop(within: deadline, grace: grace) }
              for try await batch in deliveries.batches { shell.arrived(batch) }
            }
            await withDiscardingTaskGroup { handlers in
              for await start in shell.starts {
                handlers.addTask { shell.finished(start, await Self.run(start, policy, shell, handler)) }
              }
            }
            group.cancelAll()
            try await group.waitForAll()
          }
        }
      } onGracefulShutdown: {
        shell.stop(within: deadline, grace: grace)
      }
    } onCancel: {
      shell.cancel(grace: grace)
    }
    return shell.counts
  }

  /// Renews a lock whenever two thirds of its time have passed, until the task is cancelled. What fails without a refusal is
  /// tried again as long as the lock lasts.
  ///
  /// - Returns: whether the bus says that the lock is lost.
  private static func keepLocked(
    _ delivery: AMQPDelivery, _ renewal: any AMQPLockRenewing, _ report: @Sendable (AMQPProcessEvent) -> Void
  ) async -> Bool {
    guard var duration = renewal.lockDuration(of: delivery) else { return false }
    var end = ContinuousClock.now + duration
    var wait = duration * 2 / 3
    while true {
      do {
        try await ContinuousClock().sleep(for: wait)
        duration = try await renewal.renew(delivery)
        end = .now + duration
        wait = duration * 2 / 3
      } catch {
        if Task.isCancelled { return false }
        let isLost = (error as? AMQPError)?.code == .requestRefused
        wait = duration / 12
        if !isLost, ContinuousClock.now + wait < end { continue }
        report(.lockNotRenewed(DeliveryFacts(delivery).messageID))
        return isLost
      }
    }
  }

  private enum Part: Sendable { case handler(AMQPVerdict), other }

  /// Runs a handler, renewing the delivery's lock beside it, until it ends; cancels it when the delivery is cancelled.
  private static func run<Handler: AMQPDeliveryHandler>(
    _ start: ProcessShell<Handler>.Start, _ policy: AMQPProcessPolicy, _ shell: ProcessShell<Handler>, _ handler: Handler
  ) async -> AMQPVerdict {
    await withTaskGroup(of: Part.self) { group in
      group.addTask {
        let place = AMQPHandlerPlace { await shell.place(for: start) }
        return .handler(await handler.handle(start.item, start.delivery, place))
      }
      group.addTask {
        try? await start.cancelled.wait()
        return .other
      }
      if let renewal = policy.lockRenewal {
        group.addTask {
          if await Self.keepLocked(start.delivery, renewal, policy.report) { start.lockLost() }
          return .other
        }
      }
      var verdict = AMQPVerdict.handBack(after: .zero, failed: false)
      while let part = await group.next() {
        switch part {
        case .handler(let decided): verdict = decided
        case .other: if start.cancelled.current == nil { continue }
        }
        group.cancelAll()
      }
      return verdict
    }
  }
}
