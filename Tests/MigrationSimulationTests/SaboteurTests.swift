// SPDX-License-Identifier: Apache-2.0

import Migration
import Computing
import Testing

@testable import MigrationSimulation

/// A checker that does not see a deliberate bug is no checker: one for each of the 21 invariants.
@Suite("Saboteurs", .serialized, .computing)
struct SaboteurTests {
  @Test("every invariant has its saboteur")
  func all() { #expect(Set(Sabotage.allCases.map(\.breaks)) == Set(Invariant.allCases)) }

  /// Those that stand in the bug museum are caught there.
  static let others = Sabotage.allCases.filter { sabotage in !BugMuseumTests.scenarios.contains { $0.variant == sabotage } }

  @Test("caught within 1,000 seeds, by the checker it is meant for", arguments: others)
  func caught(sabotage: Sabotage) async throws {
    var settings = SimulationSettings()
    settings.sabotage = sabotage
    settings.stopsAt = sabotage.breaks
    for seed in 0..<UInt64(1_000) {
      await Task.yield()
      let outcome = try #require(Simulation(seed: seed, settings: settings)).run()
      if outcome.breaches.contains(where: { $0.invariant == sabotage.breaks }) { return }
    }
    Issue.record("\(sabotage.rawValue) was not caught")
  }
}
