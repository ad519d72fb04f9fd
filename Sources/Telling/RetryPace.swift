// SPDX-License-Identifier: Apache-2.0

import Migration

/// When something that could not be told is tried again, and until when.
public struct RetryPace: Sendable, Hashable {
  public var first: TimeSpan
  public var longest: TimeSpan
  /// For how long after it was to be told it is tried at all.
  public var patience: TimeSpan

  public init(first: TimeSpan = .seconds(5), longest: TimeSpan = .minutes(30), patience: TimeSpan = .days(3)) {
    self.first = first
    self.longest = longest
    self.patience = patience
  }

  /// - Parameters:
  ///   - attempts: how many there were, from 1.
  ///   - asked: for how long the receiver asked to be left alone.
  ///   - chance: from 0 up to, not including, 1: spreads receivers' load.
  /// - Returns: nil when it is given up.
  public func next(attempts: Int, toldFrom: Instant, now: Instant, asked: TimeSpan?, chance: Double) -> Instant? {
    guard now < toldFrom + self.patience else { return nil }
    var span = self.first.milliseconds
    for _ in 1..<max(1, min(attempts, 40)) { span = min(span * 3, self.longest.milliseconds) }
    let spread = Int64(Double(span) * (0.75 + 0.5 * chance))
    return now + .milliseconds(max(spread, min(asked?.milliseconds ?? 0, self.longest.milliseconds)))
  }
}
