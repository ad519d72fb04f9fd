// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import rehearsal

@Suite("Where the daemon is killed")
struct KillPlanTests {
  private func points(_ kills: Int, seed: UInt64) -> [String] {
    var plan = KillPlan(kills: kills, seed: seed)
    return (0..<(kills + 5)).compactMap { _ in plan.next() }
  }

  @Test("as many as asked for, the same for the same seed, others for another")
  func seeded() {
    #expect(self.points(100, seed: 3) == self.points(100, seed: 3))
    #expect(self.points(100, seed: 3) != self.points(100, seed: 4))
    #expect(self.points(100, seed: 3).count == 100)
    #expect(self.points(1, seed: 3).count == 1)
  }

  @Test("a hundred name every kind of durable write and outside call, before and after")
  func everyPoint() {
    for seed in UInt64(1)...5 {
      let text = self.points(100, seed: seed).joined(separator: ",")
      for name in KillPlan.names { #expect(text.contains("\(name):"), "seed \(seed) never names \(name)") }
    }
  }
}
