// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Migration

@Suite("Clocks in Norway, told as the operating system's zone data tells them")
struct OsloTimeTests {
  private let calendar: Calendar
  private let zone: TimeZone

  init() throws {
    self.zone = try #require(TimeZone(identifier: "Europe/Oslo"))
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = self.zone
    self.calendar = calendar
  }

  @Test("any instant from 1996 to 2036, and the minutes around each change of the clocks")
  func readings() {
    var random = SplitMix(seed: 1996)
    var instants = (0..<3_000).map { _ in
      Instant(milliseconds: Int64.random(in: 820_454_400_000..<2_114_380_800_000, using: &random))
    }
    for year in 1996...2036 {
      for month in [3, 10] {
        for day in 25...31 {
          guard let date = LocalDate(year: year, month: month, day: day), date.weekday == .sunday else { continue }
          let change = date.day * 86_400_000 + 3_600_000
          instants += [-60_000, -1, 0, 1, 60_000, 3_599_999, 3_600_000].map { Instant(milliseconds: change + $0) }
        }
      }
    }
    for instant in instants {
      let parts = self.calendar.dateComponents(
        [.year, .month, .day, .hour, .minute], from: Date(timeIntervalSince1970: Double(instant.milliseconds) / 1_000))
      let (date, time) = OsloTime.reading(at: instant)
      #expect(date == LocalDate(year: parts.year ?? 0, month: parts.month ?? 0, day: parts.day ?? 0), "\(instant)")
      #expect(time == TimeOfDay(hour: parts.hour ?? 0, minute: parts.minute ?? 0), "\(instant)")
    }
  }

  @Test("winter and summer of every year there is, at New Year and on both sides of each change")
  func everyYear() throws {
    func hours(_ milliseconds: Int64) -> Int64 {
      let (date, time) = OsloTime.reading(at: Instant(milliseconds: milliseconds))
      return (date.day * 86_400_000 + Int64(time.minutes) * 60_000 - milliseconds) / 3_600_000
    }
    for year in 1...9999 {
      let newYear = try #require(LocalDate(year: year, month: 1, day: 1)).day
      for day in newYear - 4...newYear + 4 { #expect(hours(day * 86_400_000) == 1, "\(year)") }
      for (month, before) in [(3, Int64(1)), (10, 2)] {
        let last = try #require(LocalDate(year: year, month: month, day: 31))
        let sunday = last.day - Int64(try #require(LocalDate.Weekday.allCases.firstIndex(of: last.weekday)) + 1) % 7
        let change = sunday * 86_400_000 + 3_600_000
        #expect(hours(change - 60_000) == before && hours(change) == 3 - before, "\(year)-\(month)")
      }
    }
  }

  @Test("the instant at which clocks first show a time is the first that reads so, or that reads later")
  func instants() throws {
    for text in ["2026-01-01", "2026-03-28", "2026-03-29", "2026-03-30", "2026-07-01", "2026-10-24", "2026-10-25", "2026-10-26"] {
      let date = try #require(LocalDate(text: text))
      for minute in 0..<(24 * 60) {
        let time = try #require(TimeOfDay(hour: minute / 60, minute: minute % 60))
        let instant = OsloTime.instant(date, time)
        let before = OsloTime.reading(at: Instant(milliseconds: instant.milliseconds - 1))
        let reading = OsloTime.reading(at: instant)
        #expect(reading.date == date && reading.time >= time, "\(date) \(time)")
        #expect(before.date < date || before.time < time, "\(date) \(time) was shown before")
      }
    }
  }

  @Test("the hour that is left out, the hour that comes twice, and the end of a day")
  func changes() throws {
    func utc(_ date: String, _ time: String) throws -> String {
      OsloTime.instant(try #require(LocalDate(text: date)), try #require(TimeOfDay(text: time))).description
    }
    #expect(try utc("2026-03-29", "02:30") == "2026-03-29T01:00:00Z")
    #expect(try utc("2026-03-29", "03:00") == "2026-03-29T01:00:00Z")
    #expect(try utc("2026-10-25", "02:30") == "2026-10-25T00:30:00Z")
    #expect(try utc("2026-10-25", "03:00") == "2026-10-25T02:00:00Z")
    #expect(try utc("2026-12-31", "24:00") == "2026-12-31T23:00:00Z")
  }

  @Test("days and times as people write them; what is none is refused")
  func texts() {
    for text in ["2024-02-29", "2026-12-31", "0001-01-01", "9999-12-31", "1900-02-28"] {
      #expect(LocalDate(text: text)?.description == text)
    }
    for text in [
      "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "20261-01-01", "2026-01-0x", "", "2026-01-01Z",
    ] {
      #expect(LocalDate(text: text) == nil, "\(text)")
    }
    for text in ["00:00", "23:59", "24:00", "08:05"] { #expect(TimeOfDay(text: text)?.description == text) }
    for text in ["24:01", "25:00", "8:5", "12", "12:60", "-1:00", "", "12:00:00", "1２:00"] {
      #expect(TimeOfDay(text: text) == nil, "\(text)")
    }
  }

  @Test("Easter moves the holidays along; Saturdays, Sundays and holidays are no days of work")
  func holidays() {
    func day(_ text: String) -> LocalDate { LocalDate(text: text) ?? LocalDate(day: 0) }
    let easter = [
      (2000, "2000-04-23"), (2008, "2008-03-23"), (2011, "2011-04-24"), (2024, "2024-03-31"), (2025, "2025-04-20"),
      (2026, "2026-04-05"), (2027, "2027-03-28"), (2038, "2038-04-25"),
    ]
    for (year, sunday) in easter { #expect(NorwegianHolidays.easterSunday(year) == day(sunday)) }
    let holidays = [
      "2026-01-01", "2026-04-02", "2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-25", "2026-12-25",
      "2027-05-17",
    ]
    for text in holidays { #expect(!NorwegianHolidays.isWorkingDay(day(text)), "\(text)") }
    for text in ["2026-04-01", "2026-04-07", "2026-12-24", "2026-11-20"] {
      #expect(NorwegianHolidays.isWorkingDay(day(text)), "\(text)")
    }
    for text in ["2026-11-21", "2026-11-22"] { #expect(!NorwegianHolidays.isWorkingDay(day(text)), "\(text)") }
  }
}
