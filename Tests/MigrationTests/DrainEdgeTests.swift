// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("Looks at the queues being left")
struct DrainEdgeTests {
  @Test("the quiet is broken when nobody has looked for three looks; for a group that is watched the watch's looks count")
  func gaps() {
    let phases: [(GroupPhase, TimeSpan)] = [
      (.draining, .minutes(15)), (.drained, .minutes(15)), (.observing, .minutes(45)), (.accepted, .minutes(45)),
      (.retired, .minutes(45)),
    ]
    for (phase, gap) in phases {
      let walk = GroupWalk.standing(in: phase)
      walk.send(.looked(Fixture.look(deadLetters: 0)))
      let quiet = walk.group.drain.quietSince
      walk.now = walk.now + gap
      walk.send(.looked(Fixture.look(deadLetters: 0)))
      #expect(quiet != nil && walk.group.drain.quietSince == quiet, "\(phase)")
      walk.now = walk.now + gap + .milliseconds(1)
      walk.send(.looked(Fixture.look(deadLetters: 0)))
      #expect(walk.group.drain.quietSince == walk.now, "\(phase)")
    }
  }

  @Test("dead letters are judged against the pre-flight; on the way back, against the first look at the bus that is left then")
  func deadLetters() {
    let forward = GroupWalk.standing(in: .verified)
    forward.send(.looked(Fixture.look(deadLetters: 5)))
    #expect(forward.group.drain.newDeadLetters == 3)
    let back = GroupWalk.standing(in: .backVerified)
    back.send(.looked(Fixture.look(deadLetters: 7)))
    #expect(back.group.drain.newDeadLetters == 0)
    back.send(.looked(Fixture.look(deadLetters: 8)))
    #expect(back.group.drain.newDeadLetters == 1)
    #expect(back.group.drain.shortcoming(now: back.now + .days(9), policy: back.policy) == .deadLettersGrow)
  }

  @Test("a look that shows nothing has nobody read the entries again", arguments: [GroupPhase.draining, .observing])
  func quietLook(phase: GroupPhase) {
    let walk = GroupWalk.standing(in: phase)
    walk.now = walk.now + .minutes(1)
    walk.send(.looked(Fixture.look()))
    #expect(walk.group.allRecordsProven)
  }

  @Test("a look in VERIFIED begins the drain, but not on a verification that has ended, nor on an entry that is to be read again")
  func verified() {
    let fresh = GroupWalk.standing(in: .verified)
    fresh.now = fresh.group.attestedAt + fresh.policy.verifiedLife
    #expect(fresh.send(.looked(Fixture.look())).events.map(\.kind) == ["drain-began", "looked"])
    let old = GroupWalk.standing(in: .verified)
    old.now = old.group.attestedAt + old.policy.verifiedLife + .milliseconds(1)
    #expect(old.send(.looked(Fixture.look())).events == [.attestationExpired])
    #expect(old.group.phase == .cutApplied)
    let unread = GroupWalk.standing(in: .verified)
    unread.group.members[0].recordProven = false
    #expect(unread.send(.looked(Fixture.look())).refusal?.code == .recordNotProven)
  }

  // MARK: exceptions

  /// Watched, under an exception that runs for `span` from the beginning of the watch.
  private func excepted(for span: TimeSpan) -> GroupWalk {
    let walk = GroupWalk.standing(in: .draining)
    walk.send(.waive(by: "Kari", why: "an old sender", until: walk.now + span))
    walk.send(.advance)
    #expect(walk.group.phase == .observing)
    return walk
  }

  @Test("an exception that still runs answers for what lies there when the move is accepted; one that has ended does not")
  func acceptedUnderException() {
    func accept(_ look: [QueueReading], after span: TimeSpan) -> Refusal? {
      let walk = self.excepted(for: .days(14) + .minutes(30))
      walk.now = walk.now + .days(14)
      walk.send(.looked(look))
      #expect(walk.group.phase == .observing)
      walk.now = walk.now + span
      return walk.send(.accept(by: ["Kari", "Ola"])).refusal
    }
    for (look, lies) in [
      (Fixture.look(depth: 1), true), (Fixture.look(deadLetters: 3), true), (Fixture.look(depth: 1, deadLetters: 3), true),
      (Fixture.look(), false),
    ] {
      #expect(accept(look, after: .minutes(29)) == nil)
      let refusal = accept(look, after: .minutes(30))
      #expect(refusal?.code == (lies ? .gateInconclusive : nil))
      #expect(refusal?.seen.contains("messages lie") != false)
    }
  }

  @Test("when the exception has ended, a single message or dead letter that still lies there sends the group back to the drain")
  func endedException() {
    for look in [Fixture.look(depth: 1), Fixture.look(deadLetters: 3)] {
      let walk = self.excepted(for: .days(1))
      walk.send(.looked(look))
      walk.now = walk.now + .minutes(1)
      walk.send(.looked(look))
      #expect(walk.group.phase == .observing)
      walk.now = walk.now + .days(1)
      #expect(walk.send(.looked(look)).events.map(\.kind) == ["looked", "late-arrival"])
      #expect(walk.group.phase == .draining)
    }
  }

  @Test("an arrival that was counted sends it back, though the queue is empty again at the look")
  func counted() {
    let walk = GroupWalk.standing(in: .observing)
    walk.send(.looked(Fixture.look(arrivals: 10)))
    walk.now = walk.now + .minutes(15)
    #expect(walk.send(.looked(Fixture.look(arrivals: 10))).events.map(\.kind) == ["looked"])
    walk.now = walk.now + .minutes(15)
    #expect(walk.send(.looked(Fixture.look(arrivals: 11))).events.map(\.kind) == ["looked", "late-arrival"])
  }

  @Test("a queue that is gone holds the group, exception or not, and once")
  func missing() {
    let walk = self.excepted(for: .days(1))
    #expect(walk.send(.looked(Fixture.look(missing: true))).events.map(\.kind) == ["looked", "held"])
    #expect(walk.group.hold?.code == .queueMissing)
    walk.now = walk.now + .minutes(15)
    #expect(walk.send(.looked(Fixture.look(missing: true))).events.map(\.kind) == ["looked"])
  }

  @Test("a drained group whose attestation ends while its exception runs is drained at the next look")
  func drainedAnew() {
    let walk = GroupWalk.standing(in: .draining)
    walk.send(.waive(by: "Kari", why: "an old sender", until: walk.now + .days(30)))
    walk.now = walk.now + walk.policy.drainedLife + .milliseconds(1)
    walk.send(.advance)
    #expect(walk.group.phase == .draining)
    #expect(walk.send(.looked(Fixture.look(depth: 1))).events.map(\.kind) == ["looked", "drained"])
  }

  // MARK: after the move is accepted

  @Test("an accepted or retired group is looked at for as long as its way back is open; after that nothing is due")
  func tail() {
    for phase in [GroupPhase.accepted, .retired] {
      let walk = GroupWalk.standing(in: phase)
      walk.send(.looked(Fixture.look(deadLetters: 0)))
      guard case .wait(let wait) = walk.group.next(in: walk.context, now: walk.now) else {
        Issue.record("\(phase): it was looked at just now")
        continue
      }
      #expect(wait.code == .tail && wait.until == walk.now + walk.policy.watchLookInterval)
      for now in [walk.now + walk.policy.watchLookInterval, walk.now + .milliseconds(-1)] {
        #expect(walk.group.next(in: walk.context, now: now) == .act(.look), "\(phase)")
      }
    }
    for phase in [GroupPhase.removed, .restored, .withdrawn] {
      let walk = GroupWalk.standing(in: phase)
      #expect(walk.group.next(in: walk.context, now: walk.now + .days(1)) == .done, "\(phase)")
    }
  }
}
