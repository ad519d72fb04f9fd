// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("What a pulje's groups add up to, and what the history keeps of it")
struct PuljeDecisionTests {
  static let name = Fixture.name_("pulje-1")
  static let both = ["Kari", "Ola"]

  private func send(_ input: MigrationInput, to state: inout MigrationState, at now: Instant = Fixture.start)
    -> MigrationState.Outcome
  {
    let outcome = state.decide(input, now: now)
    for event in outcome.events {
      let isKnown = state.apply(event, at: now)
      #expect(isKnown)
    }
    return outcome
  }

  /// A started pulje of two parties that stand in these phases.
  private func pulje(_ first: GroupPhase, _ second: GroupPhase) -> MigrationState {
    var state = MigrationState()
    _ = self.send(.begin(Fixture.plan([200, 300]), planHash: nil, approvals: Self.both), to: &state)
    state.puljer[Self.name]?.groups[0] = GroupWalk.standing(in: first).group
    state.puljer[Self.name]?.groups[1] = GroupWalk.standing(in: second, [300]).group
    return state
  }

  @Test("it stands where its least advanced group stands, phase by phase")
  func stages() {
    let stages: [(GroupPhase, PuljePhase)] = [
      (.known, .preflight), (.planned, .preflight), (.ready, .preflight), (.armed, .cutover), (.cutIntent, .cutover),
      (.cutUnknown, .cutover), (.conflict, .cutover), (.cutApplied, .verifying), (.verified, .draining), (.draining, .draining),
      (.drained, .draining), (.observing, .observing), (.accepted, .done), (.retired, .done), (.removed, .done),
    ]
    for (phase, stage) in stages { #expect(self.pulje(phase, .accepted).puljer[Self.name]?.phase == stage, "\(phase)") }
    var back = self.pulje(.conflict, .observing)
    back.puljer[Self.name]?.groups[0].direction = .back
    #expect(back.puljer[Self.name]?.phase == .rollingBack)
    #expect(PuljePhase.allCases.sorted() == PuljePhase.allCases)
    #expect(PuljePhase.allCases.allSatisfy { !($0 < $0) })
  }

  @Test("a decision is awaited when every watch is over, whoever is taken out, home or in quarantine")
  func awaitsDecision() {
    func awaits(_ first: GroupPhase, _ second: GroupPhase, quarantine: Bool = false, early: Bool = false) -> PuljePhase? {
      var state = self.pulje(first, second)
      if quarantine { state.puljer[Self.name]?.groups[1].quarantine = Note(by: "Kari", why: "odd", at: Fixture.start) }
      let pulje = state.puljer[Self.name]
      let ends = pulje?.groups.compactMap(\.watchSince).max().map { $0 + .days(14) } ?? Fixture.start
      return pulje?.phase(now: early ? ends + .milliseconds(-1) : ends)
    }
    #expect(awaits(.observing, .observing) == .decision)
    #expect(awaits(.observing, .observing, early: true) == .observing)
    #expect(awaits(.observing, .accepted) == .decision)
    #expect(awaits(.observing, .withdrawn) == .decision)
    #expect(awaits(.observing, .restored) == .decision)
    #expect(awaits(.observing, .cutUnknown, quarantine: true) == .decision)
    #expect(awaits(.observing, .backDraining, quarantine: true) == .rollingBack)
    #expect(awaits(.observing, .draining) == .draining)
    #expect(awaits(.accepted, .accepted) == .done)
    #expect(self.pulje(.accepted, .accepted).puljer[Self.name]?.awaitsDecision(now: Fixture.start + .days(99)) == false)
    #expect(self.pulje(.observing, .draining).puljer[Self.name]?.awaitsDecision(now: Fixture.start + .days(99)) == false)
  }

  @Test("a party in quarantine is left out when the pulje is accepted, and does not keep the others from it")
  func acceptWithoutQuarantined() {
    var state = self.pulje(.observing, .observing)
    state.puljer[Self.name]?.groups[1].quarantine = Note(by: "Kari", why: "odd", at: Fixture.start)
    let now = (state.puljer[Self.name]?.groups[0].watchSince ?? Fixture.start) + .days(14)
    state.puljer[Self.name]?.groups[0].apply(.looked(readings: Fixture.look()), at: now, policy: Policy())
    #expect(self.send(.accept(Self.name, approvals: Self.both), to: &state, at: now).events.count == 1)
    #expect(state.puljer[Self.name]?.groups.map(\.phase) == [.accepted, .observing])
  }

  @Test("a plan that was sealed and not started is not begun a second time, nor said to have been")
  func beginSealed() {
    var state = MigrationState()
    let plan = Fixture.plan([200])
    _ = self.send(.seal(plan, by: "Kari"), to: &state)
    #expect(self.send(.begin(plan, planHash: nil, approvals: Self.both), to: &state).refusal?.code == .nameUsed)
    _ = self.send(.start(Self.name, planHash: plan.hash, approvals: Self.both), to: &state)
    #expect(self.send(.begin(plan, planHash: nil, approvals: Self.both), to: &state).refusal?.code == .alreadyStarted)
    // Another plan under the same name is not the one that runs.
    #expect(self.send(.begin(Fixture.plan([300]), planHash: nil, approvals: Self.both), to: &state).refusal?.code == .nameUsed)
  }

  @Test("who approved, each start, and the end of a pause are kept")
  func kept() {
    var state = MigrationState()
    _ = self.send(.seal(Fixture.plan([200]), by: "Kari"), to: &state)
    _ = self.send(.start(Self.name, planHash: nil, approvals: Self.both), to: &state)
    #expect(state.puljer[Self.name]?.approvals == Self.both)
    _ = self.send(.pause(Self.name, by: "Kari", why: "storm"), to: &state)
    #expect(self.send(.resume(Self.name, by: "Ola"), to: &state).events == [.puljeResumed(pulje: Self.name, by: "Ola")])
    #expect(state.puljer[Self.name]?.pause == nil)
    for start in 1...3 {
      #expect(self.send(.daemonStarted, to: &state).events == [.daemonStarted])
      #expect(state.starts == start)
    }
    #expect(state.puljer[Self.name]?.groups[0].revision == 3)
  }

  @Test("a group counts everything that has happened to it")
  func revision() {
    let walk = GroupWalk.standing(in: .observing)
    #expect(walk.group.revision == walk.events.count)
    #expect(GroupWalk().group.revision == 0)
  }

  @Test("puljer are told in the order of their sealing, those of one instant by name")
  func order() {
    var state = MigrationState()
    _ = self.send(.seal(Fixture.plan([200], name: "c"), by: "Kari"), to: &state, at: Fixture.start)
    _ = self.send(.seal(Fixture.plan([300], name: "b"), by: "Kari"), to: &state, at: Fixture.start + .minutes(1))
    _ = self.send(.seal(Fixture.plan([100, 101, 102], name: "a"), by: "Kari"), to: &state, at: Fixture.start + .minutes(1))
    #expect(state.ordered.map(\.name.description) == ["c", "a", "b"])
  }

  @Test("what is said of a pulje that the history does not have stops the reader, whatever it is")
  func damaged() {
    for event in [
      MigrationEvent.puljeStarted(pulje: Self.name, approvals: Self.both), .puljePaused(pulje: Self.name, by: "x", why: "y"),
      .puljeResumed(pulje: Self.name, by: "x"),
    ] {
      var state = MigrationState()
      let isKnown = state.apply(event, at: Fixture.start)
      #expect(!isKnown, "\(event.kind)")
    }
  }

  @Test("an event is written with the version in which it came to be")
  func versions() {
    func sealed(source: Dialect? = nil, target: Dialect? = nil, _ change: (inout PuljeRequest) -> Void) -> Int {
      var request = Fixture.request([200])
      change(&request)
      var plan = Planner(buses: Fixture.buses, records: Fixture.records).plan(request)
      #expect(plan.sourceDialect == .rabbitMQ3 && plan.targetDialect == .rabbitMQ4AddressV2)
      plan.sourceDialect = source
      plan.targetDialect = target
      return MigrationEvent.puljeSealed(plan: plan, by: "x").version
    }
    func ofGroup(_ event: GroupEvent) -> Int {
      MigrationEvent.group(pulje: Self.name, group: GroupID(Fixture.herID(200)), event: event).version
    }
    #expect(sealed { _ in } == 1)
    #expect(sealed { $0.waves = [1] } == 2)
    #expect(sealed { $0.policy.sourceKept = .days(60) } == 2)
    #expect(sealed(source: .activeMQ) { _ in } == 4)
    #expect(sealed(target: .activeMQ) { _ in } == 4)
    #expect(sealed { $0.policy.declaredCaches = [DeclaredCache(life: .hours(1))] } == 4)
    #expect(sealed { $0.policy.leftovers = .forward } == 4)
    var look = Fixture.look()
    #expect(ofGroup(.looked(readings: look)) == 1 && ofGroup(.measured(readings: look, pings: [])) == 3)
    #expect(ofGroup(.preflightPassed(report: Fixture.preflight())) == 1)
    look[1].count = .counted(depth: 0, arrivals: nil, consumers: nil, figures: QueueFigures(active: 0))
    let report = PreflightReport(findings: [], baseline: look)
    let hold = Hold(.preflightFailed, seen: "x")
    for event in [
      GroupEvent.looked(readings: look), .measured(readings: look, pings: []), .preflightPassed(report: report),
      .preflightFailed(report: report, hold: hold, retryAt: Fixture.start), .forwardingResumed(by: "x"),
    ] { #expect(ofGroup(event) == 4, "\(event.kind)") }
    #expect(MigrationEvent.daemonStarted.version == 1)
    #expect(MigrationEvent.environmentNamed(name: "test").version == 6)
    #expect(MigrationEvent.lineStopped(by: "x", why: "y").version == 2)
  }

  @Test("a bus may be closed on what was seen a quarter of an hour ago, and on a compare of two days ago; not on what is to come")
  func closingEdges() {
    let now = Fixture.start
    func obstacles(looked: TimeSpan, compared: TimeSpan) -> Int {
      BusClosing(
        bus: Fixture.source.name, lookedAt: now + looked, parties: 1, comparedAt: now + compared,
        remaining: .counted(0, names: []),
        connections: .counted(0, names: []), filledQueues: .counted(0, names: [])
      ).obstacles(now: now).count
    }
    #expect(obstacles(looked: .milliseconds(0), compared: .milliseconds(0)) == 0)
    #expect(obstacles(looked: .minutes(-15), compared: .hours(-48)) == 0)
    #expect(obstacles(looked: .minutes(-15) + .milliseconds(-1), compared: .hours(-1)) == 1)
    #expect(obstacles(looked: .minutes(-1), compared: .hours(-48) + .milliseconds(-1)) == 1)
    #expect(obstacles(looked: .minutes(-1), compared: .milliseconds(1)) == 1)
  }
}
