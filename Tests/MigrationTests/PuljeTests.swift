// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("Puljer")
final class PuljeTests {
  var state = MigrationState()
  let name = Fixture.name_("pulje-1")

  @discardableResult
  func send(_ input: MigrationInput, now: Instant = Fixture.start) -> MigrationState.Outcome {
    let outcome = self.state.decide(input, now: now)
    for event in outcome.events {
      let isKnown = self.state.apply(event, at: now)
      #expect(isKnown)
    }
    return outcome
  }

  func isKnown(_ event: MigrationEvent) -> Bool { self.state.apply(event, at: Fixture.start) }

  @Test("seal, then start with two different people and the hash that was approved")
  func start() {
    let plan = Fixture.plan([100, 101, 102, 200])
    #expect(self.send(.start(self.name, planHash: nil, approvals: ["Kari", "Ola"])).refusal?.code == .unknownPulje)
    #expect(self.send(.seal(plan, by: "")).refusal?.code == .nobodyNamed)
    #expect(self.send(.seal(plan, by: "Kari")).refusal == nil)
    #expect(self.send(.seal(plan, by: "Kari")).refusal?.code == .nameUsed)
    #expect(self.send(.start(self.name, planHash: "abc", approvals: ["Kari", "Ola"])).refusal?.code == .planChanged)
    #expect(self.send(.start(self.name, planHash: plan.hash, approvals: ["Kari"])).refusal?.code == .tooFewApprovals)
    #expect(self.send(.start(self.name, planHash: plan.hash, approvals: ["Kari", " KARI"])).refusal?.code == .tooFewApprovals)
    #expect(self.send(.start(self.name, planHash: plan.hash, approvals: [])).refusal?.code == .nobodyNamed)
    #expect(self.state.puljer[self.name]?.phase == .sealed)
    #expect(self.send(.start(self.name, planHash: plan.hash, approvals: ["Kari", "Ola"])).refusal == nil)
    #expect(self.send(.start(self.name, planHash: plan.hash, approvals: ["Kari", "Ola"])).refusal?.code == .alreadyStarted)
    #expect(self.state.puljer[self.name]?.phase == .preflight)
  }

  @Test("begin seals and starts, or does neither")
  func begin() {
    let plan = Fixture.plan([200])
    #expect(self.send(.begin(Fixture.plan([101]), planHash: nil, approvals: ["Kari", "Ola"])).refusal?.code == .planBlocked)
    #expect(self.send(.begin(plan, planHash: nil, approvals: [])).refusal?.code == .nobodyNamed)
    #expect(self.send(.begin(plan, planHash: nil, approvals: ["Kari"])).refusal?.code == .tooFewApprovals)
    #expect(self.send(.begin(plan, planHash: "abc", approvals: ["Kari", "Ola"])).refusal?.code == .planChanged)
    #expect(self.state.puljer.isEmpty)
    #expect(self.send(.begin(plan, planHash: plan.hash, approvals: ["Kari", "Ola"])).events.count == 2)
    #expect(self.state.puljer[self.name]?.phase == .preflight)
    #expect(self.send(.begin(plan, planHash: plan.hash, approvals: ["Kari", "Ola"])).refusal?.code == .alreadyStarted)
  }

  @Test("stop-the-line: one stops, two release; a write whose intent is kept is not made while it is stopped")
  func stopTheLine() {
    #expect(self.send(.stopTheLine(by: "", why: "x")).refusal?.code == .nobodyNamed)
    #expect(self.send(.releaseTheLine(approvals: ["Kari", "Ola"])).refusal?.code == .pauseUnchanged)
    self.send(.begin(Fixture.plan([200]), planHash: nil, approvals: ["Kari", "Ola"]))
    let walk = GroupWalk.standing(in: .cutIntent)
    let group = GroupID(Fixture.herID(200))
    for event in walk.events {
      #expect(self.isKnown(.group(pulje: self.name, group: group, event: event)))
    }
    let operation = OperationID(pulje: self.name, herID: Fixture.herID(200), direction: .forward, number: 1)
    #expect(self.state.mayWrite(operation, in: self.name, group: group))
    #expect(self.send(.stopTheLine(by: "Kari", why: "odd")).refusal == nil)
    #expect(!self.state.mayWrite(operation, in: self.name, group: group))
    #expect(self.send(.stopTheLine(by: "Ola", why: "odd")).refusal?.code == .pauseUnchanged)
    #expect(self.send(.releaseTheLine(approvals: ["Kari", "kari"])).refusal?.code == .tooFewApprovals)
    #expect(self.send(.releaseTheLine(approvals: ["Kari", "Ola"])).refusal == nil)
    #expect(self.state.mayWrite(operation, in: self.name, group: group))
    #expect(!self.state.mayWrite(operation, in: self.name, group: GroupID(Fixture.herID(300))))
  }

  @Test("waves: whole groups in order; the next opens when the one before is verified; a spent budget halts the open one")
  func waves() throws {
    var request = Fixture.request([100, 101, 102, 200, 300])
    request.waves = [1]
    let plan = Planner(buses: Fixture.buses, records: Fixture.records).plan(request)
    let ids = plan.groups.map(\.id)
    #expect(plan.waves == [[ids[0]], [ids[1], ids[2]]])
    #expect(plan.hash != Fixture.plan([100, 101, 102, 200, 300]).hash)
    self.send(.begin(plan, planHash: plan.hash, approvals: ["Kari", "Ola"]))
    func context(_ index: Int) throws -> GroupContext {
      self.state.context(try #require(self.state.puljer[self.name]), ids[index], now: Fixture.start)
    }
    #expect(try context(0).waveAhead == nil)
    #expect(try context(1).waveAhead == 1)
    let held = GroupEvent.held(hold: Hold(.pingFailed, seen: "x"))
    #expect(self.isKnown(.group(pulje: self.name, group: ids[0], event: held)))
    #expect(try context(0).budgetSpent != nil)
    #expect(self.isKnown(.group(pulje: self.name, group: ids[0], event: .quarantined(by: "Kari", why: "x"))))
    #expect(try context(1).waveAhead == nil)
    #expect(try context(1).budgetSpent == nil)
    #expect(self.state.puljer[self.name]?.herIDs(inWave: 2) == [Fixture.herID(200), Fixture.herID(300)])
    #expect(self.state.puljer[self.name]?.herIDs(inWave: 3) == nil)
    request.waves = [0]
    #expect(Planner(buses: Fixture.buses, records: Fixture.records).plan(request).obstacles.map(\.code) == [.policyUnsound])
  }

  @Test("a party that another open pulje has taken since is not turned back under its feet")
  func rollBackOfTaken() {
    self.send(.begin(Fixture.plan([200]), planHash: nil, approvals: ["Kari", "Ola"]))
    let group = GroupID(Fixture.herID(200))
    for event in GroupWalk.standing(in: .accepted).events {
      #expect(self.isKnown(.group(pulje: self.name, group: group, event: event)))
    }
    self.send(.seal(Fixture.plan([200], name: "pulje-2"), by: "Kari"))
    #expect(self.send(.rollBack(self.name, herIDs: nil, by: "Kari", why: "x")).refusal?.code == .inOpenPulje)
  }

  @Test("a blocked plan is not sealed, and its obstacles are in the refusal")
  func blocked() {
    let refusal = self.send(.seal(Fixture.plan([101]), by: "Kari")).refusal
    #expect(refusal?.code == .planBlocked)
    #expect(refusal?.seen.contains("MIG-107") == true)
  }

  @Test("no second open pulje touches the same party; a group that is closed is free again")
  func overlap() {
    self.send(.seal(Fixture.plan([200, 300]), by: "Kari"))
    let second = Fixture.plan([200], name: "pulje-2")
    #expect(self.send(.seal(second, by: "Kari")).refusal?.code == .inOpenPulje)
    self.send(.rollBack(self.name, herIDs: [Fixture.herID(200)], by: "Kari", why: "later"))
    #expect(self.state.openParties[Fixture.herID(200)] == nil)
    #expect(self.state.openParties[Fixture.herID(300)] == self.name)
    #expect(self.send(.seal(second, by: "Kari")).refusal == nil)
  }

  @Test("a roll-back of all withdraws what was not written, turns what was, and is refused when nothing is left to do")
  func rollBackAll() {
    self.send(.seal(Fixture.plan([200, 300]), by: "Kari"))
    let group = GroupID(Fixture.herID(200))
    let walk = GroupWalk.standing(in: .observing)
    _ = self.state.puljer[self.name]?.groups.change(group) { $0 = walk.group }
    #expect(self.send(.rollBack(self.name, herIDs: nil, by: "", why: "x")).refusal?.code == .nobodyNamed)
    #expect(self.send(.rollBack(self.name, herIDs: [Fixture.herID(7)], by: "Kari", why: "x")).refusal?.code == .unknownParty)
    #expect(self.send(.rollBack(self.name, herIDs: nil, by: "Kari", why: "x")).events.count == 2)
    #expect(self.state.puljer[self.name]?.groups[group]?.phase == .backIntent)
    #expect(self.state.puljer[self.name]?.groups[GroupID(Fixture.herID(300))]?.phase == .withdrawn)
    #expect(self.send(.rollBack(self.name, herIDs: nil, by: "Kari", why: "x")).refusal?.code == .alreadyGoingBack)
  }

  @Test("pause and resume, by name, once each; a party that is held is resumed by itself")
  func pause() {
    self.send(.seal(Fixture.plan([200]), by: "Kari"))
    #expect(self.send(.resume(self.name, by: "Kari")).refusal?.code == .pauseUnchanged)
    #expect(self.send(.pause(self.name, by: "", why: "")).refusal?.code == .nobodyNamed)
    #expect(self.send(.pause(self.name, by: "Kari", why: "storm")).refusal == nil)
    #expect(self.send(.pause(self.name, by: "Ola", why: "storm")).refusal?.code == .pauseUnchanged)
    #expect(self.state.puljer[self.name]?.pause?.by == "Kari")
    #expect(self.send(.resume(self.name, by: "Ola")).refusal == nil)
    #expect(self.send(.release(self.name, herID: Fixture.herID(200), by: "Ola")).refusal?.code == .notHeld)
    #expect(self.send(.release(self.name, herID: Fixture.herID(300), by: "Ola")).refusal?.code == .unknownParty)
    #expect(self.send(.release(Fixture.name_("no"), herID: Fixture.herID(200), by: "Ola")).refusal?.code == .unknownPulje)
  }

  @Test("a pulje's phase is that of its least advanced group; one quarantined does not hold it up; back is back")
  func phases() {
    var policy = Policy()
    policy.watchPeriod = .days(14)
    self.send(.seal(Fixture.plan([200, 300], policy: policy), by: "Kari"))
    self.send(.start(self.name, planHash: nil, approvals: ["Kari", "Ola"]))
    let first = GroupID(Fixture.herID(200))
    let second = GroupID(Fixture.herID(300))
    func phase(_ a: GroupPhase, _ b: GroupPhase, quarantine: Bool = false) -> PuljePhase? {
      var state = self.state
      _ = state.puljer[self.name]?.groups.change(first) { $0 = GroupWalk.standing(in: a).group }
      _ = state.puljer[self.name]?.groups.change(second) { $0 = GroupWalk.standing(in: b, [300]).group }
      if quarantine {
        _ = state.puljer[self.name]?.groups.change(second) { $0.quarantine = Note(by: "x", why: "y", at: Fixture.start) }
      }
      return state.puljer[self.name]?.phase
    }
    #expect(phase(.planned, .observing) == .preflight)
    #expect(phase(.cutUnknown, .observing) == .cutover)
    #expect(phase(.cutApplied, .observing) == .verifying)
    #expect(phase(.drained, .observing) == .draining)
    #expect(phase(.observing, .observing) == .observing)
    #expect(phase(.observing, .cutUnknown, quarantine: true) == .observing)
    #expect(phase(.accepted, .accepted) == .done)
    #expect(phase(.accepted, .restored) == .partlyBack)
    #expect(phase(.observing, .backDraining) == .rollingBack)
    #expect(phase(.restored, .restored) == .rolledBack)
    #expect(phase(.restored, .withdrawn) == .rolledBack)
    #expect(phase(.withdrawn, .withdrawn) == .withdrawn)
    #expect(phase(.conflict, .observing) == .cutover)
  }

  @Test("a conflict in one group halts the cut-over of the others until it is settled or quarantined")
  func conflictHalts() {
    self.send(.seal(Fixture.plan([200, 300]), by: "Kari"))
    self.send(.start(self.name, planHash: nil, approvals: ["Kari", "Ola"]))
    let first = GroupID(Fixture.herID(200))
    let second = GroupID(Fixture.herID(300))
    _ = self.state.puljer[self.name]?.groups.change(first) { $0 = GroupWalk.standing(in: .conflict).group }
    _ = self.state.puljer[self.name]?.groups.change(second) { $0 = GroupWalk.standing(in: .ready, [300]).group }
    #expect(self.send(.group(self.name, second, .advance)).refusal?.code == .conflictElsewhere)
    self.send(.quarantine(self.name, herID: Fixture.herID(200), by: "Kari", why: "vendor looks"))
    #expect(self.send(.group(self.name, second, .advance)).refusal == nil)
  }

  @Test("an event for a pulje that the history does not have stops the reader")
  func damaged() {
    #expect(!self.isKnown(.puljeResumed(pulje: self.name, by: "x")))
    #expect(!self.isKnown(.group(pulje: self.name, group: GroupID(Fixture.herID(1)), event: .armed)))
    self.send(.seal(Fixture.plan([200]), by: "Kari"))
    #expect(!self.isKnown(.puljeSealed(plan: Fixture.plan([200]), by: "x")))
    #expect(!self.isKnown(.group(pulje: self.name, group: GroupID(Fixture.herID(1)), event: .armed)))
  }
}
