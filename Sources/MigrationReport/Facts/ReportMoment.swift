// SPDX-License-Identifier: Apache-2.0

import Migration

/// When a pulje has come to where a report is due: its decision, or its end. Told by what its events have left, so that it is the same after a
/// restart.
public struct ReportMoment: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    case decision
    case done
    case partlyBack = "partly-back"
    case rolledBack = "rolled-back"
  }

  public var kind: Kind
  public var at: Instant

  /// Names its files: `decision-20261206T101500Z`.
  public var stem: String {
    "\(self.kind.rawValue)-" + self.at.description.filter { $0 != "-" && $0 != ":" }
  }

  /// Whether the pulje has ended with it.
  public var isEnd: Bool { self.kind != .decision }

  /// - Returns: nil while no report is due.
  public init?(_ pulje: PuljeState, now: Instant) {
    switch pulje.phase(now: now) {
    case .decision:
      guard let at = Self.watchesEnd(pulje) else { return nil }
      (self.kind, self.at) = (.decision, at)
    case .done: (self.kind, self.at) = (.done, Self.end(pulje))
    case .partlyBack: (self.kind, self.at) = (.partlyBack, Self.end(pulje))
    case .rolledBack: (self.kind, self.at) = (.rolledBack, Self.end(pulje))
    default: return nil
    }
  }

  /// When time alone brings the pulje to its decision; nil when something else must happen first.
  public static func due(_ pulje: PuljeState, now: Instant) -> Instant? {
    guard pulje.phase(now: now) == .observing else { return nil }
    return Self.watchesEnd(pulje)
  }

  private static func watchesEnd(_ pulje: PuljeState) -> Instant? {
    pulje.groups.filter { $0.quarantine == nil && $0.phase == .observing }
      .compactMap { group in group.watchSince.map { $0 + pulje.policy.watchPeriod } }.max()
  }

  /// When the last of its groups was closed; that a closed one goes on to be retired is no end of the pulje.
  private static func end(_ pulje: PuljeState) -> Instant {
    pulje.groups.compactMap { group -> Instant? in
      guard group.phase.isClosed else { return nil }
      return group.history.reversed().prefix { $0.phase.isClosed }.last?.at
    }.max() ?? pulje.sealedAt
  }
}
