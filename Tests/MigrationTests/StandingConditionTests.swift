// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("What is wrong, or waits for a person")
struct StandingConditionTests {
  private func state(_ walk: GroupWalk, stop: Note? = nil, pause: Note? = nil) -> MigrationState {
    let plan = Fixture.plan([200])
    var pulje = PuljeState(plan: plan, planHash: plan.hash, by: "kari", at: walk.now, groups: GroupList([walk.group]))
    pulje.startedAt = walk.context.isStarted ? walk.now : nil
    pulje.pause = pause
    var state = MigrationState()
    state.puljer[plan.name] = pulje
    state.stop = stop
    return state
  }

  private func codes(_ state: MigrationState, now: Instant) -> [String] {
    state.standingConditions(now: now).conditions.map { "\($0.key.code) \($0.weight.rawValue)" }
  }

  @Test("a pulje that takes its course has none")
  func calm() {
    for phase in [GroupPhase.draining, .observing] {
      let walk = GroupWalk.standing(in: phase)
      #expect(self.codes(self.state(walk), now: walk.now) == [], "\(phase)")
    }
  }

  @Test("a conflict is an alarm, told for its group")
  func conflict() throws {
    let walk = GroupWalk.standing(in: .conflict)
    let found = self.state(walk).standingConditions(now: walk.now).conditions
    let condition = try #require(found.first)
    #expect(found.count == 1)
    #expect(condition.key == .init(code: "MIG-413", pulje: Fixture.name_("pulje-1"), group: walk.group.id))
    #expect(condition.weight == .alarm)
  }

  @Test("a stopped line is everybody's, and no group repeats it; a pause is its pulje's")
  func stopped() {
    let walk = GroupWalk.standing(in: .draining)
    let note = Note(by: "kari", why: "strange answers", at: walk.now)
    let stopped = self.state(walk, stop: note).standingConditions(now: walk.now).conditions
    #expect(stopped.map(\.key) == [.init(code: "MIG-417")])
    #expect(stopped.map(\.seen) == ["stopped by kari: strange answers"])
    let paused = self.state(walk, pause: note).standingConditions(now: walk.now).conditions
    #expect(paused.map(\.key) == [.init(code: "MIG-402", pulje: Fixture.name_("pulje-1"))])
  }

  @Test("counters that cannot be read clear themselves; while they are looked at again nobody knows whether they have")
  func unreadable() {
    let walk = GroupWalk.standing(in: .draining)
    var look = Fixture.look()
    look[0].count = .unreadable("no answer")
    walk.send(.looked(look))
    let state = self.state(walk)
    #expect(self.codes(state, now: walk.now) == ["MIG-405 warning"])
    let later = state.standingConditions(now: walk.now + .hours(2))
    #expect(later.conditions == [])
    #expect(later.isOpen(.init(code: "MIG-405", pulje: Fixture.name_("pulje-1"), group: walk.group.id)))
    #expect(!later.isOpen(.init(code: "MIG-417")))
  }

  @Test("a closed way back is an alarm while the group can still be turned")
  func wayBack() {
    let walk = GroupWalk.standing(in: .observing)
    walk.send(.looked(Fixture.look(missing: true)))
    #expect(
      self.codes(self.state(walk), now: walk.now).contains("MIG-501 alarm")
        || self.codes(self.state(walk), now: walk.now).contains("MIG-502 alarm"))
  }

  @Test("every code that is told has an entry that says what to do", arguments: GroupPhase.allCases)
  func explained(phase: GroupPhase) {
    let walk = GroupWalk.standing(in: phase)
    for condition in self.state(walk).standingConditions(now: walk.now + .days(40)).conditions {
      #expect(CodeBook.entry(condition.key.code) != nil, "\(condition.key.code)")
    }
  }
}
