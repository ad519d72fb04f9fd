// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("Gates on what was measured")
struct GateTests {
  private static let gates = Gates()

  private func judge(
    _ looks: [[QueueReading]], pings: [[PingReport]] = [], gates: Gates = GateTests.gates, later: TimeSpan = .minutes(1)
  ) -> [GateFinding.Gate: GateFinding.Verdict] {
    var ledger = GateLedger()
    var now = Fixture.start
    for (index, look) in looks.enumerated() {
      now = Fixture.start + gates.measureInterval * Int64(index)
      ledger.take(look, pings: pings.indices.contains(index) ? pings[index] : [], at: now, gates: gates, policy: Policy())
    }
    let findings = ledger.judge(gates, now: now + later)
    return Dictionary(findings.map { ($0.gate, $0.verdict) }, uniquingKeysWith: { first, _ in first })
  }

  private let good = [Fixture.ping(Fixture.herID(200))]
  private let bad = [Fixture.ping(Fixture.herID(200), [.consumer: .failed])]

  @Test("nothing measured is inconclusive everywhere")
  func nothing() {
    #expect(Set(self.judge([]).values) == [.inconclusive])
  }

  @Test("quiet queues with a ping that was received pass; without any ping they say nothing of traffic")
  func quiet() {
    #expect(Set(self.judge([Fixture.look()], pings: [self.good]).values) == [.pass])
    let silent = self.judge([Fixture.look(), Fixture.look()])
    #expect(silent == [.ping: .inconclusive, .depth: .pass, .deadLetters: .pass, .traffic: .inconclusive])
  }

  @Test("traffic that the bus counts passes by itself; nothing is taken from a counter that fell")
  func traffic() {
    #expect(self.judge([Fixture.look(arrivals: 5), Fixture.look(arrivals: 6)])[.traffic] == .pass)
    #expect(self.judge([Fixture.look(arrivals: 5), Fixture.look(arrivals: 5)])[.traffic] == .inconclusive)
    #expect(self.judge([Fixture.look(arrivals: 5), Fixture.look(arrivals: 2)])[.traffic] == .inconclusive)
    // A cluster's node did not answer once: what the sum rises by came long ago.
    let looks = [5, 2, 5].map { Fixture.look(arrivals: $0) }
    #expect(self.judge(looks)[.traffic] == .inconclusive)
  }

  @Test("more pings lost than allowed fail; at the limit they pass")
  func pings() {
    let looks = Array(repeating: Fixture.look(), count: 20)
    let one = Array(repeating: self.good, count: 19) + [self.bad]
    #expect(self.judge(looks, pings: one)[.ping] == .pass)
    #expect(self.judge(looks, pings: Array(repeating: self.good, count: 18) + [self.bad, self.bad])[.ping] == .fail)
    #expect(
      self.judge([Fixture.look()], pings: [self.bad]) == [
        .ping: .fail, .depth: .pass, .deadLetters: .pass, .traffic: .inconclusive,
      ])
  }

  @Test("a queue that is too long twice running fails; once does not")
  func depth() {
    #expect(self.judge([Fixture.look(depth: 501)])[.depth] == .pass)
    #expect(self.judge([Fixture.look(depth: 501), Fixture.look(depth: 501)])[.depth] == .fail)
    #expect(self.judge([Fixture.look(depth: 501), Fixture.look(depth: 500), Fixture.look(depth: 501)])[.depth] == .pass)
  }

  @Test("dead letters beyond those at the beginning fail; those that were there do not")
  func deadLetters() {
    #expect(self.judge([Fixture.look(deadLetters: 7), Fixture.look(deadLetters: 7)])[.deadLetters] == .pass)
    #expect(self.judge([Fixture.look(deadLetters: 7), Fixture.look(deadLetters: 8)])[.deadLetters] == .fail)
  }

  @Test("counters that cannot be read, and figures that are old, are inconclusive")
  func stale() {
    #expect(self.judge([Fixture.look(), Fixture.look(unreadable: true)], pings: [self.good])[.depth] == .inconclusive)
    let limit = Self.gates.measureInterval * 3
    #expect(self.judge([Fixture.look()], later: limit)[.depth] == .pass)
    #expect(self.judge([Fixture.look()], later: .milliseconds(limit.milliseconds + 1))[.depth] == .inconclusive)
    #expect(self.judge([Fixture.look()], later: .milliseconds(-1))[.deadLetters] == .inconclusive)
  }

  // MARK: in the watch

  private func watched(_ change: (inout Gates) -> Void = { _ in }) -> GroupWalk {
    var policy = Policy()
    var gates = Gates()
    change(&gates)
    policy.gates = gates
    return GroupWalk.standing(in: .observing, policy: policy)
  }

  @Test("the target bus is measured as often as the gates say, and not while the pulje is paused")
  func measured() {
    let walk = self.watched()
    var measurements: [Instant] = []
    for _ in 0..<400 {
      if walk.group.next(in: walk.context, now: walk.now) == .act(.measure) { measurements.append(walk.now) }
      walk.step()
    }
    #expect(measurements.count > 10)
    for (first, second) in zip(measurements, measurements.dropFirst()) {
      #expect(second.since(first) >= walk.policy.gates?.measureInterval ?? .days(1))
    }
    walk.context.pause = Note(by: "Kari", why: "lunch", at: walk.now)
    walk.now = walk.now + .hours(2)
    for _ in 0..<10 {
      #expect(walk.group.next(in: walk.context, now: walk.now) != .act(.measure))
      walk.step()
    }
  }

  @Test("accepted only when every gate passes: a failed one has a code of its own, an inconclusive one is no pass")
  func accept() {
    let walk = self.watched()
    walk.now = walk.now + walk.policy.watchPeriod
    walk.send(.looked(Fixture.look()))
    #expect(walk.send(.accept(by: ["Kari", "Ola"])).refusal?.code == .gateInconclusive)
    walk.send(.measured(Fixture.look(), [Fixture.ping(Fixture.herID(200), [.consumer: .failed])]))
    #expect(walk.send(.accept(by: ["Kari", "Ola"])).refusal?.code == .gateFailed)
    for _ in 0..<30 { walk.send(.measured(Fixture.look(), [Fixture.ping(Fixture.herID(200))])) }
    #expect(walk.send(.accept(by: ["Kari", "Ola"])).refusal == nil)
  }

  @Test("late mail begins the watch anew, and the figures with it")
  func anew() {
    let walk = self.watched()
    walk.send(.measured(Fixture.look(), [Fixture.ping(Fixture.herID(200))]))
    walk.send(.looked(Fixture.look(depth: 1)))
    #expect(walk.group.phase == .draining)
    walk.go(to: .observing)
    #expect(walk.group.gates == GateLedger())
  }

  @Test("the errand reads the target's counters, and pings a party first, and then only when nothing comes for it")
  func errand() throws {
    let walk = self.watched()
    let plan = Fixture.plan([200], policy: walk.policy)
    func run(_ look: [QueueReading]) -> [String] {
      var errand = Errand(.measure, group: walk.group, plan: plan, settings: EngineSettings())
      var asked: [String] = []
      var step = errand.begin()
      while case .call(let call) = step {
        switch call {
        case .look(_, let bus):
          asked.append("look \(bus)")
          step = errand.take(.looked(look), at: walk.now, fraction: 0)
        case .ping(let herID, let bus, _):
          asked.append("ping \(bus)")
          step = errand.take(.pinged(Fixture.ping(herID)), at: walk.now, fraction: 0)
        default: return asked + ["?"]
        }
      }
      if case .bring(.measured(let readings, let pings)) = step, readings == look { asked.append("\(pings.count)") }
      return asked
    }
    #expect(run(Fixture.look()) == ["look tjenestebuss", "ping tjenestebuss", "1"])
    // The first ping is sent to a busy party too: without one the gate of pings would never pass.
    #expect(run(Fixture.look(depth: 2)) == ["look tjenestebuss", "ping tjenestebuss", "1"])
    walk.send(.measured(Fixture.look(), [Fixture.ping(Fixture.herID(200))]))
    #expect(run(Fixture.look()) == ["look tjenestebuss", "0"])
    walk.now = walk.now + .hours(4)
    #expect(run(Fixture.look()) == ["look tjenestebuss", "ping tjenestebuss", "1"])
  }

  @Test("the report speaks against a pulje whose gate fails")
  func report() throws {
    var policy = Policy()
    policy.gates = Gates()
    let plan = Fixture.plan([200], policy: policy)
    var state = MigrationState()
    func send(_ input: MigrationInput, at now: Instant) {
      for event in state.decide(input, now: now).events {
        let isKnown = state.apply(event, at: now)
        #expect(isKnown)
      }
    }
    send(.begin(plan, planHash: nil, approvals: ["Kari", "Ola"]), at: Fixture.start)
    let walk = self.watched()
    walk.send(.measured(Fixture.look(), [Fixture.ping(Fixture.herID(200), [.consumer: .failed])]))
    state.puljer[plan.name]?.groups[0] = walk.group
    let pulje = try #require(state.puljer[plan.name])
    let report = PuljeReport(PuljeSummary(pulje, stop: nil, now: walk.now), now: walk.now, auditHead: nil)
    #expect(report.recommendation == .doNotRollOut)
    #expect(report.markdown.contains("gate ping: fail, 1 of 1 pings failed"))
  }
}
