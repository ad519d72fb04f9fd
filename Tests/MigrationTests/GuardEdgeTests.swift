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

  // MARK: who

  @Test("nobody decides without a name")
  func nobody() {
    let named: [(GroupPhase, GroupInput)] = [
      (.observing, .rollBack(by: "", why: "x")), (.planned, .withdraw(by: "", why: "x")), (.conflict, .release(by: "")),
      (.observing, .quarantine(by: "", why: "x")), (.observing, .readmit(by: "")),
    ]
    for (phase, input) in named {
      let walk = GroupWalk.standing(in: phase)
      if case .readmit = input { walk.send(.quarantine(by: "Kari", why: "odd")) }
      #expect(walk.send(input).refusal?.code == .nobodyNamed, "\(input)")
      #expect(walk.group.phase == phase)
    }
  }

  @Test("quarantined once, until it is readmitted")
  func quarantinedOnce() {
    let walk = GroupWalk.standing(in: .observing)
    #expect(walk.send(.quarantine(by: "Kari", why: "odd")).refusal == nil)
    #expect(walk.send(.quarantine(by: "Ola", why: "odd too")).refusal?.code == .quarantined)
    #expect(walk.group.quarantine?.by == "Kari")
    #expect(walk.send(.readmit(by: "Ola")).events == [.readmitted(by: "Ola")])
    #expect(walk.group.quarantine == nil)
    #expect(walk.send(.readmit(by: "Ola")).refusal?.code == .notHeld)
  }

  // MARK: up to the cut

  private func failed() -> PreflightReport { Fixture.preflight { $0.findings[0].result = .failed } }

  @Test("a pre-flight that failed holds the group until the next one passes, and nobody need do anything")
  func failedPreflight() {
    let walk = GroupWalk.standing(in: .planned)
    walk.send(.preflight(self.failed(), retryAt: walk.retryAt))
    #expect(walk.group.hold?.code == .preflightFailed)
    walk.now = walk.retryAt
    #expect(walk.send(.preflight(Fixture.preflight(), retryAt: walk.retryAt)).refusal == nil)
    #expect(walk.group.phase == .ready && walk.group.hold == nil)
  }

  @Test("a pre-flight that passes again renews READY, and a ping that is received again renews VERIFIED")
  func renewal() {
    let ready = GroupWalk.standing(in: .ready)
    ready.now = ready.now + .minutes(20)
    ready.send(.preflight(Fixture.preflight(), retryAt: ready.retryAt))
    ready.now = ready.now + ready.policy.readyLife
    #expect(!ready.group.isExpired(now: ready.now, policy: ready.policy))
    let verified = GroupWalk.standing(in: .verified)
    verified.now = verified.now + .minutes(10)
    verified.send(.pinged([Fixture.ping(Fixture.herID(200))], retryAt: verified.retryAt))
    verified.now = verified.now + verified.policy.verifiedLife
    #expect(!verified.group.isExpired(now: verified.now, policy: verified.policy))
  }

  @Test("armed at the last moment of READY, it may still be written for as long as ARMED lives")
  func armedLate() {
    let walk = GroupWalk.standing(in: .ready)
    walk.now = walk.group.attestedAt + walk.policy.readyLife
    walk.send(.advance)
    #expect(walk.group.phase == .armed)
    walk.now = walk.now + .minutes(10)
    #expect(walk.send(.beginWrite(Fixture.herID(200), observed: walk.read(Fixture.herID(200)))).refusal == nil)
  }

  @Test("a cut of which no write took heeds the calendar again")
  func unwrittenHeedsCalendar() throws {
    let freeze = CutoverCalendar.Freeze(
      from: try #require(LocalDate(text: "2000-01-01")), through: try #require(LocalDate(text: "2098-12-31")), why: "julefrys")
    let (walk, first) = self.unwritten()
    walk.now = walk.retryAt
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.write(first)))
    walk.context.policy.calendar = CutoverCalendar(freezes: [freeze])
    #expect(walk.send(.beginWrite(first, observed: walk.read(first))).refusal?.code == .outsideWindows)
    guard case .wait(let wait) = walk.group.next(in: walk.context, now: walk.now) else {
      Issue.record("it would write")
      return
    }
    #expect(wait.code == .frozen)
  }

  @Test("a write of ours that came through late is read as done, not as somebody else's; the entry of another is not its entry")
  func cameLate() {
    let (walk, first) = self.unwritten()
    let after = walk.group.members[0].plan.after
    #expect(walk.send(.beginWrite(first, observed: Fixture.record(300))).refusal?.code == .unknownParty)
    #expect(walk.send(.beginWrite(first, observed: after)).events.map(\.kind) == ["read-as-goal"])
    #expect(walk.group.phase == .cutApplied)
  }

  // MARK: writes that do not take

  /// One write that is refused, and the entry reads as it did.
  private func refusedWrite(_ walk: GroupWalk, reads record: PartyRecord) -> [String] {
    walk.send(.beginWrite(record.herID, observed: record))
    guard let operation = walk.openOperation else { return ["no intent"] }
    walk.send(.writeReturned(operation, .refused("closed")))
    return walk.send(.readBack(record, retryAt: walk.retryAt)).events.map(\.kind)
  }

  @Test("the fifth write that does not take holds the group, and says so; one that a person makes by hand does not")
  func doesNotTake() {
    let walk = GroupWalk.standing(in: .armed)
    let before = walk.group.members[0].plan.before
    for _ in 1...4 { #expect(self.refusedWrite(walk, reads: before) == ["read-as-base"]) }
    let byHand = GroupWalk.standing(in: .armed)
    for _ in 1...4 { #expect(self.refusedWrite(byHand, reads: before) == ["read-as-base"]) }
    #expect(self.refusedWrite(walk, reads: before) == ["read-as-base", "held"])
    #expect(walk.group.hold?.code == .writesDoNotTake)
    #expect(walk.group.hold?.seen == "HER-ID 200 still reads as before after 5 tries")
    byHand.send(.beginWrite(before.herID, observed: before))
    if let operation = byHand.openOperation { byHand.send(.writeReturned(operation, .handedOver("write 200"))) }
    #expect(byHand.send(.readBack(before, retryAt: byHand.retryAt)).events.map(\.kind) == ["read-as-base"])
    #expect(byHand.group.hold == nil)
  }

  @Test("what failed on the way forward is not held against the way back; five writes that do not take hold it there too")
  func backAnew() throws {
    let walk = GroupWalk.standing(in: .armed)
    let member = walk.group.members[0].plan
    for _ in 1...4 { _ = self.refusedWrite(walk, reads: member.before) }
    walk.send(.beginWrite(member.herID, observed: member.before))
    walk.send(.rollBack(by: "Kari", why: "the vendor asks"))
    let watched = GroupWalk.standing(in: .observing)
    watched.send(.rollBack(by: "Kari", why: "the vendor asks"))
    #expect(watched.group.watchSince == nil, "its watch is over")
    for _ in 1...4 { #expect(self.refusedWrite(walk, reads: member.after) == ["read-as-base"]) }
    #expect(self.refusedWrite(walk, reads: member.after) == ["read-as-base", "held"])
    #expect(walk.send(.beginWrite(member.herID, observed: member.after)).refusal?.code == .held)
    guard case .wait(let wait) = walk.group.next(in: walk.context, now: walk.now) else {
      Issue.record("it would write")
      return
    }
    #expect(wait.code == .held)
    walk.send(.release(by: "Kari"))
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.write(member.herID)))
  }

  @Test("an entry that reads as it did, or as nobody wrote it, is no longer shown as proven")
  func unproven() {
    let fallen = GroupWalk.standing(in: .backVerified)
    fallen.send(.readBack(fallen.group.members[0].plan.after, retryAt: fallen.retryAt))
    #expect(fallen.group.phase == .backIntent && !fallen.group.members[0].recordProven)
    let strange = GroupWalk.standing(in: .observing)
    var record = strange.read(Fixture.herID(200))
    record.name = "Somebody else's change"
    strange.send(.readBack(record, retryAt: strange.retryAt))
    #expect(strange.group.phase == .conflict && !strange.group.members[0].recordProven)
    // Read as it was in the meantime, it stays in conflict until somebody has looked, and that is written down.
    let before = strange.group.members[0].plan.before
    #expect(strange.send(.readBack(before, retryAt: strange.retryAt)).events.map(\.kind) == ["conflict-found"])
  }

  @Test("a reading that failed is of a party of the group, and is written down")
  func failedReading() {
    let walk = GroupWalk.standing(in: .observing)
    #expect(walk.send(.readFailed(Fixture.herID(300), seen: "x", retryAt: walk.retryAt)).refusal?.code == .unknownParty)
    #expect(walk.send(.readFailed(Fixture.herID(200), seen: "x", retryAt: walk.retryAt)).events.map(\.kind) == ["read-failed"])
  }

  @Test("a start tries at once what failed before it")
  func restart() {
    let walk = GroupWalk.standing(in: .planned)
    walk.send(.preflight(self.failed(), retryAt: walk.now + .hours(1)))
    walk.group.applyRestart(at: walk.now)
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.preflight))
  }

  // MARK: pings

  @Test("the third ping that fails holds the group, and on the way back none does")
  func pings() {
    let bad = [Fixture.ping(Fixture.herID(200), [.consumer: .failed])]
    let walk = GroupWalk.standing(in: .cutApplied)
    for _ in 1...2 { #expect(walk.send(.pinged(bad, retryAt: walk.now)).events.map(\.kind) == ["ping-failed"]) }
    #expect(walk.send(.pinged(bad, retryAt: walk.now)).events.map(\.kind) == ["ping-failed", "held"])
    #expect(walk.group.hold?.seen.hasPrefix("3 pings failed, the last one: HER-ID 200: nobody listens") == true)
    walk.send(.rollBack(by: "Kari", why: "nobody listens"))
    #expect(walk.group.pingFailures == 0)
    let back = GroupWalk.standing(in: .backApplied)
    for _ in 1...5 { #expect(back.send(.pinged(bad, retryAt: back.now)).events.map(\.kind) == ["ping-failed"]) }
    #expect(back.group.hold == nil)
  }

  // MARK: the end

  /// Looked at just now; then a decision `span` later.
  private func decide(_ phase: GroupPhase, _ input: GroupInput, after span: TimeSpan) -> Refusal? {
    let walk = GroupWalk.standing(in: phase)
    walk.now = walk.now + (phase == .observing ? .days(15) : .minutes(1))
    walk.send(.looked(Fixture.look(deadLetters: 0)))
    walk.now = walk.now + span
    return walk.send(input).refusal
  }

  @Test("accepted and retired on a look of the last three quarters of an hour, and on none from the future")
  func lastLook() {
    for (phase, input) in [
      (GroupPhase.observing, GroupInput.accept(by: ["Kari", "Ola"])), (.accepted, .retire(by: ["Kari", "Ola"])),
    ] {
      #expect(self.decide(phase, input, after: .milliseconds(0)) == nil)
      #expect(self.decide(phase, input, after: .minutes(45)) == nil)
      for span in [TimeSpan.minutes(45) + .milliseconds(1), .milliseconds(-1)] {
        let refusal = self.decide(phase, input, after: span)
        #expect(
          refusal?.code == .gateInconclusive && refusal?.seen.hasPrefix("the last look is from") == true, "\(phase) \(span)")
      }
    }
  }

  @Test("the source queues are kept to the last millisecond")
  func kept() {
    let walk = GroupWalk.standing(in: .retired)
    let end = walk.group.since + .days(30)
    while walk.now < end {
      walk.now = min(end, walk.now + .minutes(15))
      walk.send(.looked(Fixture.look(deadLetters: 0)))
    }
    walk.now = end + .milliseconds(-1)
    #expect(walk.send(.approveRemoval(by: ["Kari", "Ola"])).refusal?.code == .watchNotOver)
    walk.now = end
    #expect(walk.send(.approveRemoval(by: ["Kari", "Ola"])).refusal == nil)
  }

  @Test("retired when the source queues have been quiet to the end of the quiet period; one message is told as one")
  func quietToTheEnd() throws {
    let walk = GroupWalk.standing(in: .accepted)
    walk.now = walk.now + .minutes(15)
    walk.send(.looked(Fixture.look(depth: 1, deadLetters: 0)))
    let full = walk.send(.retire(by: ["Kari", "Ola"])).refusal
    #expect(full?.seen == "the source queues are not shown to be empty, dead letters included")
    walk.lookOn(for: .minutes(15))
    let end = walk.policy.quietEnd(since: try #require(walk.group.drain.quietSince))
    while walk.now + .minutes(15) < end { walk.lookOn(for: .minutes(15)) }
    walk.now = end + .milliseconds(-1)
    walk.send(.looked(Fixture.look(deadLetters: 0)))
    let early = walk.send(.retire(by: ["Kari", "Ola"])).refusal
    #expect(early?.seen.hasPrefix("the source queues are quiet since") == true)
    walk.now = end
    #expect(walk.send(.retire(by: ["Kari", "Ola"])).refusal == nil)
  }
}
