// SPDX-License-Identifier: Apache-2.0

import Migration
import Computing
import Testing

@testable import MigrationSimulation

/// Bugs that other migration tools had, played against this core: red on the variant that has the bug, green on ours. Those that need
/// no world stand in MigrationTests.
@Suite("Bug museum: in the simulated world", .serialized, .computing)
struct BugMuseumTests {
  static let scenarios: [(number: Int, words: String, variant: Sabotage)] = [
    (1, "killed between the register write and recording it (gh-ost#1755)", .writeBeforeIntent),
    (2, "reply lost: written or not? (FoundationDB, spirit#1209)", .trustUnknown),
    (3, "watermark taken before the old door is shut (vitess#16563)", .earlyWatermark),
    (4, "reverse watermark taken at the wrong side of the switch (spirit#1207)", .earlyReverseWatermark),
    (5, "two records of one truth drift apart (vitess#17326)", .staleCache),
    (6, "two puljer touch one group (vitess#16731)", .twoPuljer),
    (7, "cut-over though the way back is broken (vitess#16794)", .brokenWayBack),
    (10, "gate passed without waiting (vitess#6951)", .hastyGate),
    (12, "a restart trusts yesterday's VERIFIED (kcp#375, #434)", .oldAttestation),
    (13, "newer state, steps skipped, complete (kcp orchestrator)", .skipUnknown),
    (14, "the API said yes, the controller said no, reported done (kcp workflow)", .trustAnswer),
    (15, "a stale-sender alarm on lawful traffic (kcp#380, kcp#385)", .wolfCrier),
    (17, "an error read as: nothing left (gh-ost#483)", .blindDrain),
    (18, "silent hang after the peer restarts (gh-ost#1169, kubectl#172)", .lostTimer),
    (22, "what a dead run left is loaded on the next boot (rabbitmq-server#5337)", .cutHistory),
    (24, "a plan applied that is not the approved one (terraform#24078, #28693)", .unapprovedPlan),
  ]

  @Test("red on the variant, green on ours for the same seed", arguments: scenarios.indices)
  func scenario(index: Int) async throws {
    let (number, words, variant) = Self.scenarios[index]
    var wrong = SimulationSettings()
    wrong.sabotage = variant
    wrong.stopsAt = variant.breaks
    for seed in 0..<UInt64(1_000) {
      await Task.yield()
      let outcome = try #require(Simulation(seed: seed, settings: wrong)).run()
      guard outcome.breaches.contains(where: { $0.invariant == variant.breaks }) else { continue }
      let ours = try #require(Simulation(seed: seed)).run()
      #expect(ours.breaches.isEmpty, "\(number) \(words): \(ours.breaches)")
      return
    }
    Issue.record("\(number) \(words): the wrong variant was not caught")
  }
}
