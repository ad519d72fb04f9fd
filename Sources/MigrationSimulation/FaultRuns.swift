// SPDX-License-Identifier: Apache-2.0

import Migration

/// A calm history with faults at given points: it must end as the one without.
public struct FaultRuns: Sendable {
  /// Points of the history without faults.
  public let points: Int
  private let ends: [GroupPhase]

  /// - Returns: nil only when the history without faults cannot be played.
  public init?() {
    guard let outcome = Simulation(seed: 1, settings: .calm())?.run(), outcome.breaches.isEmpty else { return nil }
    self.points = outcome.points
    self.ends = outcome.phases
  }

  /// - Returns: what is wrong with the history; nil when nothing is.
  public func play(_ strikes: [Int: FaultKind]) -> String? {
    var settings = SimulationSettings.calm()
    settings.strikes = strikes
    guard let outcome = Simulation(seed: 1, settings: settings)?.run() else { return "not played" }
    if let breach = outcome.breaches.first { return breach.description }
    if outcome.phases != self.ends { return "ends \(outcome.phases.map(\.rawValue)), not \(self.ends.map(\.rawValue))" }
    return nil
  }

  /// A fault, and a second one in the recovery from it.
  public func pair(seed: UInt64) -> [Int: FaultKind] {
    var random = SeededRandom(seed: seed)
    let first = 1 + random.below(self.points)
    let kinds = FaultKind.allCases
    return [first: kinds[random.below(kinds.count)], first + 1 + random.below(30): kinds[random.below(kinds.count)]]
  }
}
