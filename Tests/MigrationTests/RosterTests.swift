// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("Who is at work")
struct RosterTests {
  private let name = Fixture.name_("pulje-1")

  /// Twenty groups of one party each, in a pulje that has begun; the last one stands in `phase`.
  private func state(last phase: GroupPhase) -> MigrationState {
    var state = MigrationState()
    let numbers: ClosedRange<Int32> = 181...200
    let plan = Planner(buses: Fixture.buses, records: numbers.map { Fixture.record($0) }).plan(Fixture.request(Array(numbers)))
    for event in state.decide(.begin(plan, planHash: nil, approvals: ["Kari", "Ola"]), now: Fixture.start).events {
      _ = state.apply(event, at: Fixture.start)
    }
    if let last = state.puljer[self.name]?.groups.indices.last {
      state.puljer[self.name]?.groups[last] = GroupWalk.standing(in: phase).group
    }
    return state
  }

  @Test(
    "looks and pings leave places to those who go back, and to writes whose end nobody knows",
    arguments: [
      GroupPhase.cutUnknown, .backIntent, .backApplied, .backDraining,
    ])
  func places(phase: GroupPhase) throws {
    var settings = EngineSettings()
    settings.concurrentGroups = 8
    var roster = Roster(settings: settings)
    let state = self.state(last: phase)
    let turn = roster.turn(state, now: Fixture.start + .days(60))
    #expect(turn.begin.count == 7)
    #expect(turn.begin.count { $0.action == .snapshot } == 6)
    let last = try #require(turn.begin.last)
    #expect(last.key.group == state.puljer[self.name]?.groups.last?.id && last.action != .snapshot)
    // Nothing more begins before something has ended.
    #expect(roster.turn(state, now: Fixture.start + .days(60)).begin.isEmpty)
    roster.finished(turn.begin[0].key, wasRefused: false, now: Fixture.start + .days(60))
    #expect(roster.turn(state, now: Fixture.start + .days(60)).begin.map(\.action) == [.snapshot])
  }
}
