// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("The drain ledger")
struct DrainLedgerTests {
  /// Looks every `interval` from the start; each character is a look: `.` quiet, `x` a message, `?` unreadable, ` ` nobody looks.
  func ledger(_ looks: String, policy: Policy = policy) -> (ledger: DrainLedger, now: Instant) {
    var ledger = DrainLedger()
    ledger.setBaseline(Fixture.look())
    var now = Fixture.start
    for look in looks {
      now = now + policy.lookInterval
      switch look {
      case ".": ledger.take(Fixture.look(), at: now, longestGap: policy.longestLookGap)
      case "x": ledger.take(Fixture.look(depth: 2), at: now, longestGap: policy.longestLookGap)
      case "d": ledger.take(Fixture.look(deadLetters: 3), at: now, longestGap: policy.longestLookGap)
      case "?": ledger.take(Fixture.look(unreadable: true), at: now, longestGap: policy.longestLookGap)
      case "m": ledger.take(Fixture.look(missing: true), at: now, longestGap: policy.longestLookGap)
      default: break
      }
    }
    return (ledger, now)
  }

  static let policy: Policy = {
    var policy = Policy()
    policy.lookInterval = .seconds(1)
    policy.quietPeriod = .seconds(5)
    return policy
  }()

  @Test(
    "drained or why not",
    arguments: [
      ("", WaitReason.Code.countersUnreadable), (".", .quietPeriod), (".....", .quietPeriod), ("......", nil),
      ("x......", nil), ("...x...", .quietPeriod), (".....x", .messagesLeft), ("......?", .countersUnreadable),
      ("...?...", nil), ("..  ...", nil), ("..   ...", .quietPeriod), ("..   ......", nil), (".....d", .deadLettersGrow),
      ("...d......", nil), ("?????????", .countersUnreadable), ("......m", .countersUnreadable),
    ] as [(String, WaitReason.Code?)])
  func drained(looks: String, why: WaitReason.Code?) {
    let (ledger, now) = self.ledger(looks)
    #expect(ledger.shortcoming(now: now, policy: Self.policy) == why)
  }

  @Test("two looks far apart are not three")
  func fewLooks() {
    var policy = Self.policy
    policy.minimumLooks = 7
    let (ledger, now) = self.ledger("......", policy: policy)
    #expect(ledger.shortcoming(now: now, policy: policy) == .quietPeriod)
  }

  @Test("a counted arrival breaks the quiet though the queue is empty at every look")
  func arrivals() {
    var ledger = DrainLedger()
    for (second, arrivals) in [(1, 10), (2, 10), (3, 10), (4, 11), (5, 11), (6, 11)] as [(Int64, Int64)] {
      let now = Fixture.start + .seconds(second)
      ledger.take(Fixture.look(arrivals: arrivals, deadLetters: 0), at: now, longestGap: .seconds(3))
    }
    #expect(ledger.quietSince == Fixture.start + .seconds(5))
    #expect(ledger.lateArrivals == 1)
  }

  @Test("an arrival counter that starts anew counts as an arrival: what came before the restart is unknown")
  func counterReset() {
    var ledger = DrainLedger()
    ledger.take(Fixture.look(arrivals: 10), at: Fixture.start, longestGap: .seconds(3))
    #expect(ledger.findsSomething(Fixture.look(arrivals: 0, deadLetters: 0), now: Fixture.start))
  }

  @Test("a late arrival goes back to DRAINING from DRAINED and from OBSERVING, and the watch starts anew")
  func late() {
    let walk = GroupWalk.standing(in: .observing)
    walk.now = walk.now + .days(3)
    walk.send(.looked(Fixture.look(depth: 1)))
    #expect(walk.group.phase == .draining)
    #expect(walk.group.watchSince == nil)
    #expect(walk.group.drain.lateArrivals >= 1)
    walk.go(to: .observing)
    #expect(walk.group.phase == .observing)
  }

  @Test("an exception lets the group go on while it runs; when it ends, what still lies there sends it back")
  func exception() {
    let walk = GroupWalk.standing(in: .draining)
    walk.send(.looked(Fixture.look(unreadable: true)))
    walk.send(.waive(by: "Kari", why: "Service Bus has no counters", until: walk.now + .days(1)))
    #expect(walk.group.phase == .drained)
    walk.send(.advance)
    walk.send(.looked(Fixture.look(depth: 1)))
    #expect(walk.group.phase == .observing)
    walk.now = walk.now + .days(2)
    walk.send(.looked(Fixture.look(depth: 1)))
    #expect(walk.group.phase == .draining)
  }

  @Test("the watermark is taken after the read-back, and a restart keeps the quiet when nobody was away for long")
  func watermark() {
    let walk = GroupWalk.standing(in: .draining)
    let readBack = walk.group.members[0].lastReadAt
    #expect(walk.group.drain.watermark.map { at in readBack.map { at >= $0 } ?? false } == true)
    for _ in 0..<4 {
      walk.now = walk.now + walk.policy.lookInterval
      walk.send(.looked(Fixture.look()))
    }
    let quiet = walk.group.drain.quietSince
    walk.group.applyRestart(at: walk.now)
    walk.send(.readBack(walk.read(Fixture.herID(200)), retryAt: walk.retryAt))
    walk.now = walk.now + walk.policy.lookInterval
    walk.send(.looked(Fixture.look()))
    #expect(walk.group.drain.quietSince == quiet)
    walk.now = walk.now + .hours(1)
    walk.send(.looked(Fixture.look()))
    #expect(walk.group.drain.quietSince == walk.now)
  }
}
