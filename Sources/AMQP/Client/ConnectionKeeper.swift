// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOConcurrencyHelpers
import NIOCore

/// One connection of a client that is made again whenever it is lost: carries out what ``RecoveryMachine`` decides.
final class ConnectionKeeper: Sendable {
  private struct Waiter {
    let answer: OneShot<Result<AMQPConnection, AMQPError>>
    /// Whether it goes on waiting when the bus refuses us.
    let isPatient: Bool
  }

  private struct State {
    var connection: AMQPConnection?
    var waiters: [UInt64: Waiter] = [:]
    var lastWaiter: UInt64 = 0
    /// Why the bus refuses us, until it is asked again.
    var refused: AMQPError?
    var ended: AMQPError?
    var hasStood = false
  }

  let use: AMQPConnectionUse
  private let configuration: AMQPClientConfiguration
  private let board: StateBoard
  private let deadlines: DeadlineKeeper
  private let group: (any EventLoopGroup)?
  private let logger: Logger
  private let state = NIOLockedValueBox(State())
  private let mark: LiveCount.Mark

  init(
    _ use: AMQPConnectionUse, _ configuration: AMQPClientConfiguration, board: StateBoard, deadlines: DeadlineKeeper,
    on group: (any EventLoopGroup)?, logger: Logger
  ) {
    self.use = use
    self.configuration = configuration
    self.board = board
    self.deadlines = deadlines
    self.group = group
    self.logger = logger
    self.mark = LiveCount.Mark(.connectionKeeper, of: configuration.endpoints.first?.containerID ?? "")
  }

  private var subject: AMQPClientState.Subject { .connection(self.use) }

  /// Whose connections they are.
  var containerID: String { self.configuration.endpoints.first?.containerID ?? "" }

  /// Keeps the connection until the task is cancelled, then closes it within what `closeWithin` says at that moment.
  ///
  /// - Throws: ``AMQPError`` that trying again cannot mend; `CancellationError`.
  func run(closeWithin: @escaping @Sendable () -> Duration) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    var machine = RecoveryMachine(
      self.configuration.recovery, lowest: .connection, endpoints: self.configuration.endpoints.count,
      refusedRetry: self.configuration.recovery.refusedLoginRetry)
    var action = machine.begin(at: .zero)
    var cause: AMQPError?
    while let next = action {
      try Task.checkCancellation()
      switch next {
      case .attempt(let attempt):
        self.state.withLockedValue { $0.refused = nil }
        self.tell(.connecting, cause, attempt.number)
        let failure = try await self.attempt(attempt, &machine, since: start, closeWithin)
        cause = failure
        action = machine.failed(attempt.epoch, failure, at: clock.now - start, draw: .random(in: 0..<1))
        if machine.isRefused { self.refused(failure) }
      case .wait(let delay, let epoch, _):
        self.tell(.waiting, cause, machine.failuresInARow, delay)
        try await clock.sleep(for: delay)
        action = machine.waited(epoch, at: clock.now - start)
      case .giveUp(let error): throw error
      }
    }
  }

  /// - Returns: why it did not come about, or was lost.
  private func attempt(
    _ attempt: RecoveryMachine.Attempt, _ machine: inout RecoveryMachine, since start: ContinuousClock.Instant,
    _ closeWithin: @Sendable () -> Duration
  ) async throws -> AMQPError {
    guard let endpoint = self.configuration.endpoint(attempt.endpoint, for: self.use) else {
      return AMQPError(.configurationInvalid, .connection, .local, tried: "connect", seen: "no endpoint is configured")
    }
    let connection: AMQPConnection
    do throws(AMQPError) {
      connection = try await AMQPConnection.open(endpoint, on: self.group, logger: self.logger)
    } catch {
      try Task.checkCancellation()
      return error
    }
    machine.succeeded(attempt.epoch, at: .now - start)
    self.connected(connection)
    do {
      let failure = try await connection.waitUntilClosed()
      self.disconnected(connection)
      return failure
    } catch {
      // Cancelled. Links are closed by those who use them before this; whatever is left goes with the connection.
      self.disconnected(connection)
      await connection.close(within: closeWithin())
      throw error
    }
  }

  private func connected(_ connection: AMQPConnection) {
    let (waiters, isAnew) = self.state.withLockedValue { state in
      state.connection = connection
      defer {
        state.waiters = [:]
        state.hasStood = true
      }
      return (Array(state.waiters.values), state.hasStood)
    }
    if isAnew { connection.configuration.observability.metrics?.recovered(tier: AMQPRecoveryTier.connection.name) }
    self.tell(.open, nil, 1, nil, connection.peer)
    for waiter in waiters { waiter.answer.fulfil(.success(connection)) }
  }

  /// Those who can do something else are told; the others wait until somebody has mended it.
  private func refused(_ error: AMQPError) {
    let waiters = self.state.withLockedValue { state in
      state.refused = error
      let told = state.waiters.filter { !$0.value.isPatient }
      for id in told.keys { state.waiters[id] = nil }
      return Array(told.values)
    }
    for waiter in waiters { waiter.answer.fulfil(.failure(error)) }
  }

  private func disconnected(_ connection: AMQPConnection) {
    self.state.withLockedValue { if $0.connection === connection { $0.connection = nil } }
  }

  /// No connection any more, for this reason. Idempotent.
  func end(_ reason: AMQPError) {
    let waiters = self.state.withLockedValue { state in
      if state.ended == nil { state.ended = reason }
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    self.tell(.ended, reason, 1)
    for waiter in waiters { waiter.answer.fulfil(.failure(reason)) }
  }

  var ended: AMQPError? { self.state.withLockedValue { $0.ended } }

  /// The connection there is now.
  var current: AMQPConnection? {
    self.state.withLockedValue { state in state.connection.flatMap { $0.closedReason == nil ? $0 : nil } }
  }

  /// The connection, or the next one to come.
  ///
  /// - Parameters:
  ///   - deadline: nil to wait until the client ends.
  ///   - isPatient: whether a bus that refuses us is waited for, too.
  func connection(
    until deadline: ContinuousClock.Instant?, isPatient: Bool = false
  ) async throws(AMQPError) -> AMQPConnection {
    let waiter = OneShot<Result<AMQPConnection, AMQPError>>()
    let id: UInt64? = self.state.withLockedValue { state in
      if let reason = state.ended {
        waiter.fulfil(.failure(reason))
        return nil
      }
      if let connection = state.connection, connection.closedReason == nil {
        waiter.fulfil(.success(connection))
        return nil
      }
      if let refused = state.refused, !isPatient {
        waiter.fulfil(.failure(refused))
        return nil
      }
      state.lastWaiter += 1
      state.waiters[state.lastWaiter] = Waiter(answer: waiter, isPatient: isPatient)
      return state.lastWaiter
    }
    defer { if let id { _ = self.state.withLockedValue { $0.waiters.removeValue(forKey: id) } } }
    let start = ContinuousClock.now
    return try await self.deadlines.wait(
      for: waiter, until: deadline,
      cancelled: AMQPError(
        .cancelled, .connection, .local, tried: "connect to \(self.configuration)", seen: "the task was cancelled")
    ) { [weak self] in
      self?.notConnected(after: .now - start)
        ?? AMQPError(.clientStopped, .connection, .local, tried: "connect", seen: "the client is gone")
    }
  }

  /// Cuts a connection that is open and does not work; the next one is made.
  func replace(_ connection: AMQPConnection, because seen: String) {
    self.disconnected(connection)
    connection.abort(because: seen)
  }

  private func notConnected(after waited: Duration) -> AMQPError {
    let state = self.board.current(self.subject)
    let seen =
      switch state {
      case nil: "no connection after \(waited.milliseconds) ms: run() was not started"
      case let state?: "no connection after \(waited.milliseconds) ms; \(state.sentence)"
      }
    return AMQPError(
      .connectTimedOut, .connection, .local, condition: state?.cause?.condition, tried: "connect to \(self.configuration)",
      seen: seen)
  }

  private func tell(
    _ phase: AMQPClientState.Phase, _ cause: AMQPError?, _ attempt: Int, _ wait: Duration? = nil, _ peer: AMQPPeer? = nil
  ) {
    self.board.set(
      AMQPClientState(
        subject: self.subject, phase: phase, tier: .connection, cause: cause, attempt: attempt, nextAttemptIn: wait, peer: peer))
  }
}
