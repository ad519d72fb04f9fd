// SPDX-License-Identifier: Apache-2.0

/// Attaches one link, and again after each loss: carries out what ``RecoveryMachine`` decides. Held by one task at a time.
struct LinkRecovery: Sendable {
  let subject: AMQPClientState.Subject
  private let keeper: ConnectionKeeper
  private let board: StateBoard
  /// Whether a refusal is waited out.
  private let isPatient: Bool
  private let onState: (@Sendable (AMQPClientState) -> Void)?
  private let start = ContinuousClock.now
  private var machine: RecoveryMachine
  private var action: RecoveryMachine.Action?
  private var attempt: RecoveryMachine.Attempt?
  /// The connection that the last attempt was made on.
  private var connection: AMQPConnection?
  private var cause: AMQPError?
  private var hasStood = false

  /// - Parameters:
  ///   - refusedRetry: about how long until a link that is refused for good is asked for again; nil to give up.
  ///   - onState: told every state beside the board.
  init(
    _ subject: AMQPClientState.Subject, _ policy: AMQPRecoveryPolicy, refusedRetry: Duration? = nil, keeper: ConnectionKeeper,
    board: StateBoard, onState: (@Sendable (AMQPClientState) -> Void)? = nil
  ) {
    self.subject = subject
    self.keeper = keeper
    self.board = board
    self.isPatient = refusedRetry != nil
    self.onState = onState
    self.machine = RecoveryMachine(policy, lowest: .link, refusedRetry: refusedRetry)
    self.action = self.machine.begin(at: .zero)
  }

  /// Why it is not attached, or was last lost.
  var lastFailure: AMQPError? { self.cause }

  /// Attaches, trying again as the policy says.
  ///
  /// - Parameters:
  ///   - isWanted: asked before each attempt.
  ///   - throwsRefusal: whether a bus that refuses the link ends it at once: for those who have another way to take.
  ///   - open: attaches on a connection, on a session begun for it when the second argument says so.
  /// - Returns: nil when it is no longer wanted.
  /// - Throws: ``AMQPError`` that trying again cannot mend; `CancellationError`.
  mutating func attach<Link: Sendable>(
    whileWanted isWanted: @Sendable () -> Bool = { true }, throwsRefusal: Bool = false,
    _ open: @Sendable (AMQPConnection, Bool) async throws(AMQPError) -> Link
  ) async throws -> Link? {
    while let action = self.action {
      try Task.checkCancellation()
      switch action {
      case .attempt(let attempt):
        guard isWanted() else { return nil }
        self.attempt = attempt
        do throws(AMQPError) {
          let link = try await self.make(attempt, open)
          self.action = nil
          self.machine.succeeded(attempt.epoch, at: .now - self.start)
          if self.hasStood { self.count(attempt.tier) }
          self.hasStood = true
          self.tell(.open, attempt.tier)
          return link
        } catch {
          try Task.checkCancellation()
          self.failed(error)
          if throwsRefusal, error.code == .linkRefused { throw error }
        }
      case .wait(let delay, let epoch, let tier):
        self.tell(.waiting, tier, delay)
        try await ContinuousClock().sleep(for: delay)
        self.action = self.machine.waited(epoch, at: .now - self.start)
      case .giveUp(let error):
        self.tell(.ended, .link)
        throw error
      }
    }
    return nil
  }

  private mutating func make<Link: Sendable>(
    _ attempt: RecoveryMachine.Attempt, _ open: @Sendable (AMQPConnection, Bool) async throws(AMQPError) -> Link
  ) async throws(AMQPError) -> Link {
    self.tell(.connecting, attempt.tier)
    if attempt.tier == .connection, let connection, connection.closedReason == nil {
      self.keeper.replace(connection, because: "links on it do not come about")
    }
    let connection = try await self.keeper.connection(until: nil, isPatient: self.isPatient)
    self.connection = connection
    return try await open(connection, attempt.tier >= .session)
  }

  /// A link that came back with its connection is not counted beside it.
  private func count(_ tier: AMQPRecoveryTier) {
    guard tier < .connection, let metrics = self.connection?.configuration.observability.metrics else { return }
    metrics.recovered(tier: tier.name, address: self.subject.address)
  }

  /// RabbitMQ 3 leaves a connection open that answers no attach any more.
  private var peerFallsSilent: Bool { self.connection?.peer.isRabbitMQ3 ?? false }

  /// What ``attach(whileWanted:_:)`` made was lost.
  mutating func failed(_ error: AMQPError) {
    guard let attempt = self.attempt else { return }
    self.cause = error
    // A link that we detached ourselves while its connection was going tells less than the connection does.
    let action = self.machine.failed(
      attempt.epoch, error, at: .now - self.start, draw: .random(in: 0..<1), peerFallsSilent: self.peerFallsSilent)
    if let action { self.action = action }
  }

  /// No longer wanted.
  func finished() { self.tell(.ended, .link) }

  private func tell(_ phase: AMQPClientState.Phase, _ tier: AMQPRecoveryTier, _ wait: Duration? = nil) {
    let failures = self.machine.failuresInARow
    let state = AMQPClientState(
      subject: self.subject, phase: phase, tier: tier, cause: phase == .open ? nil : self.cause,
      attempt: phase == .waiting ? max(failures, 1) : failures + 1, nextAttemptIn: wait)
    self.board.set(state)
    self.onState?(state)
  }
}
