// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("How long a pulje takes at least")
struct PlanEstimateTests {
  private func at(_ date: String, _ time: String) throws -> Instant {
    OsloTime.instant(try #require(LocalDate(text: date)), try #require(TimeOfDay(text: time)))
  }

  /// `groups` groups of one party each.
  private func plan(_ groups: Int, waves: [Int]? = nil, _ change: (inout Policy) -> Void = { _ in }) -> Plan {
    var policy = Policy()
    change(&policy)
    var plan = Fixture.plan([200], policy: policy)
    let member = plan.groups[0].members[0]
    plan.groups = (0..<groups).map { Plan.Group(id: GroupID(Fixture.herID(Int32(200 + $0))), members: [member]) }
    var left = plan.groups.map(\.id)[...]
    plan.waves = waves.map { sizes in
      sizes.map { size in
        defer { left = left.dropFirst(size) }
        return Array(left.prefix(size))
      }
    }
    return plan
  }

  @Test("at any time: the writes, the quiet with its working day, the watch")
  func plain() throws {
    let start = try at("2026-11-20", "12:00")
    let estimate = PlanEstimate(self.plan(10), start: start)
    // Ten writes, four at once: three rounds of five seconds, and a minute for the pings.
    #expect(estimate.moved == start + .seconds(75))
    // From Friday noon the first whole working day is Monday.
    #expect(estimate.drained == (try at("2026-11-23", "15:00")))
    #expect(estimate.decision == (try at("2026-12-07", "15:00")))
    #expect(estimate.waves.map(\.writes) == [10])
  }

  @Test("what does not fit into a window goes on in the next, past a freeze")
  func windows() throws {
    let plan = self.plan(4_000) { policy in
      policy.calendar = CutoverCalendar(
        windows: [CutoverCalendar.Window(from: TimeOfDay(hour: 22) ?? .midnight, to: TimeOfDay(hour: 23) ?? .midnight)],
        freezes: [
          CutoverCalendar.Freeze(
            from: LocalDate(text: "2026-12-18") ?? LocalDate(day: 0), through: LocalDate(text: "2027-01-03") ?? LocalDate(day: 0),
            why: "julefrys")
        ])
    }
    let estimate = PlanEstimate(plan, start: try at("2026-12-17", "12:00"))
    #expect(estimate.waves.first?.begins == (try at("2026-12-17", "22:00")))
    // 5,000 seconds of writing: 3,600 on the 17th, the rest after the freeze.
    #expect(estimate.waves.first?.ends == (try at("2027-01-04", "22:00")) + .seconds(1_460))
  }

  @Test("waves follow on each other; a pulje that no window ever lets begin has no end")
  func waves() throws {
    let start = try at("2026-11-23", "12:00")
    let estimate = PlanEstimate(self.plan(10, waves: [1, 5, 4]), start: start)
    #expect(estimate.waves.map(\.groups) == [1, 5, 4])
    #expect(estimate.waves.map(\.begins) == [start, start + .seconds(65), start + .seconds(135)])
    let never = self.plan(1) { policy in
      policy.calendar = CutoverCalendar(freezes: [
        CutoverCalendar.Freeze(
          from: LocalDate(text: "2026-01-01") ?? LocalDate(day: 0), through: LocalDate(text: "2090-01-01") ?? LocalDate(day: 0),
          why: "for good")
      ])
    }
    let none = PlanEstimate(never, start: start)
    #expect(none.waves.isEmpty && none.moved == nil && none.decision == nil)
  }
}
