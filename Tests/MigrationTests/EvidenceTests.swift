// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("What a check, a ping and a look show")
struct EvidenceTests {
  private typealias Found = Finding<PreflightCheck>

  @Test("of a check that was made twice the worse counts, and its words are told")
  func twice() {
    let passed = Found(.sourceBus, .passed, seen: "it answers")
    let failed = Found(.sourceBus, .failed, seen: "no answer")
    let impossible = Found(.sourceBus, .impossible, seen: "no rights")
    let other = Found(.targetBus, .failed, seen: "down")
    #expect([other, passed, impossible, failed].result(of: .sourceBus) == .failed)
    #expect([other, passed, impossible].result(of: .sourceBus) == .impossible)
    #expect([other, passed].result(of: .sourceBus) == .passed)
    #expect([other].result(of: .sourceBus) == nil)
    #expect([other, passed, failed].seen(of: .sourceBus) == "no answer")
    #expect([other, passed].seen(of: .sourceBus) == "it answers")
    #expect([other].seen(of: .sourceBus) == "not checked")
  }

  @Test("a consumer that is slow to fetch the ping is a consumer all the same")
  func slowConsumer() {
    let herID = Fixture.herID(200)
    #expect(Fixture.ping(herID, [.depthFalls: .failed]).shortcoming(policy: Policy()) == nil)
    #expect(Fixture.ping(herID, [.depthFalls: .failed, .consumer: .impossible]).shortcoming(policy: Policy()) != nil)
  }

  @Test("a queue that need not exist is not missing when it is not there")
  func missing() {
    for kind in QueueKind.allCases {
      var reading = Fixture.look()[0]
      reading.kind = kind
      reading.count = .absent
      #expect(reading.isMissing == QueueKind.inRegister.contains(kind), "\(kind)")
    }
  }

  // MARK: the drain ledger

  private static let gap = TimeSpan.minutes(15)

  private func ledger(_ looks: [(TimeSpan, [QueueReading])]) -> DrainLedger {
    var ledger = DrainLedger()
    for (span, look) in looks { ledger.take(look, at: Fixture.start + span, longestGap: Self.gap) }
    return ledger
  }

  @Test("a dead letter more than before breaks the quiet; on a queue that was not seen before the cut every one is more")
  func deadLetters() {
    var ledger = DrainLedger()
    #expect(ledger.findsSomething(Fixture.look(deadLetters: 1), now: Fixture.start))
    #expect(!ledger.findsSomething(Fixture.look(deadLetters: 0), now: Fixture.start))
    ledger.setBaseline(Fixture.look(deadLetters: 2))
    #expect(!ledger.findsSomething(Fixture.look(deadLetters: 2), now: Fixture.start))
    #expect(ledger.findsSomething(Fixture.look(deadLetters: 3), now: Fixture.start))
    ledger.take(Fixture.look(), at: Fixture.start, longestGap: Self.gap)
    ledger.take(Fixture.look(deadLetters: 3), at: Fixture.start + .minutes(1), longestGap: Self.gap)
    #expect(ledger.newDeadLetters == 1 && ledger.quietSince == nil && ledger.quietLooks == 0 && ledger.lateArrivals == 1)
    #expect(self.ledger([(.minutes(0), Fixture.look(deadLetters: 1))]).newDeadLetters == 1)
  }

  @Test("a look at no queue at all is no look")
  func noQueues() {
    let ledger = self.ledger([(.minutes(0), [])])
    #expect(ledger.unreadableLooks == 1 && ledger.quietSince == nil && ledger.lastReadableAt == nil)
  }

  @Test("when nobody looked for too long, or the clock was set back, the quiet begins anew and its looks with it")
  func gaps() {
    let quiet = Fixture.look(deadLetters: 0)
    let looks: [(TimeSpan, [QueueReading])] = [(.minutes(0), quiet), (.minutes(5), quiet), (.minutes(10), quiet)]
    var ledger = self.ledger(looks)
    #expect(ledger.quietSince == Fixture.start && ledger.quietLooks == 3)
    ledger = self.ledger(looks + [(.minutes(25), quiet)])
    #expect(ledger.quietSince == Fixture.start && ledger.quietLooks == 4)
    ledger = self.ledger(looks + [(.minutes(26), quiet)])
    #expect(ledger.quietSince == Fixture.start + .minutes(26) && ledger.quietLooks == 1)
    ledger = self.ledger(looks + [(.minutes(9), quiet)])
    #expect(ledger.quietSince == Fixture.start + .minutes(9) && ledger.quietLooks == 1)
    ledger = self.ledger(looks + [(.minutes(10), quiet)])
    #expect(ledger.quietSince == Fixture.start && ledger.quietLooks == 4)
  }

  @Test("drained at the very end of the quiet period, not a millisecond before")
  func quietEnd() {
    var policy = Policy()
    policy.quietPeriod = .minutes(10)
    let quiet = Fixture.look(deadLetters: 0)
    let ledger = self.ledger([(.minutes(0), quiet), (.minutes(5), quiet), (.minutes(10), quiet)])
    let end = Fixture.start + .minutes(10)
    #expect(ledger.shortcoming(now: end, policy: policy) == nil)
    #expect(ledger.shortcoming(now: end + .milliseconds(-1), policy: policy) == .quietPeriod)
  }

  @Test("an exception runs until its end and not longer")
  func exception() {
    var ledger = DrainLedger()
    ledger.exceptions = [DrainLedger.Exception(by: "Kari", why: "old sender", until: Fixture.start)]
    #expect(ledger.liveException(now: Fixture.start + .milliseconds(-1)) != nil)
    #expect(ledger.liveException(now: Fixture.start) == nil)
  }

  // MARK: a sender that does not follow the register

  /// Three days after the move, long after everything lawful: looked at, with 7 messages counted in.
  private func late(depth: Int64 = 0, arrivals: Int64? = 7) -> DrainLedger {
    var ledger = DrainLedger()
    ledger.watermark = Fixture.start
    ledger.take(Self.look(depth: depth, arrivals: arrivals), at: Self.day(3), longestGap: Self.gap)
    return ledger
  }

  private static func day(_ count: Int64) -> Instant { Fixture.start + .days(count) }

  private static func look(_ kind: QueueKind = .asynchronous, depth: Int64 = 0, arrivals: Int64?) -> [QueueReading] {
    var reading = Fixture.look(depth: depth, arrivals: arrivals)[0]
    reading.kind = kind
    return [reading]
  }

  private func see(_ ledger: inout DrainLedger, _ look: [QueueReading], at now: Instant, read: Instant?) {
    ledger.followStaleSender(look, at: now, entriesReadAt: read, policy: Policy())
    ledger.take(look, at: now, longestGap: Self.gap)
  }

  @Test("what comes to the queue of synchronous calls is as late as on the other; replies and errors may be late lawfully")
  func kinds() {
    for kind in QueueKind.allCases {
      var ledger = self.late()
      ledger.followStaleSender(Self.look(kind, arrivals: 8), at: Self.day(4), entriesReadAt: nil, policy: Policy())
      #expect((ledger.suspectedAt != nil) == (kind == .asynchronous || kind == .synchronous), "\(kind)")
    }
  }

  @Test("a sender is blamed only for what comes after a look that was made after the entries were read")
  func entriesFirst() {
    let (suspected, read) = (Self.day(4), Self.day(4) + .minutes(10))
    var ledger = self.late()
    self.see(&ledger, Self.look(arrivals: 8), at: suspected, read: Self.day(1))
    #expect(ledger.suspectedAt == suspected && ledger.staleSender == nil)
    var unread = ledger
    self.see(&unread, Self.look(arrivals: 9), at: suspected + .hours(1), read: suspected + .milliseconds(-1))
    #expect(unread.staleSender == nil, "the entries were read before the suspicion")
    self.see(&ledger, Self.look(arrivals: 9), at: suspected + .hours(1), read: read)
    #expect(ledger.staleSender == nil, "it may have come before they were read")
    self.see(&ledger, Self.look(arrivals: 10), at: suspected + .hours(2), read: read)
    #expect(ledger.staleSender?.since == suspected + .hours(2))
  }

  @Test("two looks of one instant are two looks")
  func sameInstant() {
    var ledger = self.late()
    self.see(&ledger, Self.look(arrivals: 8), at: Self.day(3), read: nil)
    #expect(ledger.suspectedAt == Self.day(3))
  }

  @Test("nothing is suspected on counters that could not be read, before or after")
  func unreadable() {
    var now = self.late()
    var broken = Self.look(arrivals: 8) + Self.look(.synchronous, arrivals: 8)
    broken[1].count = .unreadable("time-out")
    now.followStaleSender(broken, at: Self.day(4), entriesReadAt: nil, policy: Policy())
    #expect(now.suspectedAt == nil)
    var before = self.late(depth: 1, arrivals: nil)
    var half = Self.look(depth: 1, arrivals: nil) + Self.look(.synchronous, arrivals: nil)
    half[1].count = .unreadable("time-out")
    before.take(half, at: Self.day(4), longestGap: Self.gap)
    before.followStaleSender(Self.look(depth: 2, arrivals: nil), at: Self.day(5), entriesReadAt: nil, policy: Policy())
    #expect(before.suspectedAt == nil)
    var whole = self.late(depth: 1, arrivals: nil)
    whole.followStaleSender(Self.look(depth: 2, arrivals: nil), at: Self.day(5), entriesReadAt: nil, policy: Policy())
    #expect(whole.suspectedAt == Self.day(5))
  }
}
