// SPDX-License-Identifier: Apache-2.0

import Migration
import Computing
import Testing

@testable import MigrationSimulation

/// One group forward, one back, and at every kind of durable write and outside call, before and after it, each kind of fault: the
/// history ends as the one without faults, and no invariant breaks. `scripts/simulate` plays every single point, not one of a kind.
@Suite("A fault at every point", .serialized, .computing)
struct FaultAtEveryPointTests {
  static func calm(_ strikes: [Int: FaultKind] = [:]) throws -> SimulationOutcome {
    var settings = SimulationSettings.calm()
    settings.strikes = strikes
    return try #require(Simulation(seed: 1, settings: settings)).run()
  }

  @Test("without a fault one group comes home and the other is accepted")
  func none() throws {
    let outcome = try Self.calm()
    #expect(outcome.breaches.isEmpty, "\(outcome.breaches)")
    #expect(outcome.phases == [.restored, .accepted])
    #expect(outcome.sites.count >= 60, "\(outcome.sites.keys.sorted())")
  }

  @Test("one fault", arguments: FaultKind.allCases)
  func single(kind: FaultKind) async throws {
    for (site, point) in try Self.calm().sites.sorted(by: { $0.value < $1.value }) {
      await Task.yield()
      let outcome = try Self.calm([point: kind])
      #expect(outcome.breaches.isEmpty, "\(kind.rawValue) \(site): \(outcome.breaches)")
      #expect(outcome.phases == [.restored, .accepted], "\(kind.rawValue) \(site)")
      #expect(outcome.ledger.lost == 0 && outcome.ledger.duplicates == 0)
    }
  }

  @Test("a second fault in the recovery from the first: 24 pairs, drawn by a seed; make test plays 2,000 optimised")
  func double() async throws {
    var random = SeededRandom(seed: 2)
    let points = try Self.calm().points
    for _ in 0..<24 {
      await Task.yield()
      let first = 1 + random.below(points)
      let second = first + 1 + random.below(30)
      let kinds = (0..<2).map { _ in FaultKind.allCases[random.below(FaultKind.allCases.count)] }
      let outcome = try Self.calm([first: kinds[0], second: kinds[1]])
      #expect(outcome.breaches.isEmpty, "\(kinds) at \(first), \(second): \(outcome.breaches)")
      #expect(outcome.phases == [.restored, .accepted], "\(kinds) at \(first), \(second)")
    }
  }
}
