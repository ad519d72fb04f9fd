// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@testable import Migration

@Suite("Shadow mode: predictions, and what became of them")
struct ShadowTests {
  private typealias Question = ShadowLook.Prediction.Question

  private func look(
    _ plan: Plan = Fixture.plan([200]), at now: Instant = Fixture.start, _ change: (inout PreflightReport) -> Void = { _ in }
  ) -> ShadowLook {
    ShadowLook(plan, findings: [], preflights: [plan.groups[0].id: Fixture.preflight(change)], at: now)
  }

  private func expected(_ look: ShadowLook) -> [Question: Bool] {
    Dictionary(look.groups[0].predictions.map { ($0.question, $0.expected) }, uniquingKeysWith: { first, _ in first })
  }

  @Test("a world in order: everything is predicted to go well")
  func good() {
    #expect(self.expected(self.look()) == [.plan: true, .preflight: true, .ping: true, .drained: true, .stays: true])
  }

  @Test("each sign speaks for its own question, and against staying")
  func bad() {
    let noConsumer = self.look { report in
      for index in report.findings.indices where report.findings[index].check == .targetConsumer {
        report.findings[index].result = .failed
      }
    }
    #expect(self.expected(noConsumer) == [.plan: true, .preflight: false, .ping: false, .drained: true, .stays: false])
    let backlog = self.look { report in
      for index in report.baseline.indices { report.baseline[index].count = .counted(depth: 5, arrivals: nil, consumers: 0) }
    }
    #expect(self.expected(backlog)[.drained] == false)
    let unreadable = self.look { $0.baseline = Fixture.look(unreadable: true) }
    #expect(self.expected(unreadable)[.drained] == false)
    var records = Fixture.records
    records[3].active = false
    let plan = Planner(buses: Fixture.buses, records: records).plan(Fixture.request([200]))
    #expect(self.expected(self.look(plan))[.plan] == false)
    let dark = ShadowLook(Fixture.plan([200]), findings: [], preflights: [:], at: Fixture.start)
    #expect(dark.groups[0].predictions.map(\.question) == [.plan])
  }

  @Test("what findings say of a party's library speaks against its staying")
  func findings() {
    let plan = Fixture.plan([200])
    let finding = PlanFinding(.noAMQP10, herID: Fixture.herID(200), seen: "AMQP 0-9-1")
    let look = ShadowLook(plan, findings: [finding], preflights: [plan.groups[0].id: Fixture.preflight()], at: Fixture.start)
    #expect(self.expected(look)[.stays] == false)
  }

  // MARK: scoring

  /// A pulje whose one group has come to `phase`.
  private func pulje(_ walk: GroupWalk) -> PuljeState {
    var pulje = PuljeState(plan: Fixture.plan([200]), by: "Kari", at: Fixture.start)
    pulje.groups[0] = walk.group
    return pulje
  }

  private func score(_ looks: [ShadowLook], _ walk: GroupWalk?) -> ShadowScore {
    ShadowScore(looks, pulje: walk.map(self.pulje), now: walk?.now ?? Fixture.start)
  }

  @Test("a pulje that went as predicted: every question is right, and none is open when it is accepted")
  func right() {
    let score = self.score([self.look()], .standing(in: .accepted))
    #expect(score.right == 5 && score.wrong == 0 && score.share == 10_000 && score.misses.isEmpty)
  }

  @Test("what has not shown yet is open, and counts for nothing")
  func open() {
    let score = self.score([self.look()], .standing(in: .cutApplied))
    #expect(score.right == 2 && score.wrong == 0)
    #expect(score.tallies["ping"]?.open == 1 && score.tallies["drained"]?.open == 1 && score.tallies["stays"]?.open == 1)
    #expect(self.score([self.look()], nil).share == nil)
  }

  @Test("a ping that failed, a roll-back, a conflict: misses with what was predicted, why, and what happened")
  func wrong() throws {
    let failed = GroupWalk.standing(in: .cutApplied)
    failed.send(.pinged([Fixture.ping(Fixture.herID(200), [.consumer: .failed])], retryAt: failed.retryAt))
    let miss = try #require(self.score([self.look()], failed).misses.first)
    #expect(miss.question == .ping && miss.expected && miss.happened.contains("nobody listens") && !miss.because.isEmpty)
    let back = self.score([self.look()], .standing(in: .backApplied))
    #expect(back.misses.map(\.question) == [.stays] && back.misses[0].happened.contains("Kari"))
    #expect(self.score([self.look()], .standing(in: .conflict)).misses.map(\.question) == [.stays])
  }

  @Test("without a pulje plan and pre-flight are scored by the next look, the last one is open; order does not matter")
  func byNextLook() {
    let later = self.look(at: Fixture.start + .hours(1)) { $0.findings[0].result = .failed }
    let score = self.score([later, self.look()], nil)
    #expect(score.tallies["plan"] == ShadowScore.Tally(right: 1, wrong: 0, open: 1))
    #expect(score.tallies["preflight"] == ShadowScore.Tally(right: 0, wrong: 1, open: 1))
    #expect(score.share == 5_000 && score.text.contains("50.00 %"))
    #expect(score.from == Fixture.start && score.looks == 2)
  }

  @Test("a look made after the pulje was sealed is not scored by what had happened before")
  func afterwards() {
    let walk = GroupWalk.standing(in: .accepted)
    let score = self.score([self.look(at: Fixture.start + .hours(1))], walk)
    #expect(score.right == 0 && score.wrong == 0)
  }

  @Test("a look survives being written and read")
  func written() throws {
    let look = self.look()
    #expect(try JSONDecoder().decode(ShadowLook.self, from: CanonicalJSON.encode(look)) == look)
  }
}
