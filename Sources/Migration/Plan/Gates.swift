// SPDX-License-Identifier: Apache-2.0

/// What is measured on the target bus while a party is watched, and what must hold before the move is accepted.
public struct Gates: Sendable, Hashable, Codable {
  /// Between two measurements.
  public var measureInterval: TimeSpan = .minutes(15)
  /// A party for which nothing came for so long is pinged: a quiet queue proves nothing.
  public var pingAfterQuiet: TimeSpan = .hours(4)
  /// How many of a hundred pings may fail.
  public var pingLossPercent: Int = 5
  /// Messages that may lie on one queue: more, at two measurements running, and the receiver does not keep up.
  public var depth: Int64 = 500
  /// Dead letters more than at the watch's beginning.
  public var deadLetters: Int64 = 0
  /// Messages that must have come, where the bus counts arrivals; fewer says nothing of the move.
  public var traffic: Int64 = 1

  public init() {}
}

/// What a gate says on the figures there are.
public struct GateFinding: Sendable, Hashable, Codable {
  public enum Gate: String, Sendable, Hashable, Codable, CaseIterable {
    case ping, depth
    case deadLetters = "dead-letters"
    case traffic
  }

  public enum Verdict: String, Sendable, Hashable, Codable, CaseIterable {
    case pass, fail
    /// The figures are too few, or cannot be had: no pass.
    case inconclusive
  }

  public var gate: Gate
  public var verdict: Verdict
  /// The figures.
  public var seen: String
}
