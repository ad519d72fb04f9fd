// SPDX-License-Identifier: Apache-2.0

import AMQP

/// Looking in, and setting up. No content of a message can be had here, only message ids.
extension InMemoryBroker {
  /// How things stand now.
  public func snapshot() async throws -> BrokerSnapshot { try await self.onLoop { $0.snapshot() } }

  /// All messages of the queue, those handed out and not settled too. - Throws: `unknownQueue`.
  public func depth(of queue: String) async throws -> Int { try await self.queue(queue).depth }

  public func consumers(of queue: String) async throws -> Int { try await self.queue(queue).consumers }

  public func queue(_ name: String) async throws -> BrokerSnapshot.Queue {
    guard let queue = try await self.snapshot().queues[name] else { throw InMemoryBroker.unknown(name) }
    return queue
  }

  public func counters() async throws -> BrokerCounters { try await self.snapshot().counters }

  /// The message ids in the queue, in order of arrival, locked ones too; nil for a message without.
  public func messageIDs(in queue: String) async throws -> [AMQPMessageID?] {
    try await self.onLoop { core in
      guard let queue = core.queues[queue] else { throw InMemoryBroker.unknown(queue) }
      return queue.machine.contents.map(\.messageID)
    }
  }

  /// Declares a queue, and the queue of its dead letters. One that is there stays as it is.
  public func declare(_ queue: BrokerQueue) async throws { try await self.onLoop { _ = $0.declare(queue) } }

  /// Declares an exchange beside the bus's own, for RabbitMQ; messages go by its bindings.
  public func declareExchange(_ name: String) async throws { try await self.onLoop { $0.routing.declare(name) } }

  public func deleteExchange(_ name: String) async throws { try await self.onLoop { $0.routing.delete(name) } }

  /// Binds a queue to an exchange of ``declareExchange(_:)``.
  public func bind(_ queue: String, to exchange: String, key: String) async throws {
    try await self.onLoop { $0.routing.bind(queue, to: exchange, key: key) }
  }

  /// Deletes a queue with all that is in it. - Returns: how many messages that were.
  @discardableResult
  public func delete(_ queue: String) async throws -> Int {
    try await self.onLoop { core in
      guard let count = core.delete(queue) else { throw InMemoryBroker.unknown(queue) }
      return count
    }
  }

  /// Removes what no consumer holds. - Returns: how many messages that were.
  @discardableResult
  public func purge(_ queue: String) async throws -> Int {
    try await self.onLoop { core in
      guard let count = core.purge(queue) else { throw InMemoryBroker.unknown(queue) }
      return count
    }
  }

  /// Waits until things stand as `isMet` wants them; looked at whenever something has changed.
  ///
  /// - Returns: how they stood then.
  /// - Throws: `waitTimedOut`; `notRunning` when the broker stops first; `CancellationError`.
  @discardableResult
  public func waitUntil(
    _ what: String = "a condition of the broker", within timeout: Duration = .seconds(30),
    _ isMet: @escaping @Sendable (BrokerSnapshot) -> Bool
  ) async throws -> BrokerSnapshot {
    let fulfilled = OneShot<BrokerSnapshot?>()
    let number = try await self.onLoop { $0.wait(BrokerCore.Waiter(isMet: isMet, fulfilled: fulfilled)) }
    let cancelTimer = self.timer(after: timeout) { fulfilled.fulfil(nil) }
    defer { cancelTimer() }
    do {
      if let snapshot = try await fulfilled.wait() { return snapshot }
    } catch {
      try? await self.onLoop { $0.waiters[number] = nil }
      throw error
    }
    let snapshot = try await self.onLoop { core in
      core.waiters[number] = nil
      return core.snapshot()
    }
    let queues = snapshot.queues.values.sorted { $0.name < $1.name }
      .map { "\($0.name): \($0.depth) messages, \($0.locked) locked, \($0.consumers) consumers" }
    throw InMemoryBrokerError(
      .waitTimedOut, tried: "wait \(timeout) for \(what)",
      seen: "\(queues.joined(separator: "; ")); \(snapshot.connections.count) connections; \(snapshot.counters)")
  }

  private static func unknown(_ queue: String) -> InMemoryBrokerError {
    InMemoryBrokerError(.unknownQueue, tried: "look at queue '\(queue)'", seen: "there is none of that name")
  }
}

extension BrokerCore {
  func wait(_ waiter: Waiter) -> Int {
    let number = (self.waiters.keys.max() ?? 0) + 1
    self.waiters[number] = waiter
    self.changed()
    return number
  }

  func abandonWaiters() {
    for waiter in self.waiters.values { waiter.fulfilled.fulfil(nil) }
    self.waiters = [:]
  }
}
