// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("Figures of the target bus, and what may be read out of them")
struct MeasureTests {
  static let ping = [Fixture.ping(Fixture.herID(200))]

  /// Measured one after the other, as often as the gates want.
  private func ledger(_ looks: [[QueueReading]], pings: [PingReport] = [], gates: Gates = Gates()) -> (GateLedger, Instant) {
    var ledger = GateLedger()
    var now = Fixture.start
    for look in looks {
      now = now + gates.measureInterval
      ledger.take(look, pings: pings, at: now, gates: gates, policy: Policy())
    }
    return (ledger, now)
  }

  private func judge(
    _ gate: GateFinding.Gate, _ looks: [[QueueReading]], pings: [PingReport] = [], gates: Gates = Gates()
  ) -> (GateFinding.Verdict, String) {
    let (ledger, now) = self.ledger(looks, pings: pings, gates: gates)
    let found = ledger.judge(gates, now: now).first { $0.gate == gate }
    return (found?.verdict ?? .inconclusive, found?.seen ?? "no such gate")
  }

  /// The asynchronous queue and that of dead letters.
  private func two(depth: Int64, arrivals: Int64? = nil, dead: QueueReading.Count) -> [QueueReading] {
    let readings = Fixture.look(depth: depth, arrivals: arrivals)
    var letters = readings[readings.count - 1]
    letters.count = dead
    return [readings[0], letters]
  }

  private func dead(_ count: Int64) -> QueueReading.Count { .counted(depth: count, arrivals: nil, consumers: nil) }

  @Test("a party is pinged first of all, and then when nothing has come for long: neither counted in, nor lying there")
  func needsPing() {
    let gates = Gates()
    func needs(_ looks: [[QueueReading]], after span: TimeSpan) -> Bool {
      var ledger = GateLedger()
      ledger.take(Fixture.look(arrivals: 5), pings: Self.ping, at: Fixture.start, gates: gates, policy: Policy())
      var now = Fixture.start
      for look in looks {
        now = now + .hours(3)
        ledger.take(look, pings: [], at: now, gates: gates, policy: Policy())
      }
      return ledger.needsPing(at: now + span, gates: gates)
    }
    #expect(!needs([], after: .hours(4) + .milliseconds(-1)))
    #expect(needs([], after: .hours(4)))
    #expect(needs([Fixture.look(arrivals: 5)], after: .hours(1)), "nothing came")
    #expect(!needs([Fixture.look(arrivals: 6)], after: .hours(1)), "it was counted in")
    #expect(!needs([self.two(depth: 0, arrivals: 6, dead: self.dead(0))], after: .hours(1)), "one message")
    #expect(!needs([Fixture.look(depth: 1)], after: .hours(1)), "it lies there")
    #expect(needs([Fixture.look(depth: 1)], after: .hours(4)))
    // A clock set back: what was heard in what is now the future is no news.
    #expect(needs([], after: .hours(-1)))
  }

  @Test("nothing measured, and what cannot be read, is no figure")
  func unreadable() {
    #expect(self.judge(.depth, []).1 == "nothing was measured")
    #expect(self.judge(.depth, [[]]) == (.inconclusive, "nothing was measured"))
    #expect(self.judge(.depth, [Fixture.look(unreadable: true)]) == (.inconclusive, "nothing was measured"))
    #expect(
      self.judge(.depth, [Fixture.look(), Fixture.look(unreadable: true)]) == (.inconclusive, "the counters cannot be read"))
    #expect(self.ledger([[], Fixture.look(unreadable: true), Fixture.look()]).0.readable == 1)
  }

  @Test("how long queues are is told of those that a system fetches from; dead letters have a gate of their own")
  func depth() {
    let dead = self.two(depth: 3, dead: self.dead(900))
    #expect(self.judge(.depth, [dead, dead]) == (.pass, "at most 3 messages on a queue at the last of 2 measurements"))
    let letters = [dead[1]]
    #expect(self.judge(.depth, [letters]) == (.pass, "at most 0 messages on a queue at the last of 1 measurements"))
    var none = Gates()
    none.depth = 0
    var reply = Fixture.look()[0]
    reply.kind = .synchronousReply
    reply.count = .absent
    #expect(self.judge(.depth, [[reply], [reply]], gates: none).0 == .pass, "a queue that need not be there is not long")
  }

  @Test("dead letters count from the first measurement; a queue that was not there yet had none")
  func deadLetters() {
    #expect(self.judge(.deadLetters, [self.two(depth: 0, dead: .absent), self.two(depth: 0, dead: self.dead(1))]).0 == .fail)
    #expect(self.judge(.deadLetters, [self.two(depth: 0, dead: self.dead(0)), self.two(depth: 0, dead: .absent)]).0 == .pass)
    #expect(self.judge(.deadLetters, [self.two(depth: 0, dead: .absent), self.two(depth: 0, dead: .absent)]).0 == .pass)
  }

  @Test(
    "traffic: as many as the gate asks for between two measurements; one alone says nothing, nor does a bus that does not count")
  func traffic() {
    func look(_ arrivals: Int64?) -> [QueueReading] { self.two(depth: 0, arrivals: arrivals, dead: self.dead(0)) }
    var gates = Gates()
    gates.traffic = 3
    #expect(self.judge(.traffic, [look(5), look(8)], gates: gates) == (.pass, "3 messages came"))
    #expect(
      self.judge(.traffic, [look(5), look(7)], gates: gates) == (.inconclusive, "2 messages came, and no ping was received"))
    gates.traffic = 0
    #expect(self.judge(.traffic, [look(5)], gates: gates) == (.inconclusive, "0 messages came, and no ping was received"))
    #expect(self.judge(.traffic, [look(5), look(5)], gates: gates) == (.pass, "0 messages came"))
    #expect(
      self.judge(.traffic, [look(nil), look(nil)], pings: Self.ping, gates: gates)
        == (.pass, "this bus does not count arrivals; 2 pings were received in their place"))
    #expect(self.judge(.traffic, [[]]) == (.inconclusive, "this bus does not count arrivals, and no ping was received"))
    #expect(self.judge(.ping, [look(5)]) == (.inconclusive, "no ping was sent in the watch"))
  }

  @Test("the last pings are kept for those who ask what was wrong with them")
  func lastPings() {
    let bad = [Fixture.ping(Fixture.herID(200), [.consumer: .failed])]
    let (ledger, now) = self.ledger([Fixture.look()], pings: bad)
    #expect(ledger.lastPings == bad && ledger.lastPingAt == now && ledger.failedPings == 1)
  }
}
