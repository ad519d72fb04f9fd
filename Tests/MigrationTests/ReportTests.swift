// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@testable import Migration

@Suite("Status and report")
struct ReportTests {
  func summary(_ phases: [GroupPhase], later: TimeSpan = .seconds(0)) -> PuljeSummary {
    var pulje = PuljeState(plan: Fixture.plan([200, 300]), by: "Kari", at: Fixture.start)
    pulje.approvals = ["Kari", "Ola"]
    pulje.startedAt = Fixture.start
    var now = Fixture.start
    for (phase, herID) in zip(phases, [200, 300] as [Int32]) {
      let walk = GroupWalk.standing(in: phase, [herID])
      _ = pulje.groups.change(GroupID(Fixture.herID(herID))) { $0 = walk.group }
      now = max(now, walk.now)
    }
    return PuljeSummary(pulje, stop: nil, now: now + later)
  }

  func report(_ phases: [GroupPhase], later: TimeSpan = .seconds(0)) -> PuljeReport {
    PuljeReport(self.summary(phases, later: later), now: Fixture.start, auditHead: "abc")
  }

  @Test("every phase can be summed up, written and read", arguments: GroupPhase.allCases)
  func everyPhase(phase: GroupPhase) throws {
    let summary = self.summary([phase, .observing])
    #expect(try JSONDecoder().decode(PuljeSummary.self, from: CanonicalJSON.encode(summary)) == summary)
    let text = PuljeReport(summary, now: Fixture.start, auditHead: nil).markdown
    #expect(text.contains(phase.rawValue))
    let light = summary.groups[0].wayBack
    #expect(light.isOpen || light.code != nil)
  }

  @Test("the recommendation says no more than was seen")
  func recommendation() {
    #expect(self.report([.observing, .draining]).recommendation == .wait)
    #expect(self.report([.observing, .observing]).recommendation == .wait)
    #expect(self.report([.observing, .observing], later: .days(15)).recommendation == .accept)
    #expect(self.report([.observing, .restored], later: .days(15)).recommendation == .acceptWithExceptions)
    #expect(self.report([.conflict, .observing], later: .days(15)).recommendation == .doNotRollOut)
    #expect(self.report([.accepted, .accepted]).recommendation == .nothingToDecide)
  }

  @Test("a conflict is shown as it was, as it should be, and as it was found")
  func threeWay() {
    let difference = self.summary([.conflict, .known]).groups[0].members[0].conflict
    #expect(difference.contains { $0.field == "name" && $0.before == "Party 200" && $0.found == "Somebody else's change" })
    #expect(self.report([.conflict, .known]).markdown.contains("CONFLICT 200 name"))
  }

  @Test("the quiet ends in the summary when it ends for the guards: a working day included")
  func quietUntil() throws {
    let friday = OsloTime.instant(try #require(LocalDate(text: "2026-11-20")), try #require(TimeOfDay(hour: 12)))
    let monday = OsloTime.instant(try #require(LocalDate(text: "2026-11-23")), try #require(TimeOfDay(hour: 15)))
    let policy = Policy()
    var ledger = DrainLedger()
    ledger.take(Fixture.look(deadLetters: 0), at: friday, longestGap: .days(9))
    #expect(DrainSummary(ledger, policy: policy).quietUntil == monday)
    for _ in 0..<3 { ledger.take(Fixture.look(deadLetters: 0), at: monday, longestGap: .days(9)) }
    #expect(ledger.shortcoming(now: Instant(milliseconds: monday.milliseconds - 1), policy: policy) == .quietPeriod)
    #expect(ledger.shortcoming(now: monday, policy: policy) == nil)
  }

  @Test("what was not counted is said to be not counted")
  func honest() {
    #expect(self.report([.observing, .observing]).markdown.contains("not counted by this bus"))
  }
}
