// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("Every wait says what is waited for, and ends when it says")
struct WaitReasonTests {
  private func wait(_ walk: GroupWalk) -> WaitReason? {
    guard case .wait(let reason) = walk.group.next(in: walk.context, now: walk.now) else { return nil }
    return reason
  }

  @Test("what keeps a cut-over from beginning is told by its own code")
  func beforeTheCut() {
    let walk = GroupWalk.standing(in: .ready)
    walk.context.budgetSpent = "1 of 4"
    #expect(self.wait(walk)?.code == .errorBudget)
    walk.context.waveAhead = 1
    #expect(self.wait(walk)?.code == .waveAhead)
    walk.context.conflictElsewhere = GroupID(Fixture.herID(300))
    #expect(self.wait(walk)?.code == .conflictElsewhere)
    let planned = GroupWalk.standing(in: .planned)
    planned.context.waveAhead = 1
    planned.context.stop = Note(by: "Kari", why: "odd", at: planned.now)
    #expect(self.wait(planned)?.code == .lineStopped, "a stopped line is told before a wave")
  }

  @Test("a wait on an attestation ends with it, to the millisecond")
  func attestation() throws {
    let walk = GroupWalk.standing(in: .ready)
    walk.context.pause = Note(by: "Kari", why: "lunch", at: walk.now)
    let until = try #require(self.wait(walk)?.until)
    #expect(until == walk.group.attestedAt + walk.policy.readyLife + .milliseconds(1))
    walk.now = until + .milliseconds(-1)
    #expect(self.wait(walk)?.code == .paused)
    walk.now = until
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.advance))
  }

  @Test("what is tried again is told as what it is: a retry, a ping's interval, a hook that has not assented, a write by hand")
  func retries() {
    let reading = GroupWalk.standing(in: .backDrained)
    reading.send(.readFailed(Fixture.herID(200), seen: "time-out", retryAt: reading.retryAt))
    #expect(self.wait(reading)?.code == .retry)

    let ping = GroupWalk.standing(in: .cutApplied)
    ping.send(.pinged([Fixture.ping(Fixture.herID(200), [.consumer: .failed])], retryAt: ping.retryAt))
    #expect(self.wait(ping)?.code == .pingInterval)

    let hook = GroupWalk.standing(in: .ready)
    hook.context.policy.hooks = ["change-board"]
    hook.send(.readFailed(Fixture.herID(200), seen: "time-out", retryAt: hook.retryAt))
    #expect(self.wait(hook)?.code == .retry, "no hook has refused")
    hook.send(.hookAnswered("change-board", .vetoed("freeze"), retryAt: hook.retryAt))
    #expect(self.wait(hook)?.code == .hookNotAssented)
    hook.now = hook.group.attestedAt + hook.policy.readyLife + .milliseconds(1)
    hook.send(.advance)
    var report = Fixture.preflight()
    report.findings[0].result = .failed
    hook.send(.preflight(report, retryAt: hook.retryAt))
    #expect(hook.group.phase == .planned && self.wait(hook)?.code == .retry, "it waits for the pre-flight now")

    let unknown = GroupWalk.standing(in: .cutUnknown)
    unknown.send(.readFailed(Fixture.herID(200), seen: "time-out", retryAt: unknown.retryAt))
    #expect(self.wait(unknown)?.code == .retry)
    let hand = GroupWalk.standing(in: .cutIntent)
    if let operation = hand.openOperation { hand.send(.writeReturned(operation, .handedOver("write 200"))) }
    hand.send(.readBack(hand.read(Fixture.herID(200)), retryAt: hand.now + .minutes(10)))
    #expect(self.wait(hand)?.code == .byHand)
    hand.now = hand.now + .minutes(10)
    #expect(hand.group.next(in: hand.context, now: hand.now) == .act(.readBack(Fixture.herID(200))))
  }

  @Test("a hold that clears itself lets the check be made again; one that a person clears does not")
  func holds() {
    let walk = GroupWalk.standing(in: .planned)
    var report = Fixture.preflight()
    report.findings[0].result = .failed
    walk.send(.preflight(report, retryAt: walk.retryAt))
    #expect(self.wait(walk)?.code == .retry)
    walk.now = walk.retryAt
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.preflight))
    walk.group.apply(.held(hold: Hold(.recordMoved, seen: "x")), at: walk.now, policy: walk.policy)
    #expect(self.wait(walk)?.code == .held)
  }

  /// 100 is written; 101 and 102 below it still read as before.
  private func lagging() -> GroupWalk {
    let walk = GroupWalk.standing(in: .cutIntent, [100, 101, 102])
    if let operation = walk.openOperation { walk.send(.writeReturned(operation, .answered)) }
    return walk
  }

  @Test("those below that do not follow are read until it has been seen too often; then a person is waited for")
  func inheritance() {
    let walk = self.lagging()
    walk.send(.readBack(walk.group.members[0].plan.after, retryAt: walk.now))
    let heir = walk.group.members[1]
    for _ in 1...5 {
      #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.readBack(heir.herID)))
      walk.send(.readBack(heir.plan.before, retryAt: walk.now))
    }
    #expect(walk.group.hold?.code == .inheritanceLags)
    #expect(walk.group.hold?.seen == "HER-ID 101 inherits and still reads as before, seen 5 times")
    #expect(self.wait(walk)?.code == .held)
    walk.send(.release(by: "Kari"))
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.readBack(heir.herID)))
  }

  @Test("a pre-flight that failed before the write came through does not keep those below from being read")
  func inheritanceUnderSelfClearingHold() {
    let walk = self.lagging()
    let organisation = walk.group.members[0].plan
    walk.send(.readBack(organisation.before, retryAt: walk.now))
    var report = Fixture.preflight()
    report.findings[0].result = .failed
    walk.send(.preflight(report, retryAt: walk.now))
    #expect(walk.group.hold?.code == .preflightFailed && walk.group.phase == .cutIntent)
    // The write that was taken for lost came through late.
    walk.send(.beginWrite(organisation.herID, observed: organisation.after))
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.readBack(walk.group.members[1].herID)))
  }

  @Test("an intent whose answer never came is read back before anything else")
  func openIntent() {
    let walk = GroupWalk.standing(in: .cutIntent)
    #expect(walk.openOperation != nil)
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.readBack(Fixture.herID(200))))
  }

  @Test("the words of a drain: what cannot be read, what lies there, how long it has been quiet")
  func drain() {
    func words(_ look: [QueueReading]) -> String? {
      let walk = GroupWalk.standing(in: .draining)
      walk.send(.looked(look))
      return self.wait(walk)?.seen
    }
    #expect(words(Fixture.look(unreadable: true))?.hasPrefix("unreadable counts as not drained: ") == true)
    #expect(words(Fixture.look(deadLetters: 5)) == "3 dead letters more than before the cut")
    #expect(words(Fixture.look(depth: 2)) == "2 messages lie on the queues that are being left")
    #expect(words(Fixture.look())?.hasPrefix("quiet since ") == true)
  }

  @Test("the watch is waited out to its last millisecond; then somebody decides")
  func watch() {
    let walk = GroupWalk.standing(in: .observing)
    let end = (walk.group.watchSince ?? walk.now) + walk.policy.watchPeriod
    walk.now = end + .milliseconds(-1)
    walk.send(.looked(Fixture.look()))
    #expect(self.wait(walk)?.code == .watchPeriod && self.wait(walk)?.until == end)
    walk.now = end
    #expect(self.wait(walk)?.code == .decision && self.wait(walk)?.clears == .person)
  }

  @Test("a measurement from what is now the future is made again")
  func measuredInTheFuture() {
    var policy = Policy()
    policy.gates = Gates()
    let walk = GroupWalk.standing(in: .observing, policy: policy)
    walk.send(.measured(Fixture.look(), []))
    walk.send(.looked(Fixture.look()))
    #expect(self.wait(walk)?.code == .watchPeriod)
    walk.now = walk.now + .minutes(-1)
    walk.send(.looked(Fixture.look()))
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.measure))
  }

  @Test("somebody overwrote, and then the entry became something else: that is told, not what was seen first")
  func conflictWords() throws {
    let walk = GroupWalk.standing(in: .cutIntent)
    let operation = try #require(walk.openOperation)
    let after = walk.group.members[0].plan.after
    walk.send(.writeReturned(operation, .overwrote(found: after, seen: "Ola changed it at 12:00")))
    #expect(self.wait(walk)?.seen.contains("Ola changed it at 12:00") == true)
    var strange = after
    strange.name = "Somebody else's change"
    walk.send(.readBack(strange, retryAt: walk.retryAt))
    #expect(self.wait(walk)?.seen.contains("it is never written over") == true)
  }

  @Test("who ends each wait, and since when it is waited")
  func whoClears() throws {
    let freeze = CutoverCalendar.Freeze(
      from: try #require(LocalDate(text: "2000-01-01")), through: try #require(LocalDate(text: "2098-12-31")), why: "julefrys")
    typealias Case = (code: WaitReason.Code, clears: WaitReason.Clears, phase: GroupPhase, cause: (GroupWalk) -> Void)
    let later = TimeSpan.minutes(3)
    let caused: [Case] = [
      (.paused, .person, .ready, { $0.context.pause = Note(by: "Kari", why: "lunch", at: $0.now) }),
      (.lineStopped, .person, .ready, { $0.context.stop = Note(by: "Kari", why: "odd", at: $0.now) }),
      (.held, .person, .ready, { $0.group.apply(.held(hold: Hold(.recordMoved, seen: "x")), at: $0.now, policy: $0.policy) }),
      (.quarantined, .person, .ready, { $0.send(.quarantine(by: "Kari", why: "odd")) }),
    ]
    let standing: [Case] = [
      (.notStarted, .person, .ready, { $0.context.isStarted = false }),
      (.waveAhead, .other, .ready, { $0.context.waveAhead = 1 }),
      (.waveAhead, .other, .planned, { $0.context.waveAhead = 1 }),
      (.errorBudget, .person, .ready, { $0.context.budgetSpent = "1 of 4" }),
      (.conflictElsewhere, .person, .ready, { $0.context.conflictElsewhere = GroupID(Fixture.herID(300)) }),
      (.testsNotSigned, .person, .ready, { $0.context.policy.testProtocol = TestProtocol() }),
      (.frozen, .person, .ready, { $0.context.policy.calendar = CutoverCalendar(freezes: [freeze]) }),
      (.conflict, .person, .conflict, { _ in }),
      (.tail, .person, .accepted, { $0.send(.looked(Fixture.look(deadLetters: 0))) }),
      (.quietPeriod, .itself, .draining, { $0.send(.looked(Fixture.look())) }),
      (.watchPeriod, .itself, .observing, { $0.send(.looked(Fixture.look())) }),
    ]
    for (cases, sinceCause) in [(caused, true), (standing, false)] {
      for (code, clears, phase, cause) in cases {
        let walk = GroupWalk.standing(in: phase)
        walk.now = walk.now + later
        let since = sinceCause ? walk.now : walk.group.since
        cause(walk)
        walk.now = walk.now + later
        let wait = self.wait(walk)
        #expect(wait?.code == code && wait?.clears == clears && wait?.since == since, "\(code) in \(phase)")
      }
    }
  }

  @Test("nothing is tried again before its time, whatever it is")
  func notBeforeItsTime() {
    let bad = [Fixture.ping(Fixture.herID(200), [.consumer: .failed])]
    let failures: [(GroupPhase, (GroupWalk) -> Void)] = [
      (.known, { $0.send(.readFailed(Fixture.herID(200), seen: "x", retryAt: $0.retryAt)) }),
      (.ready, { $0.send(.readFailed(Fixture.herID(200), seen: "x", retryAt: $0.retryAt)) }),
      (.cutUnknown, { $0.send(.readFailed(Fixture.herID(200), seen: "x", retryAt: $0.retryAt)) }),
      (.cutApplied, { $0.send(.pinged(bad, retryAt: $0.retryAt)) }),
      (.backApplied, { $0.send(.pinged(bad, retryAt: $0.retryAt)) }),
      (.backDrained, { $0.send(.readFailed(Fixture.herID(200), seen: "x", retryAt: $0.retryAt)) }),
    ]
    for (phase, fail) in failures {
      let walk = GroupWalk.standing(in: phase)
      fail(walk)
      let due = walk.retryAt
      #expect(self.wait(walk)?.until == due, "\(phase)")
      walk.now = due
      #expect(self.wait(walk) == nil, "\(phase)")
    }
    let unwritten = GroupWalk.standing(in: .backIntent)
    if let operation = unwritten.openOperation { unwritten.send(.writeReturned(operation, .refused("closed"))) }
    unwritten.send(.readBack(unwritten.read(Fixture.herID(200)), retryAt: unwritten.retryAt))
    #expect(self.wait(unwritten)?.code == .retry && self.wait(unwritten)?.until == unwritten.retryAt)
  }
}
