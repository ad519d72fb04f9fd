// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

/// Bugs that other migration tools had: red on the variant that has the bug, green on ours. The others stand in
/// MigrationSimulationTests.
@Suite("Bug museum: in the reducer alone")
struct BugMuseumTests {
  @Test("8: what a cancelled run left does not stop the next (vitess#13999)")
  func leftovers() throws {
    var state = MigrationState()
    func send(_ input: MigrationInput) {
      for event in state.decide(input, now: Fixture.start).events { _ = state.apply(event, at: Fixture.start) }
    }
    send(.seal(Fixture.plan([200]), by: "Kari"))
    send(.quarantine(Fixture.name_("pulje-1"), herID: Fixture.herID(200), by: "Kari", why: "odd"))
    send(.rollBack(Fixture.name_("pulje-1"), herIDs: nil, by: "Kari", why: "cancelled"))
    // The variant: whoever stands in any history is taken.
    let everybody = state.puljer.values.flatMap { pulje in pulje.plan.herIDs.map { ($0, pulje.name) } }
    let wrong = Dictionary(everybody, uniquingKeysWith: { first, _ in first })
    func obstacles(_ open: [HerID: PuljeName]) -> [Obstacle.Code] {
      Planner(buses: Fixture.buses, records: Fixture.records, open: open).plan(Fixture.request([200], name: "pulje-2")).obstacles
        .map(\.code)
    }
    #expect(obstacles(wrong) == [.inOpenPulje])
    #expect(obstacles(state.openParties).isEmpty)
    send(.seal(Fixture.plan([200], name: "pulje-2"), by: "Kari"))
    let group = try #require(state.puljer[Fixture.name_("pulje-2")]?.groups.first)
    #expect(group.quarantine == nil && group.hold == nil && group.phase == .known)
  }

  @Test("9: a start that fails leaves nothing behind (vitess#6850)")
  func failedStart() {
    func left(_ inputs: [MigrationInput]) -> Int {
      var state = MigrationState()
      for input in inputs {
        for event in state.decide(input, now: Fixture.start).events { _ = state.apply(event, at: Fixture.start) }
      }
      return state.puljer.count
    }
    let plan = Fixture.plan([200])
    // The variant: sealing and starting are two steps, and the second is refused.
    #expect(left([.seal(plan, by: "Kari"), .start(plan.name, planHash: plan.hash, approvals: ["Kari"])]) == 1)
    #expect(left([.begin(plan, planHash: plan.hash, approvals: ["Kari"])]) == 0)
  }

  @Test("11: one member that cannot go on does not hold up the rest (vitess#15630)")
  func busyMember() throws {
    var state = MigrationState()
    var request = Fixture.request([200, 300])
    request.waves = [1]
    let plan = Planner(buses: Fixture.buses, records: Fixture.records).plan(request)
    for event in state.decide(.begin(plan, planHash: nil, approvals: ["Kari", "Ola"]), now: Fixture.start).events {
      _ = state.apply(event, at: Fixture.start)
    }
    _ = state.apply(
      .group(pulje: plan.name, group: plan.groups[0].id, event: .quarantined(by: "Kari", why: "busy")), at: Fixture.start)
    let pulje = try #require(state.puljer[plan.name])
    // The variant: a wave is through when every one of its groups is verified.
    let wrong = plan.waves?[0].allSatisfy { pulje.groups[$0]?.phase == .draining } ?? true
    #expect(!wrong)
    #expect(state.context(pulje, plan.groups[1].id, now: Fixture.start).waveAhead == nil)
  }

  @Test("16: a dry run leaves no trace, whatever runs beside it; the plan made earnest is taken after it (gh-ost#1769)")
  func dryRun() throws {
    // By type: planning is handed values and gives one. There is nothing in it that it could write through.
    let planning: @Sendable (Planner, PuljeRequest) -> Plan = { planner, request in planner.plan(request) }
    let earnest = Fixture.request([300], name: "pulje-2")
    func begins(after dryRun: (inout MigrationState) -> Void, _ phase: GroupPhase) -> Bool {
      var state = MigrationState()
      for event in state.decide(.begin(Fixture.plan([200]), planHash: nil, approvals: ["Kari", "Ola"]), now: Fixture.start).events
      {
        _ = state.apply(event, at: Fixture.start)
      }
      let walk = GroupWalk.standing(in: phase)
      _ = state.puljer[Fixture.name_("pulje-1")]?.groups.change(walk.group.id) { $0 = walk.group }
      let before = state
      dryRun(&state)
      let plan = planning(Planner(buses: Fixture.buses, records: Fixture.records, open: state.openParties), earnest)
      let outcome = state.decide(.begin(plan, planHash: plan.hash, approvals: ["Kari", "Ola"]), now: walk.now)
      return state == before && outcome.refusal == nil
    }
    for phase in GroupPhase.allCases {
      #expect(
        begins(
          after: { state in
            for name in ["pulje-1", "pulje-2", "pulje-3"] {
              let planner = Planner(buses: Fixture.buses, records: Fixture.records, open: state.openParties)
              _ = planning(planner, Fixture.request([200, 300], name: name))
            }
          }, phase), "\(phase.rawValue)")
      // The variant keeps what it tried as if it were meant, and what is meant comes too late.
      let wrong = begins(
        after: { state in
          let planner = Planner(buses: Fixture.buses, records: Fixture.records, open: state.openParties)
          for event in state.decide(.seal(planning(planner, earnest), by: "dry run"), now: Fixture.start).events {
            _ = state.apply(event, at: Fixture.start)
          }
        }, phase)
      #expect(!wrong, "\(phase.rawValue)")
    }
  }

  @Test("19: a cut-over that cannot succeed is not tried for ever (gh-ost#784)")
  func endlessRetry() {
    func tries(limit: Int) -> Int {
      var policy = Policy()
      policy.writeTries = limit
      let walk = GroupWalk.standing(in: .armed, policy: policy)
      let member = walk.group.members[0]
      for count in 0..<40 {
        if walk.send(.beginWrite(member.herID, observed: member.plan.before)).refusal != nil { return count }
        if let operation = walk.openOperation { walk.send(.writeReturned(operation, .answered)) }
        walk.send(.readBack(member.plan.before, retryAt: walk.now))
      }
      return 40
    }
    #expect(tries(limit: .max) == 40)
    #expect(tries(limit: 5) == 5)
  }

  @Test("20: a roll-back does not turn forward again by itself, whatever comes (argo-rollouts#2929, #841)")
  func resumingAbort() {
    for phase in [GroupPhase.backIntent, .backUnknown, .backApplied, .backVerified, .backDraining, .backDrained, .restored] {
      for name in StateByInputTests.inputs {
        let walk = GroupWalk.standing(in: phase)
        walk.send(StateByInputTests.input(name, walk))
        #expect(walk.group.direction == .back, "\(phase.rawValue) x \(name)")
        let intents = walk.events.compactMap {
          if case .intentRecorded(_, _, let direction, _, _) = $0 { direction } else { nil }
        }
        #expect(intents.drop { $0 == .forward }.allSatisfy { $0 == .back }, "\(phase.rawValue) x \(name)")
      }
    }
  }

  @Test("21: the roll-back works while something else waits for a person (flagger#1432)")
  func deadButton() {
    let blocks: [(GroupWalk) -> Void] = [
      { $0.context.pause = Note(by: "Ola", why: "x", at: $0.now) },
      { $0.send(.quarantine(by: "Ola", why: "x")) },
      { $0.group.apply(.held(hold: Hold(.pingFailed, seen: "x")), at: $0.now, policy: $0.policy) },
      { $0.context.stop = Note(by: "Ola", why: "x", at: $0.now) },
      { $0.now = $0.now + .days(20) },
    ]
    for block in blocks {
      let walk = GroupWalk.standing(in: .observing)
      block(walk)
      #expect(walk.send(.rollBack(by: "Kari", why: "home")).refusal == nil)
    }
    // The variant asks what a step forward asks.
    let walk = GroupWalk.standing(in: .observing)
    blocks[0](walk)
    #expect(walk.group.forwardRefusal("roll back", walk.context) != nil)
  }

  @Test("23: accepted though unroutable: accepted alone proves nothing (rabbitmq-server#7823)")
  func unroutable() {
    let report = Fixture.ping(
      Fixture.herID(200),
      [.negativeControl: .failed, .consumer: .impossible, .depthFalls: .impossible, .echo: .impossible])
    // The variant: accepted is enough.
    #expect(report.findings.result(of: .accepted) == .passed)
    #expect(report.shortcoming(policy: Policy()) != nil)
  }
}
