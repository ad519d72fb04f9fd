// SPDX-License-Identifier: Apache-2.0

/// How long to wait before trying again.
public struct AMQPBackOff: Sendable, Hashable {
  /// The longest wait before the first retry.
  public var initial: Duration
  /// The longest wait of all.
  public var maximum: Duration
  /// A connection that stood this long counts as good: the next failure starts from ``initial`` again.
  public var stableAfter: Duration

  /// Defaults: 200 ms, 30 s, 10 s.
  public init(
    initial: Duration = .milliseconds(200), maximum: Duration = .seconds(30), stableAfter: Duration = .seconds(10)
  ) {
    self.initial = initial
    self.maximum = maximum
    self.stableAfter = stableAfter
  }
}

/// When a lost connection is tried again. Pure: the time and the random number come in as values.
///
/// Full jitter: each wait is drawn evenly from zero to a bound that doubles with every failure, so that many clients of a
/// restarted bus do not come back in step.
struct RecoveryMachine: Sendable {
  enum Action: Equatable, Sendable {
    case connect
    case wait(Duration)
    case giveUp(AMQPError)
  }

  private enum State: Sendable {
    case idle
    case connecting
    case connected(since: Duration)
    case waiting
    case ended
  }

  private let backOff: AMQPBackOff
  private var state = State.idle
  private(set) var failuresInARow = 0

  init(_ backOff: AMQPBackOff) { self.backOff = backOff }

  /// The first attempt, or the wait is over.
  mutating func begin() -> Action? {
    switch self.state {
    case .idle, .waiting:
      self.state = .connecting
      return .connect
    case .connecting, .connected, .ended: return nil
    }
  }

  mutating func connected(at now: Duration) {
    if case .connecting = self.state { self.state = .connected(since: now) }
  }

  /// An attempt failed, or a connection ended.
  ///
  /// - Parameter draw: an even random number from 0 up to 1.
  mutating func failed(_ error: AMQPError, at now: Duration, draw: Double) -> Action? {
    switch self.state {
    case .connecting: break
    case .connected(let since): if now - since >= self.backOff.stableAfter { self.failuresInARow = 0 }
    case .idle, .waiting, .ended: return nil
    }
    guard error.isRetriable else {
      self.state = .ended
      return .giveUp(error)
    }
    let doubled = self.backOff.initial * (1 << min(self.failuresInARow, 16))
    self.failuresInARow += 1
    self.state = .waiting
    return .wait(min(doubled, self.backOff.maximum) * draw)
  }

  mutating func stopped() { self.state = .ended }
}
