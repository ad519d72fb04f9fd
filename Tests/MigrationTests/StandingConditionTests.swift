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

  @Test("whoever waits for a person is told of, by itself or by its pulje", arguments: GroupPhase.allCases)
  func nobodyForgotten(phase: GroupPhase) {
    for isStarted in [true, false] {
      let walk = GroupWalk.standing(in: phase)
      walk.context.isStarted = isStarted
      for days in [Int64(0), 1, 20, 40] {
        let now = walk.now + .days(days)
        guard case .wait(let wait) = walk.group.next(in: walk.context, now: now), wait.clears == .person else { continue }
        // What is accepted keeps nobody back.
        if wait.code == .tail { continue }
        #expect(self.codes(self.state(walk), now: now) != [], "\(phase) after \(days) days: \(wait.code)")
      }
    }
  }

  @Test("a pulje that nobody has started asks for it once, however many groups it has")
  func notStarted() {
    let walk = GroupWalk.standing(in: .planned)
    walk.context.isStarted = false
    let found = self.state(walk).standingConditions(now: walk.now).conditions
    #expect(found.map(\.key) == [.init(code: "MIG-401", pulje: Fixture.name_("pulje-1"))] && found.first?.weight == .person)
  }

  @Test("a shovel that is not known to be gone is told, also when the group waits for something else")
  func shovel() {
    let walk = GroupWalk.standing(in: .draining, policy: ForwardingOrderTests.policy)
    walk.send(.approveForwarding(ForwardingOrderTests.order { $0.carrier = .shovel }))
    let left = ForwardingOrderTests.left
    walk.send(
      .shovelIntended(
        StandingShovel(node: "b", name: "s1", virtualHost: "/", from: left, to: ForwardingOrderTests.address(Fixture.target))))
    #expect(self.codes(self.state(walk), now: walk.now) == [])
    walk.send(.shovelStays(node: "b", name: "s1", code: "SHOVEL-003", seen: "no answer"))
    // It is what the group waits for.
    #expect(self.codes(self.state(walk), now: walk.now) == ["MIG-427 warning"])
    walk.send(.rollBack(by: "Kari", why: "asked for"))
    #expect(self.codes(self.state(walk), now: walk.now) == ["SHOVEL-007 warning"])
  }

  @Test("each subject once, the heaviest first: as messages go out and as the dashboard shows them")
  func subjects() {
    let pulje = Fixture.name_("pulje-1")
    let at = Fixture.start
    func condition(_ code: String, _ weight: StandingCondition.Weight, group: Int32?, seconds: Int64) -> StandingCondition {
      StandingCondition(
        .init(code: code, pulje: group == nil ? nil : pulje, group: group.map { GroupID(Fixture.herID($0)) }), weight: weight,
        since: at + .seconds(seconds), seen: "seen \(group ?? 0)")
    }
    let standing = StandingConditions(conditions: [
      condition("MIG-412", .person, group: 300, seconds: 0), condition("MIG-405", .warning, group: 200, seconds: 3),
      condition("MIG-405", .alarm, group: 201, seconds: 2), condition("MIG-417", .alarm, group: nil, seconds: 9),
    ])
    let subjects = standing.subjects
    #expect(subjects.map(\.subject.id) == ["/MIG-417", "pulje-1/MIG-405", "pulje-1/MIG-412"])
    #expect(subjects.map(\.weight) == [.alarm, .alarm, .person] && subjects.map(\.groups.count) == [0, 2, 1])
    #expect(subjects[1].since == at + .seconds(2) && subjects[1].seen == "seen 200 (and 1 more groups)")
    var book = ConditionBook(settling: .milliseconds(0), patience: .milliseconds(0))
    let told = book.observe(standing, now: at + .days(1))
    #expect(told.map(\.subject) == subjects.map(\.subject) && told.map(\.seen) == subjects.map(\.seen))
  }
}
