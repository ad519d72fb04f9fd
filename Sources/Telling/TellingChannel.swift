// SPDX-License-Identifier: Apache-2.0

import Migration

/// A way to tell people: a webhook, mail, a program.
public protocol TellingChannel: Sendable {
  /// Its name in the configuration; what is still to be told over it is kept under this name.
  var name: String { get }
  /// What weighs less is not told here.
  var lowest: StandingCondition.Weight { get }
  /// How much goes at once: the most messages that one ``tell(_:)`` is given.
  var mostAtOnce: Int { get }

  /// Tells it once. Bounded in time by the channel itself; ends soon after it was cancelled.
  ///
  /// - Parameter messages: one or more, oldest first.
  /// - Throws: ``TellingFailure`` when it did not arrive, or may not have.
  func tell(_ messages: [TellingMessage]) async throws(TellingFailure)
}

/// Why something was not told.
public struct TellingFailure: Error, Sendable, Hashable {
  /// What was seen, without secrets.
  public var seen: String
  /// The receiver wants no more of it: not to be tried again.
  public var isFinal: Bool
  /// When the receiver said it may be asked again.
  public var after: TimeSpan?

  public init(_ seen: String, isFinal: Bool = false, after: TimeSpan? = nil) {
    self.seen = String(seen.prefix(300))
    self.isFinal = isFinal
    self.after = after
  }
}
