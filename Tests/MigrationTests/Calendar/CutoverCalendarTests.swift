// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Migration

@Suite("When parties may be moved")
struct CutoverCalendarTests {
  private func at(_ date: String, _ time: String) throws -> Instant {
    OsloTime.instant(try #require(LocalDate(text: date)), try #require(TimeOfDay(text: time)))
  }

  private func window(_ from: String, _ to: String, _ days: [LocalDate.Weekday] = []) throws -> CutoverCalendar.Window {
    CutoverCalendar.Window(days: days, from: try #require(TimeOfDay(text: from)), to: try #require(TimeOfDay(text: to)))
  }

  private func freeze(_ from: String, _ through: String, _ why: String = "julefrys") throws -> CutoverCalendar.Freeze {
    CutoverCalendar.Freeze(from: try #require(LocalDate(text: from)), through: try #require(LocalDate(text: through)), why: why)
  }

  @Test("without windows and freezes: always, for good")
  func unbounded() throws {
    #expect(CutoverCalendar().standing(at: try at("2026-11-21", "12:00")) == .open(until: nil))
  }

  @Test("a night window belongs to the day it begins on, and goes on past midnight")
  func night() throws {
    let calendar = CutoverCalendar(windows: [try window("22:00", "05:00", [.monday, .thursday])])
    #expect(calendar.standing(at: try at("2026-11-23", "21:59")) == .outsideWindows(opens: try at("2026-11-23", "22:00")))
    #expect(calendar.standing(at: try at("2026-11-23", "22:00")) == .open(until: try at("2026-11-24", "05:00")))
    #expect(calendar.standing(at: try at("2026-11-24", "04:59")) == .open(until: try at("2026-11-24", "05:00")))
    #expect(calendar.standing(at: try at("2026-11-24", "05:00")) == .outsideWindows(opens: try at("2026-11-26", "22:00")))
    #expect(calendar.standing(at: try at("2026-11-27", "12:00")) == .outsideWindows(opens: try at("2026-11-30", "22:00")))
  }

  @Test("windows that overlap or follow on are one, in whatever order they are written")
  func overlapping() throws {
    let windows = [
      try window("11:00", "14:00"), try window("10:00", "12:00"), try window("14:00", "15:00"), try window("16:00", "17:00"),
    ]
    for order in [windows, windows.reversed()] {
      let calendar = CutoverCalendar(windows: order)
      #expect(calendar.standing(at: try at("2026-11-23", "10:30")) == .open(until: try at("2026-11-23", "15:00")))
      #expect(calendar.standing(at: try at("2026-11-23", "15:30")) == .outsideWindows(opens: try at("2026-11-23", "16:00")))
      #expect(calendar.standing(at: try at("2026-11-23", "18:00")) == .outsideWindows(opens: try at("2026-11-24", "10:00")))
    }
  }

  @Test("a freeze ends a window that is open, and names why; what opens next is after it")
  func frozen() throws {
    let calendar = CutoverCalendar(windows: [try window("22:00", "05:00")], freezes: [try freeze("2026-12-18", "2027-01-03")])
    #expect(calendar.standing(at: try at("2026-12-17", "23:00")) == .open(until: try at("2026-12-18", "00:00")))
    #expect(
      calendar.standing(at: try at("2026-12-24", "23:00")) == .frozen(why: "julefrys", opens: try at("2027-01-04", "00:00")))
    #expect(calendar.standing(at: try at("2027-01-04", "00:00")) == .open(until: try at("2027-01-04", "05:00")))
  }

  @Test("a freeze that is followed by another opens after both; one without a window after it waits for the window")
  func freezesInRow() throws {
    let both = [try freeze("2026-12-18", "2026-12-31"), try freeze("2027-01-01", "2027-01-10", "ny versjon")]
    #expect(
      CutoverCalendar(freezes: both).standing(at: try at("2026-12-20", "12:00"))
        == .frozen(why: "julefrys", opens: try at("2027-01-11", "00:00")))
    let day = CutoverCalendar(windows: [try window("10:00", "12:00", [.wednesday])], freezes: both)
    #expect(day.standing(at: try at("2027-01-05", "11:00")) == .frozen(why: "ny versjon", opens: try at("2027-01-13", "10:00")))
    #expect(
      CutoverCalendar(freezes: both).standing(at: try at("2026-12-01", "12:00")) == .open(until: try at("2026-12-18", "00:00")))
    #expect(CutoverCalendar(freezes: both).standing(at: try at("2027-02-01", "12:00")) == .open(until: nil))
  }

  @Test("what never opens says so")
  func never() throws {
    let calendar = CutoverCalendar(freezes: [try freeze("2026-01-01", "2099-12-31", "for good")])
    #expect(calendar.standing(at: try at("2026-11-21", "12:00")) == .frozen(why: "for good", opens: nil))
  }

  @Test("the night clocks go forward is an hour shorter, the night they go back an hour longer")
  func changingClocks() throws {
    let calendar = CutoverCalendar(windows: [try window("22:00", "05:00")])
    let hour: Int64 = 3_600_000
    for (evening, morning, hours) in [
      ("2026-03-28", "2026-03-29", 6), ("2026-10-24", "2026-10-25", 8), ("2026-11-20", "2026-11-21", 7),
    ] {
      let (start, end) = (try at(evening, "22:00"), try at(morning, "05:00"))
      #expect(calendar.standing(at: start) == .open(until: end))
      #expect(end.milliseconds - start.milliseconds == Int64(hours) * hour)
    }
    // Clocks show 02:30 twice that night: the window ends the first time.
    let twice = CutoverCalendar(windows: [try window("01:00", "02:30")])
    let first = try at("2026-10-25", "02:30")
    #expect(!twice.standing(at: Instant(milliseconds: first.milliseconds + hour - 1)).isOpen)
    // And never in March: what lies in the hour that is left out is not held.
    let leftOut = CutoverCalendar(windows: [try window("02:00", "03:00")])
    #expect(leftOut.standing(at: try at("2026-03-29", "01:59")) == .outsideWindows(opens: try at("2026-03-30", "02:00")))
  }

  @Test("it is open exactly when a window holds the clock and no freeze holds the day: minute by minute, two weeks, both changes")
  func everyMinute() throws {
    let calendar = CutoverCalendar(
      windows: [
        try window("21:30", "04:15", [.friday, .saturday, .sunday]), try window("12:00", "13:00"),
        try window("00:00", "24:00", [.tuesday]),
      ], freezes: [try freeze("2026-03-31", "2026-04-01"), try freeze("2026-10-22", "2026-10-22")])
    for first in ["2026-03-23", "2026-10-19"] {
      var instant = try at(first, "00:00")
      let end = Instant(milliseconds: instant.milliseconds + 14 * 86_400_000)
      while instant < end {
        let (date, time) = OsloTime.reading(at: instant)
        let isHeld = calendar.windows.contains { window in
          let today = window.days.isEmpty || window.days.contains(date.weekday)
          let yesterday = window.days.isEmpty || window.days.contains(date.advanced(by: -1).weekday)
          if window.from < window.to { return today && window.from <= time && time < window.to }
          return (today && window.from <= time) || (yesterday && time < window.to)
        }
        let isFrozen = calendar.freezes.contains { $0.from <= date && date <= $0.through }
        let standing = calendar.standing(at: instant)
        #expect(standing.isOpen == (isHeld && !isFrozen), "\(date) \(time)")
        switch standing {
        case .open(let until):
          let until = try #require(until)
          #expect(until > instant)
          #expect(!calendar.standing(at: until).isOpen, "\(date) \(time)")
        case .outsideWindows(let opens), .frozen(_, let opens):
          let opens = try #require(opens)
          #expect(opens > instant && calendar.standing(at: opens).isOpen, "\(date) \(time)")
          #expect(!calendar.standing(at: Instant(milliseconds: opens.milliseconds - 1)).isOpen, "\(date) \(time)")
        }
        instant = Instant(milliseconds: instant.milliseconds + 17 * 60_000)
      }
    }
  }

  @Test("what cannot be meant is told")
  func faults() throws {
    let calendar = CutoverCalendar(
      windows: [try window("22:00", "22:00"), try window("24:00", "05:00")],
      freezes: [try freeze("2026-12-31", "2026-12-01"), try freeze("2026-12-01", "2026-12-02", "")])
    #expect(calendar.faults.count == 4)
    #expect(CutoverCalendar(windows: [try window("22:00", "05:00")]).faults.isEmpty)
  }
}
