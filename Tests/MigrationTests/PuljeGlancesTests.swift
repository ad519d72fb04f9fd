// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("Glances that are kept: while one group moves the others are not looked at anew, and nothing is missed")
struct PuljeGlancesTests {
  private let name = Fixture.name_("pulje-1")

  private func pulje(_ walks: [GroupWalk]) -> PuljeState {
    let plan = Fixture.plan(walks.flatMap { $0.group.members.map(\.herID.value) })
    var pulje = PuljeState(plan: plan, planHash: plan.hash, by: "kari", at: Fixture.start, groups: GroupList(walks.map(\.group)))
    pulje.startedAt = Fixture.start
    return pulje
  }

  private func state(_ walks: [GroupWalk]) -> MigrationState {
    var state = MigrationState()
    state.puljer[self.name] = self.pulje(walks)
    return state
  }

  @Test("all at first, none when nothing has happened, then the one that something has happened to")
  func changes() {
    let walks = [[200], [300], [100, 101, 102]].map { GroupWalk.standing(in: .draining, $0) }
    var glances = PuljeGlances()
    var now = walks[0].now
    #expect(glances.refresh(self.pulje(walks), stop: nil, now: now) == [0, 1, 2])
    #expect(glances.glances.map(\.phase) == [.draining, .draining, .draining])
    #expect(glances.refresh(self.pulje(walks), stop: nil, now: now) == [])
    walks[1].send(.quarantine(by: "Kari", why: "the vendor asks"))
    now = now + .seconds(1)
    #expect(glances.refresh(self.pulje(walks), stop: nil, now: now) == [1])
    #expect(glances.glances[1].isQuarantined)
  }

  @Test("what time alone changes is seen when it has come, and not before")
  func time() {
    let walk = GroupWalk.standing(in: .draining)
    walk.send(.looked(Fixture.look()))
    guard case .wait(let wait) = walk.group.next(in: walk.context, now: walk.now), let until = wait.until else {
      Issue.record("it waits for a time")
      return
    }
    var glances = PuljeGlances()
    _ = glances.refresh(self.pulje([walk]), stop: nil, now: walk.now)
    #expect(glances.refresh(self.pulje([walk]), stop: nil, now: until + .milliseconds(-1)) == [])
    #expect(glances.refresh(self.pulje([walk]), stop: nil, now: until) == [0])
    #expect(glances.glances[0].turn == .work)
  }

  @Test("what stands for all of them, as a pause, has every group looked at anew")
  func whole() {
    let walks = [200, 300].map { GroupWalk.standing(in: .planned, [$0]) }
    var glances = PuljeGlances()
    var pulje = self.pulje(walks)
    _ = glances.refresh(pulje, stop: nil, now: walks[0].now)
    pulje.pause = Note(by: "kari", why: "lunch", at: walks[0].now)
    #expect(glances.refresh(pulje, stop: nil, now: walks[0].now) == [0, 1])
    #expect(glances.glances.map(\.wait) == [.paused, .paused])
  }

  @Test("a clock that is set back does not leave what was worked out for later")
  func clock() {
    let walk = GroupWalk.standing(in: .draining)
    walk.send(.looked(Fixture.look()))
    var glances = PuljeGlances()
    _ = glances.refresh(self.pulje([walk]), stop: nil, now: walk.now + .days(10))
    #expect(glances.glances[0].turn == .work)
    #expect(glances.refresh(self.pulje([walk]), stop: nil, now: walk.now) == [0])
    #expect(glances.glances[0].turn == .time)
  }

  @Test(
    "kept is the same as worked out anew, in every phase: for the board and for what people are told",
    arguments: GroupPhase.allCases)
  func same(phase: GroupPhase) {
    let walks = [GroupWalk.standing(in: phase, [200]), GroupWalk.standing(in: .draining, [300])]
    let begin = max(walks[0].now, walks[1].now)
    var kept = PuljeGlances()
    for minutes in [Int64(0), 1, 6, 20, 90, 1_500] {
      let now = begin + .minutes(minutes)
      // Each goes on between two looks, in turn.
      let walk = walks[Int(minutes) % 2]
      walk.now = now
      walk.step()
      let state = self.state(walks)
      var fresh = PuljeGlances()
      for pulje in state.ordered {
        _ = kept.refresh(pulje, stop: nil, now: now)
        _ = fresh.refresh(pulje, stop: nil, now: now)
      }
      #expect(kept.glances.map(\.turn) == fresh.glances.map(\.turn), "after \(minutes) minutes")
      #expect(kept.glances.map(\.light) == fresh.glances.map(\.light), "after \(minutes) minutes")
      #expect(state.standingConditions([self.name: fresh]) == state.standingConditions(now: now), "after \(minutes) minutes")
    }
  }

  @Test("what a group waited for stands while it is looked at once more, and for a minute at the most from when that was known")
  func looking() {
    let walk = GroupWalk.standing(in: .draining)
    var look = Fixture.look()
    look[0].count = .unreadable("no answer")
    walk.send(.looked(look))
    guard case .wait(let wait) = walk.group.next(in: walk.context, now: walk.now), let until = wait.until else {
      Issue.record("it waits for a time")
      return
    }
    var glances = PuljeGlances()
    _ = glances.refresh(self.pulje([walk]), stop: nil, now: until + .seconds(-1))
    #expect(glances.glances[0].standing == ["MIG-405"])
    var late = glances
    _ = glances.refresh(self.pulje([walk]), stop: nil, now: until)
    #expect(glances.glances[0].turn == .work && glances.glances[0].standing == ["MIG-405"])
    _ = late.refresh(self.pulje([walk]), stop: nil, now: until + .minutes(5))
    #expect(late.glances[0].turn == .work && late.glances[0].standing == [])
    walk.now = until
    walk.send(.looked(Fixture.look()))
    _ = glances.refresh(self.pulje([walk]), stop: nil, now: until)
    #expect(glances.glances[0].standing == [])
  }
}
