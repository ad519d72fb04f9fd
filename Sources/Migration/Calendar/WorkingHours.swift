// SPDX-License-Identifier: Apache-2.0

/// The hours in which the sector's people work and its systems send: 08 to 15 by Norwegian clocks on working days.
public enum WorkingHours {
  /// When the first whole working day that begins at or after `start` has passed: quiet before that may only mean that
  /// nobody was at work.
  public static func firstPassed(after start: Instant) -> Instant {
    guard let opens = TimeOfDay(hour: 8), let closes = TimeOfDay(hour: 15) else { return start }
    var date = OsloTime.reading(at: start).date
    // Public holidays and a weekend never make a fortnight.
    for _ in 0..<14 {
      if NorwegianHolidays.isWorkingDay(date), OsloTime.instant(date, opens) >= start { return OsloTime.instant(date, closes) }
      date = date.advanced(by: 1)
    }
    return OsloTime.instant(date, closes)
  }
}
