// SPDX-License-Identifier: Apache-2.0

/// The engine's own limits; what concerns one pulje is in its policy.
public struct EngineSettings: Sendable, Hashable {
  /// Groups that are worked on at once.
  public var concurrentGroups: Int = 16
  /// Of these, register writes at once.
  public var concurrentWrites: Int = 4
  /// After a failure the next try comes after this, doubled each time, up to ``retryCap``, less a random part of up to half.
  public var retryBase: TimeSpan = .seconds(2)
  public var retryCap: TimeSpan = .minutes(2)
  /// A register entry that a person is to change by hand is looked at this often.
  public var handedOverInterval: TimeSpan = .seconds(30)
  public var readDeadline: TimeSpan = .seconds(40)
  public var writeDeadline: TimeSpan = .seconds(60)
  public var probeDeadline: TimeSpan = .minutes(2)
  /// An operator's program that has not answered by then has given no answer.
  public var hookDeadline: TimeSpan = .seconds(30)
  /// After so many events what the history folds to is kept, so that the next start reads at most about so many.
  public var checkpointInterval: Int64 = 10_000
  /// The loop turns at least this often; nil when nobody watches it.
  public var heartbeat: TimeSpan?

  public init() {}

  /// When a try that has failed `failures` times before is made again.
  public func delay(failures: Int, fraction: Double) -> TimeSpan {
    let doubled = self.retryBase.milliseconds << Int64(min(max(failures, 0), 20))
    let whole = min(max(doubled, 1), self.retryCap.milliseconds)
    return .milliseconds(max(1, whole - Int64(Double(whole) / 2 * min(max(fraction, 0), 1))))
  }
}
