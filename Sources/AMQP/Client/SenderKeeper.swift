// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// The sender to one address, attached when somebody sends and again after a loss. However many tasks send, one attach is
/// under way at a time, and waits between attempts are one back-off.
final class SenderKeeper: Sendable {
  /// A sender as it was handed out: what is later said of it names the generation.
  struct Attached: Sendable {
    let sender: AMQPSender
    let generation: UInt64
    fileprivate let connection: AMQPConnection
  }

  private struct State {
    /// Nil while the attaching task holds it.
    var recovery: LinkRecovery?
    var attached: Attached?
    var lastGeneration: UInt64 = 0
    var waiters: [UInt64: OneShot<Result<Attached, AMQPError>>] = [:]
    var lastWaiter: UInt64 = 0
    var ended: AMQPError?
    var lastUse = ContinuousClock.now
  }

  let address: String
  private let keeper: ConnectionKeeper
  private let board: StateBoard
  private let policy: AMQPRecoveryPolicy
  private let deadlines: DeadlineKeeper
  private let state: NIOLockedValueBox<State>
  private let mark: LiveCount.Mark

  init(
    _ address: String, keeper: ConnectionKeeper, policy: AMQPRecoveryPolicy, board: StateBoard, deadlines: DeadlineKeeper
  ) {
    self.address = address
    self.keeper = keeper
    self.board = board
    self.policy = policy
    self.deadlines = deadlines
    self.mark = LiveCount.Mark(.senderKeeper, of: keeper.containerID)
    self.state = NIOLockedValueBox(
      State(recovery: LinkRecovery(.sender(address), policy, keeper: keeper, board: board)))
  }

  var lastUse: ContinuousClock.Instant { self.state.withLockedValue { $0.lastUse } }

  private var hasWaiters: Bool { self.state.withLockedValue { !$0.waiters.isEmpty } }

  /// The sender, attached.
  ///
  /// - Parameter startAttaching: called when nobody attaches: it has ``attach()`` run in a task of the client's.
  func sender(
    until deadline: ContinuousClock.Instant, startAttaching: () -> Void
  ) async throws(AMQPError) -> Attached {
    let waiter = OneShot<Result<Attached, AMQPError>>()
    let (id, mustStart): (UInt64?, Bool) = self.state.withLockedValue { state in
      state.lastUse = .now
      if let reason = state.ended {
        waiter.fulfil(.failure(reason))
        return (nil, false)
      }
      if let attached = state.attached {
        if let reason = attached.connection.closedReason {
          state.attached = nil
          state.recovery?.failed(reason)
        } else {
          waiter.fulfil(.success(attached))
          return (nil, false)
        }
      }
      state.lastWaiter += 1
      state.waiters[state.lastWaiter] = waiter
      // The first waiter has it attached; a recovery that is out is being attached already.
      return (state.lastWaiter, state.waiters.count == 1 && state.recovery != nil)
    }
    defer { if let id { _ = self.state.withLockedValue { $0.waiters.removeValue(forKey: id) } } }
    if mustStart { startAttaching() }
    let start = ContinuousClock.now
    return try await self.deadlines.wait(
      for: waiter, until: deadline,
      cancelled: AMQPError(
        .cancelled, .link, .local, tried: "attach a sender to \(self.address)", seen: "the task was cancelled")
    ) { [weak self] in self?.late(after: .now - start) ?? AMQPError.clientStopped("the client is gone") }
  }

  private func late(after waited: Duration) -> AMQPError {
    let link = self.board.current(.sender(self.address))
    let connection = self.board.current(.connection(self.keeper.use))
    let seen = [link, connection].compactMap { $0?.sentence }.joined(separator: "; ")
    let isConnected = connection?.phase == .open
    return AMQPError(
      isConnected ? .attachTimedOut : .connectTimedOut, isConnected ? .link : .connection, .local,
      condition: (isConnected ? link : connection)?.cause?.condition, tried: "attach a sender to \(self.address)",
      seen: "no sender after \(waited.milliseconds) ms; \(seen.isEmpty ? "run() was not started" : seen)")
  }

  /// Attaches for as long as somebody waits. Runs in a task of the client's.
  func attach() async {
    guard
      var recovery = self.state.withLockedValue({ state in
        defer { state.recovery = nil }
        return state.recovery
      })
    else { return }
    let address = self.address
    while true {
      do {
        let made = try await recovery.attach(whileWanted: { self.hasWaiters }, throwsRefusal: true) {
          (connection, isNew) throws(AMQPError) in
          (try await connection.openSender(to: address, onNewSession: isNew), connection)
        }
        let isOver = self.giveBack(recovery, made)
        // Ended meanwhile: nobody else knows of it.
        if let made, self.state.withLockedValue({ $0.ended != nil }) { await made.0.close() }
        if isOver { return }
      } catch let error as AMQPError {
        // Those who wait are told. The next send may try again: somebody may have made the queue, or given the permission.
        self.fail(error, with: LinkRecovery(.sender(address), self.policy, keeper: self.keeper, board: self.board))
        return
      } catch {
        // The client is closing, and tells those who wait why: a refused login is more than that it was stopped.
        recovery.finished()
        return
      }
    }
  }

  /// - Returns: false when somebody came to wait after it was found that nobody does.
  private func giveBack(_ recovery: LinkRecovery, _ made: (AMQPSender, AMQPConnection)?) -> Bool {
    let (waiters, attached, isSurplus): ([OneShot<Result<Attached, AMQPError>>], Attached?, Bool) = self.state.withLockedValue {
      state in
      guard let (sender, connection) = made else {
        if state.waiters.isEmpty { state.recovery = recovery }
        return ([], nil, !state.waiters.isEmpty)
      }
      state.recovery = recovery
      state.lastGeneration += 1
      let attached = Attached(sender: sender, generation: state.lastGeneration, connection: connection)
      if state.ended == nil { state.attached = attached }
      defer { state.waiters = [:] }
      return (Array(state.waiters.values), attached, false)
    }
    if let attached { for waiter in waiters { waiter.fulfil(.success(attached)) } }
    return !isSurplus
  }

  private func fail(_ error: AMQPError, with recovery: LinkRecovery) {
    let waiters = self.state.withLockedValue { state in
      state.recovery = recovery
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.fulfil(.failure(error)) }
  }

  /// A send found the sender gone. Said by many sends of one generation, it counts once.
  func lost(_ attached: Attached, _ error: AMQPError) {
    self.state.withLockedValue { state in
      guard state.attached?.generation == attached.generation else { return }
      state.attached = nil
      // A link that went with its connection: the connection's end is what happened.
      state.recovery?.failed(attached.connection.closedReason ?? error)
    }
  }

  /// No sender any more. - Returns: the one to be closed.
  @discardableResult
  func end(_ reason: AMQPError) -> AMQPSender? {
    let (waiters, sender, recovery) = self.state.withLockedValue { state in
      if state.ended == nil { state.ended = reason }
      defer {
        state.waiters = [:]
        state.attached = nil
      }
      return (Array(state.waiters.values), state.attached?.sender, state.recovery)
    }
    recovery?.finished()
    for waiter in waiters { waiter.fulfil(.failure(reason)) }
    return sender
  }
}
