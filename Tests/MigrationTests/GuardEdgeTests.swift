// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("Where guards begin and end")
struct GuardEdgeTests {
  @Test("an exception needs a name, a reason and an end that is still to come")
  func exception() {
    let walk = GroupWalk.standing(in: .draining)
    let later = walk.now + .hours(1)
    #expect(walk.send(.waive(by: "", why: "an old sender", until: later)).refusal?.code == .nobodyNamed)
    #expect(walk.send(.waive(by: "Kari", why: "", until: later)).refusal?.code == .nobodyNamed)
    #expect(walk.send(.waive(by: "Kari", why: "an old sender", until: walk.now)).refusal?.code == .untilPassed)
    #expect(walk.group.phase == .draining)
    #expect(walk.send(.waive(by: "Kari", why: "an old sender", until: walk.now + .milliseconds(1))).refusal == nil)
  }

  /// A cut that has begun, of which the write was refused.
  private func unwritten() -> (GroupWalk, HerID) {
    let walk = GroupWalk.standing(in: .cutIntent)
    let first = walk.group.members[0].herID
    if let operation = walk.openOperation { walk.send(.writeReturned(operation, .refused("closed"))) }
    walk.send(.readBack(walk.read(first), retryAt: walk.retryAt))
    return (walk, first)
  }

  @Test("a cut is begun anew on a pre-flight that is neither too old nor from the future")
  func preflight() throws {
    let (walk, first) = self.unwritten()
    #expect(walk.group.phase == .cutIntent && walk.group.isUnwritten)
    let made = try #require(walk.group.preflightAt)
    for now in [made + .milliseconds(-1), made + walk.policy.readyLife + .milliseconds(1)] {
      walk.now = now
      #expect(walk.group.isPreflightStale(now, walk.policy))
      #expect(walk.send(.beginWrite(first, observed: walk.read(first))).refusal?.code == .preflightStale, "\(now)")
    }
    walk.now = made + walk.policy.readyLife
    #expect(walk.send(.beginWrite(first, observed: walk.read(first))).refusal == nil)
  }

  @Test("a look from the future is none: it is looked again", arguments: [GroupPhase.draining, .observing])
  func clockSetBack(phase: GroupPhase) {
    let walk = GroupWalk.standing(in: phase)
    walk.send(.looked(Fixture.look(deadLetters: 0)))
    if case .act(.look) = walk.group.next(in: walk.context, now: walk.now) { Issue.record("it was looked at just now") }
    walk.now = walk.now + .minutes(-1)
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.look))
  }

  @Test("what somebody writes by hand may read as before for as long as it takes; it holds nobody up")
  func byHand() {
    let walk = GroupWalk.standing(in: .cutIntent)
    if let operation = walk.openOperation { walk.send(.writeReturned(operation, .handedOver("write 200"))) }
    for _ in 0...(walk.policy.writeTries + 1) {
      walk.now = walk.now + .hours(1)
      walk.send(.readBack(walk.read(Fixture.herID(200)), retryAt: walk.retryAt))
    }
    #expect(walk.group.hold == nil)
    #expect(walk.group.members[0].handedOver)
    walk.send(.rollBack(by: "Kari", why: "the vendor asks"))
    #expect(walk.group.direction == .back && !walk.group.members[0].handedOver)
  }

  @Test("refusals of hooks are counted until one assents")
  func refusals() {
    let walk = GroupWalk.standing(in: .ready)
    walk.context.policy.hooks = ["board"]
    walk.send(.hookAnswered("board", .vetoed("no"), retryAt: walk.now))
    walk.send(.hookAnswered("board", .silent("nothing"), retryAt: walk.now))
    #expect(walk.group.hookRefusals == 2)
    walk.send(.hookAnswered("board", .assented("yes"), retryAt: walk.now))
    #expect(walk.group.hookRefusals == 0)
  }
}
