// SPDX-License-Identifier: Apache-2.0

import BusModel
import Computing
import Testing

@testable import Migration

@Suite("A group's way forward and back", .serialized, .computing)
struct GroupStoryTests {
  @Test("an organisation and those who inherit: one write, three read-backs, then the whole ladder in order")
  func wholeWay() {
    let walk = GroupWalk([100, 101, 102])
    walk.go(to: .accepted)
    #expect(walk.events.filter { $0.kind == "intent-recorded" }.count == 1)
    #expect(
      walk.group.history.map(\.phase) == [
        .known, .planned, .ready, .armed, .cutIntent, .cutUnknown, .cutIntent, .cutApplied, .verified, .draining, .drained,
        .observing, .accepted,
      ])
    for member in walk.group.members { #expect(walk.read(member.herID).hash == member.plan.after.hash) }
  }

  @Test(
    "roll-back from every phase between CUT_INTENT and ACCEPTED restores exactly the prior record",
    arguments: [
      GroupPhase.cutIntent, .cutUnknown, .cutApplied, .verified, .draining, .drained, .observing, .accepted,
    ], [[Int32(200)], [100, 101, 102]])
  func rollBack(from phase: GroupPhase, herIDs: [Int32]) {
    let walk = GroupWalk.standing(in: phase, herIDs)
    #expect(walk.group.phase == phase)
    #expect(walk.send(.rollBack(by: "Kari", why: "the vendor asks")).refusal == nil)
    #expect(walk.group.phase == .backIntent)
    walk.go(to: .restored)
    #expect(walk.group.phase == .restored)
    for member in walk.group.members { #expect(walk.read(member.herID).hash == member.plan.before.hash) }
    #expect(walk.group.next(in: walk.context, now: walk.now) == .done)
  }

  @Test("roll-back of a write that was lost: nothing is written on the way back")
  func rollBackOfNothing() {
    let walk = GroupWalk.standing(in: .cutUnknown)
    walk.send(.rollBack(by: "Kari", why: "doubt"))
    walk.go(to: .restored)
    #expect(walk.events.filter { $0.kind == "intent-recorded" }.count == 1)
  }

  @Test("a late forward write that lands after the way back began is found before RESTORED and written back")
  func lateWrite() {
    let walk = GroupWalk.standing(in: .backDraining)
    let member = walk.group.members[0]
    walk.go(to: .backDrained)
    walk.register[member.herID] = member.plan.after
    walk.go(to: .restored)
    #expect(walk.read(member.herID).hash == member.plan.before.hash)
    #expect(walk.group.history.filter { $0.phase == .backIntent }.count == 2)
  }

  @Test("a roll-back in conflict reads before anything: what is strange stays, what was put right goes home")
  func rollBackInConflict() {
    let walk = GroupWalk.standing(in: .conflict)
    let member = walk.group.members[0]
    var strange = member.plan.before
    strange.name = "Still strange"
    #expect(walk.send(.rollBack(by: "Kari", why: "home")).refusal == nil)
    #expect(walk.group.phase == .backIntent)
    #expect(walk.send(.beginWrite(member.herID, observed: strange)).events.map(\.kind) == ["conflict-found"])
    #expect(walk.group.phase == .conflict && walk.group.direction == .back)
    #expect(walk.send(.rollBack(by: "Kari", why: "again")).refusal?.code == .alreadyGoingBack)
    walk.send(.release(by: "Kari"))
    walk.send(.readBack(member.plan.before, retryAt: walk.retryAt))
    #expect(walk.group.phase == .backApplied)
  }

  @Test("a retired party goes back too, unless a source queue is gone; once removal is approved there is no way back")
  func rollBackOfRetired() {
    let walk = GroupWalk.standing(in: .retired)
    #expect(walk.send(.rollBack(by: "Kari", why: "home")).refusal == nil)
    walk.go(to: .restored)
    #expect(walk.group.phase == .restored)
    let gone = GroupWalk.standing(in: .retired)
    gone.send(.looked(Fixture.look(missing: true)))
    #expect(gone.send(.rollBack(by: "Kari", why: "home")).refusal?.code == .sourceMayBeClosed)
    let removed = GroupWalk.standing(in: .removed)
    #expect(removed.send(.rollBack(by: "Kari", why: "home")).refusal?.code == .sourceMayBeClosed)
  }

  @Test("a conflict is never written over: only a person's look leads on, and what the register then holds decides")
  func conflict() {
    let walk = GroupWalk.standing(in: .conflict)
    let member = walk.group.members[0]
    guard case .wait(let reason) = walk.group.next(in: walk.context, now: walk.now) else {
      Issue.record("a conflict waits")
      return
    }
    #expect(reason.code == .conflict && reason.clears == .person)
    #expect(walk.send(.beginWrite(member.herID, observed: member.plan.before)).refusal?.code == .conflict)
    walk.send(.release(by: "Kari"))
    var strange = member.plan.before
    strange.name = "Still strange"
    walk.send(.readBack(strange, retryAt: walk.retryAt))
    #expect(walk.group.phase == .conflict)
    walk.send(.release(by: "Kari"))
    walk.send(.readBack(member.plan.before, retryAt: walk.retryAt))
    #expect(walk.group.phase == .cutIntent)
    walk.go(to: .verified)
    #expect(walk.group.phase == .verified)
  }

  @Test("somebody else's change after the cut is a conflict")
  func foreignChange() {
    let walk = GroupWalk.standing(in: .observing)
    walk.group.applyRestart(at: walk.now)
    walk.send(.readBack(walk.group.members[0].plan.before, retryAt: walk.retryAt))
    #expect(walk.group.phase == .conflict)
  }

  @Test("pings that fail offer the roll-back; a person resumes, or rolls back")
  func pingFails() {
    let walk = GroupWalk.standing(in: .cutApplied)
    for _ in 0..<3 { walk.send(StateByInputTests.input("ping-bad", walk)) }
    #expect(walk.group.hold?.code == .pingFailed)
    #expect(walk.group.phase == .cutApplied)
    #expect(walk.send(.release(by: "Kari")).refusal == nil)
    #expect(walk.group.pingFailures == 0)
    for _ in 0..<3 { walk.send(StateByInputTests.input("ping-bad", walk)) }
    walk.send(.rollBack(by: "Kari", why: "it does not come up"))
    walk.go(to: .restored)
    #expect(walk.group.phase == .restored)
  }

  @Test("with automatic roll-back the last failing ping starts it, in the policy's name")
  func automatic() {
    var policy = Policy()
    policy.automaticRollback = true
    let walk = GroupWalk.standing(in: .cutApplied, policy: policy)
    for _ in 0..<3 { walk.send(StateByInputTests.input("ping-bad", walk)) }
    #expect(walk.group.phase == .backIntent)
    #expect(walk.group.rollBack?.by == "policy")
  }

  @Test("on the way back a ping that fails is tried on and on: there is nowhere else to go")
  func pingFailsOnTheWayBack() {
    let walk = GroupWalk.standing(in: .backApplied)
    for _ in 0..<10 { walk.send(StateByInputTests.input("ping-bad", walk)) }
    #expect(walk.group.hold == nil)
    walk.now = walk.retryAt
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.ping))
  }

  @Test("writes that do not take hold the group after so many tries, each with an operation of its own")
  func writesDoNotTake() {
    let walk = GroupWalk.standing(in: .armed)
    let member = walk.group.members[0]
    var operations: Set<OperationID> = []
    for _ in 0..<5 {
      walk.send(.beginWrite(member.herID, observed: member.plan.before))
      if let operation = walk.openOperation { operations.insert(operation) }
      if let operation = walk.openOperation { walk.send(.writeReturned(operation, .refused("fault"))) }
      walk.send(.readBack(member.plan.before, retryAt: walk.now))
    }
    #expect(operations.count == 5)
    #expect(walk.group.hold?.code == .writesDoNotTake)
    #expect(walk.send(.beginWrite(member.herID, observed: member.plan.before)).refusal?.code == .held)
  }

  @Test("a write handed to a person stays open however often it still reads as before")
  func byHand() {
    let walk = GroupWalk.standing(in: .cutIntent)
    let member = walk.group.members[0]
    if let operation = walk.openOperation { walk.send(.writeReturned(operation, .handedOver("change the address in AR"))) }
    for _ in 0..<20 { walk.send(.readBack(member.plan.before, retryAt: walk.now + .seconds(30))) }
    #expect(walk.group.phase == .cutUnknown)
    #expect(walk.group.hold == nil)
    guard case .wait(let reason) = walk.group.next(in: walk.context, now: walk.now) else {
      Issue.record("it waits for the person")
      return
    }
    #expect(reason.code == .byHand && reason.clears == .person)
    walk.send(.readBack(member.plan.after, retryAt: walk.now))
    #expect(walk.group.phase == .cutApplied)
  }

  @Test("a write that took somebody's change away is a conflict, which only a person ends", arguments: Direction.allCases)
  func overwrote(_ direction: Direction) throws {
    let walk = GroupWalk.standing(in: direction == .forward ? .cutIntent : .backIntent)
    let member = walk.group.members[0]
    if direction == .back { walk.send(.beginWrite(member.herID, observed: member.base(direction))) }
    let operation = try #require(walk.openOperation)
    walk.send(.writeReturned(operation, .overwrote(found: member.goal(direction), seen: "t0 by Kari; t1 by us")))
    #expect(walk.group.phase == .conflict)
    guard case .wait(let reason) = walk.group.next(in: walk.context, now: walk.now) else {
      Issue.record("it waits for a person")
      return
    }
    #expect(reason.code == .conflict && reason.clears == .person && reason.seen.contains("t0 by Kari"))
    // Not even a start of the daemon makes it go on.
    walk.group.applyRestart(at: walk.now)
    #expect(walk.group.phase == .conflict)
    walk.send(.release(by: "Ola"))
    #expect(walk.group.phase == (direction == .forward ? .cutUnknown : .backUnknown))
    walk.send(.readBack(member.goal(direction), retryAt: walk.now))
    #expect(walk.group.phase == (direction == .forward ? .cutApplied : .backApplied))
  }

  @Test("an entry that inherits and lags behind its parent is read again, then held")
  func lag() {
    let walk = GroupWalk.standing(in: .cutUnknown, [100, 101, 102])
    walk.send(.readBack(walk.group.members[0].plan.after, retryAt: walk.now))
    #expect(walk.group.phase == .cutIntent)
    for _ in 0..<5 { walk.send(.readBack(walk.group.members[1].plan.before, retryAt: walk.now)) }
    #expect(walk.group.hold?.code == .inheritanceLags)
  }

  @Test(
    "a restart ends every attestation and makes a write that may have been on the wire unknown", arguments: GroupPhase.allCases)
  func restart(phase: GroupPhase) {
    let walk = GroupWalk.standing(in: phase)
    walk.group.applyRestart(at: walk.now)
    #expect(!walk.group.phase.isAttestation)
    switch phase {
    case .cutIntent:
      #expect(walk.group.phase == .cutUnknown)
      #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.readBack(Fixture.herID(200))))
    case .backIntent: #expect(walk.group.phase == .backUnknown)
    case .ready, .armed: #expect(walk.group.phase == .planned)
    default: #expect(walk.group.phase == phase.lastFact)
    }
  }

  @Test("a queue that is gone holds the group, once")
  func queueGone() {
    let walk = GroupWalk.standing(in: .draining)
    #expect(walk.send(.looked(Fixture.look(missing: true))).events.map(\.kind) == ["looked", "held"])
    #expect(walk.send(.looked(Fixture.look(missing: true))).events.map(\.kind) == ["looked"])
    #expect(walk.group.hold?.code == .queueMissing)
  }

  @Test("a world that moved between plan and snapshot is shown, not moved")
  func worldMoved() {
    let walk = GroupWalk([200])
    var changed = walk.read(Fixture.herID(200))
    changed.name = "New name"
    walk.send(.snapshot([changed]))
    #expect(walk.group.hold?.code == .recordMoved)
    #expect(walk.group.phase == .known)
    #expect(walk.send(.snapshot([])).refusal?.code == .held)
  }

  @Test(
    "every wait has a code, a since and a class; everything that waits for time says until when", arguments: GroupPhase.allCases)
  func waits(phase: GroupPhase) {
    let walk = GroupWalk.standing(in: phase)
    for later in [0, 1, 60_000, 3_600_000, 86_400_000 * 20] as [Int64] {
      let now = walk.now + .milliseconds(later)
      guard case .wait(let reason) = walk.group.next(in: walk.context, now: now) else { continue }
      #expect(!reason.seen.isEmpty)
      #expect(reason.until != nil || reason.clears == .person)
      if let until = reason.until { #expect(until > now) }
    }
  }
}
