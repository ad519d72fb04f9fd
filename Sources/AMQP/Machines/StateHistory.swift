// SPDX-License-Identifier: Apache-2.0

/// Which changes of state are worth telling. Pure.
///
/// A bus that refuses us every second is told of once, then at attempts 2, 4, 8 and so on, until the cause changes: a reader
/// of two thousand equal errors reads none.
struct StateHistory: Sendable {
  private struct Told: Sendable {
    var phase: AMQPClientState.Phase
    var cause: Cause?
  }

  /// What makes one cause differ from another: not its words, which may hold counters and times.
  private struct Cause: Sendable, Equatable {
    var code: AMQPError.Code
    var condition: String?
    init(_ error: AMQPError) {
      self.code = error.code
      self.condition = error.condition?.name
    }
  }

  private(set) var current: [AMQPClientState.Subject: AMQPClientState] = [:]
  private var told: [AMQPClientState.Subject: Told] = [:]

  /// - Returns: whether to tell.
  mutating func note(_ state: AMQPClientState) -> Bool {
    let cause = state.cause.map(Cause.init)
    let before = self.told[state.subject]
    let isNews: Bool =
      switch state.phase {
      case .open, .ended: before?.phase != state.phase || before?.cause != cause
      case .connecting: before == nil || before?.phase == .open
      case .waiting:
        before?.phase != .waiting || before?.cause != cause || state.attempt.nonzeroBitCount == 1
      }
    if state.phase == .ended {
      // The connections' last word stays; links come and go, and must not pile up.
      self.told[state.subject] = nil
      if case .connection = state.subject { self.current[state.subject] = state } else { self.current[state.subject] = nil }
    } else {
      self.current[state.subject] = state
      if isNews { self.told[state.subject] = Told(phase: state.phase, cause: cause) }
    }
    return isNews
  }
}
