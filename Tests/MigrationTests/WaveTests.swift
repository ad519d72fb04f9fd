// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("Waves: which one is open, and what halts it")
struct WaveTests {
  static let name = Fixture.name_("pulje-1")

  /// A started pulje of single parties, in waves of these sizes.
  private func pulje(_ sizes: [Int], _ change: (inout PuljeRequest) -> Void = { _ in }) throws -> MigrationState {
    let parties = (0..<sizes.reduce(0, +)).map { Int32(1_000 + $0) }
    var request = Fixture.request(parties)
    request.waves = .sizes(sizes)
    change(&request)
    let plan = Planner(buses: Fixture.buses, records: parties.map { Fixture.record($0) }).plan(request)
    var state = MigrationState()
    for event in state.decide(.begin(plan, planHash: nil, approvals: ["Kari", "Ola"]), now: Fixture.start).events {
      let isKnown = state.apply(event, at: Fixture.start)
      #expect(isKnown)
    }
    #expect(state.puljer[Self.name]?.groups.count == parties.count)
    return state
  }

  private func stand(_ state: inout MigrationState, _ place: Int, in phase: GroupPhase) {
    state.puljer[Self.name]?.groups[place] = GroupWalk.standing(in: phase, [200]).group
  }

  private func hold(_ state: inout MigrationState, _ place: Int) {
    state.puljer[Self.name]?.groups[place].hold = Hold(.pingFailed, seen: "nobody listens")
  }

  private func context(_ state: MigrationState, _ place: Int) throws -> GroupContext {
    let pulje = try #require(state.puljer[Self.name])
    return pulje.contexts(stop: nil, now: Fixture.start).context(at: place)
  }

  @Test("a wave is behind when every group of it is draining, further on, taken out or home")
  func past() {
    let past: Set<GroupPhase> = [
      .draining, .drained, .observing, .accepted, .retired, .removed, .restored, .withdrawn,
    ]
    for phase in GroupPhase.allCases {
      #expect(GroupWalk.standing(in: phase).group.isPastItsWave == past.contains(phase), "\(phase)")
    }
  }

  @Test("one wave after the other: what is behind opens the next, and no more than that")
  func inTurn() throws {
    var state = try self.pulje([1, 1, 1])
    #expect(try [0, 1, 2].map { try self.context(state, $0).waveAhead } == [nil, 1, 1])
    self.stand(&state, 0, in: .observing)
    #expect(try [0, 1, 2].map { try self.context(state, $0).waveAhead } == [nil, nil, 2])
    self.stand(&state, 1, in: .draining)
    self.stand(&state, 2, in: .draining)
    #expect(try [0, 1, 2].map { try self.context(state, $0).waveAhead } == [nil, nil, nil])
    #expect(try [0, 1, 2].allSatisfy { try self.context(state, $0).conflictElsewhere == nil })
  }

  @Test("waves need not follow the order of the plan")
  func stated() throws {
    let state = try self.pulje([2]) { request in
      request.waves = .stated
      request.parties[0].wave = 2
      request.parties[1].wave = 1
    }
    #expect(try self.context(state, 0).waveAhead == 1)
    #expect(try self.context(state, 1).waveAhead == nil)
  }

  @Test("more than one party in fifty that does not answer halts the open wave, and that wave alone", arguments: [49, 50])
  func budget(parties: Int) throws {
    var state = try self.pulje([1, parties, 60])
    self.stand(&state, 0, in: .observing)
    self.hold(&state, 1)
    let spent = try self.context(state, 2).budgetSpent
    #expect((spent != nil) == (parties < 50))
    if parties < 50 {
      #expect(spent == "1 of the wave's 49 parties do not answer: \(state.puljer[Self.name]?.groups[1].id.description ?? "")")
    }
    #expect(try self.context(state, 0).budgetSpent == nil)
    #expect(try self.context(state, 1 + parties).budgetSpent == nil)
    // One in quarantine is somebody's own business.
    state.puljer[Self.name]?.groups[1].quarantine = Note(by: "Kari", why: "asked", at: Fixture.start)
    #expect(try self.context(state, 2).budgetSpent == nil)
  }

  @Test("a party held for anything else does not spend the budget")
  func otherHolds() throws {
    var state = try self.pulje([2])
    state.puljer[Self.name]?.groups[0].hold = Hold(.writesDoNotTake, seen: "5 tries")
    #expect(try self.context(state, 1).budgetSpent == nil)
  }

  @Test("the calendar is asked as long as there is a group that it may keep back")
  func calendar() throws {
    let freeze = CutoverCalendar.Freeze(
      from: try #require(LocalDate(text: "2000-01-01")), through: try #require(LocalDate(text: "2098-12-31")), why: "julefrys")
    var state = try self.pulje([1, 1]) { $0.policy.calendar = CutoverCalendar(freezes: [freeze]) }
    let first = try #require(state.puljer[Self.name]).groups[0].id
    #expect(try self.context(state, 0).calendar == nil, "nobody is planned yet")
    self.stand(&state, 1, in: .planned)
    #expect(try self.context(state, 0).calendar?.isOpen == false)
    state.puljer[Self.name]?.groups[0].phase = .ready
    #expect(state.decide(.group(Self.name, first, .advance), now: Fixture.start).refusal?.code == .outsideWindows)
    self.stand(&state, 0, in: .observing)
    #expect(try self.context(state, 0).calendar != nil)
    self.stand(&state, 1, in: .cutUnknown)
    #expect(try self.context(state, 0).calendar == nil)
  }
}
