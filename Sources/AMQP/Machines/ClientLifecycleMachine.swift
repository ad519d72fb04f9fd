// SPDX-License-Identifier: Apache-2.0

/// The life of an ``AMQPClient``: when new work may begin, and when leaving goes on to closing. Pure.
///
/// Leaving has one deadline: work under way may use it but for a reserve, which is for closing.
struct ClientLifecycleMachine: Sendable {
  enum Action: Equatable, Sendable {
    /// Tell all work to finish, and call ``workDeadlinePassed()`` after the time given.
    case askToFinish(within: Duration)
    /// Close the connections.
    case close
  }

  private enum State: Sendable, Equatable {
    case idle
    case running
    case finishing
    case closing
    case ended(AMQPError)
  }

  private var state = State.idle
  private(set) var workCount = 0
  /// Whether there is somebody to carry out the closing.
  private(set) var hasStarted = false

  /// - Returns: false when it runs already, or has ended.
  mutating func start() -> Bool {
    switch self.state {
    case .idle:
      self.state = .running
      self.hasStarted = true
      return true
    case .running, .finishing, .closing, .ended: return false
    }
  }

  /// Work may begin before the client runs: it waits for the connection.
  ///
  /// - Returns: whether it may.
  mutating func workBegan() -> Bool {
    switch self.state {
    case .idle, .running:
      self.workCount += 1
      return true
    case .finishing, .closing, .ended: return false
    }
  }

  mutating func workEnded() -> Action? {
    self.workCount -= 1
    switch self.state {
    case .finishing where self.workCount == 0:
      self.state = .closing
      return .close
    case .idle, .running, .finishing, .closing, .ended: return nil
    }
  }

  /// Leave gracefully.
  mutating func stop(within deadline: Duration) -> Action? {
    switch self.state {
    case .idle, .running:
      if self.workCount == 0 {
        self.state = .closing
        return .close
      }
      self.state = .finishing
      return .askToFinish(within: deadline - Self.closingReserve(of: deadline))
    case .finishing, .closing, .ended: return nil
    }
  }

  /// What is left of the deadline for closing connections.
  static func closingReserve(of deadline: Duration) -> Duration { min(.seconds(2), deadline / 4) }

  mutating func workDeadlinePassed() -> Action? {
    switch self.state {
    case .finishing:
      self.state = .closing
      return .close
    case .idle, .running, .closing, .ended: return nil
    }
  }

  /// The first reason counts.
  mutating func ended(_ reason: AMQPError) {
    switch self.state {
    case .ended: break
    case .idle, .running, .finishing, .closing: self.state = .ended(reason)
    }
  }

  var endReason: AMQPError? { if case .ended(let reason) = self.state { reason } else { nil } }

  var isLeaving: Bool {
    switch self.state {
    case .idle, .running: false
    case .finishing, .closing, .ended: true
    }
  }
}
