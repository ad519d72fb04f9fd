// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Migration

@Suite("Quiet must hold a whole working day")
struct WorkingHoursTests {
  private func at(_ date: String, _ time: String) throws -> Instant {
    OsloTime.instant(try #require(LocalDate(text: date)), try #require(TimeOfDay(text: time)))
  }

  @Test(
    "the first working day that begins after the quiet did",
    arguments: [
      ("2026-11-23", "07:59", "2026-11-23"), ("2026-11-23", "08:00", "2026-11-23"), ("2026-11-23", "08:01", "2026-11-24"),
      ("2026-11-20", "12:00", "2026-11-23"), ("2026-04-01", "16:00", "2026-04-07"), ("2026-12-24", "15:00", "2026-12-28"),
    ])
  func passed(date: String, time: String, until: String) throws {
    #expect(WorkingHours.firstPassed(after: try at(date, time)) == (try at(until, "15:00")))
  }

  @Test("a day of quiet from Friday noon is not enough before Monday 15:00; an hour of it is what the policy says")
  func policy() throws {
    var policy = Policy()
    let friday = try at("2026-11-20", "12:00")
    #expect(policy.quietEnd(since: friday) == (try at("2026-11-23", "15:00")))
    policy.workdayInQuiet = false
    #expect(policy.quietEnd(since: friday) == (try at("2026-11-21", "12:00")))
    policy.workdayInQuiet = nil
    policy.quietPeriod = .hours(1)
    #expect(policy.quietEnd(since: friday) == (try at("2026-11-20", "13:00")))
    policy.workdayInQuiet = true
    #expect(policy.quietEnd(since: friday) == (try at("2026-11-23", "15:00")))
  }
}
