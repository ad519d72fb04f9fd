// SPDX-License-Identifier: Apache-2.0

/// Clocks in Norway (Europe/Oslo): CET, and CEST from the last Sunday of March to the last Sunday of October, each time at
/// 01:00 UTC (directive 2000/84/EC, in Norway by regulation). Held to be so for all time; before 1996 it was not.
///
/// Written out instead of asked of the operating system, because the migration core decides by it: a replayed history must
/// come to the same decisions on every machine, whatever zone data that has.
public enum OsloTime {
  private static let millisecondsPerDay: Int64 = 86_400_000
  private static let millisecondsPerHour: Int64 = 3_600_000

  /// What clocks in Norway show at `instant`.
  public static func reading(at instant: Instant) -> (date: LocalDate, time: TimeOfDay) {
    let local = instant.milliseconds + Self.offset(at: instant)
    let day = Self.floor(local, Self.millisecondsPerDay)
    let minute = Int((local - day * Self.millisecondsPerDay) / 60_000)
    return (LocalDate(day: day), TimeOfDay(hour: minute / 60, minute: minute % 60) ?? .midnight)
  }

  /// The first instant of `date` at which clocks show `time` or later.
  ///
  /// In the hour that is left out in March it is the instant at which clocks jump over it; of the hour that comes twice in October it is
  /// the first.
  public static func instant(_ date: LocalDate, _ time: TimeOfDay) -> Instant {
    let local = date.day * Self.millisecondsPerDay + Int64(time.minutes) * 60_000
    let early = Instant(milliseconds: local - 2 * Self.millisecondsPerHour)
    if Self.offset(at: early) == 2 * Self.millisecondsPerHour { return early }
    let late = Instant(milliseconds: local - Self.millisecondsPerHour)
    if Self.offset(at: late) == Self.millisecondsPerHour { return late }
    return Self.summer(year: date.parts.year).start
  }

  private static func offset(at instant: Instant) -> Int64 {
    let summer = Self.summer(year: Self.roughYear(ofDay: Self.floor(instant.milliseconds, Self.millisecondsPerDay)))
    return summer.start <= instant && instant < summer.end ? 2 * Self.millisecondsPerHour : Self.millisecondsPerHour
  }

  /// The year of a day, or, within two days of New Year, perhaps the one beside it: in both it is winter then. Asked for every window
  /// of a calendar at every turn, it must be cheap.
  private static func roughYear(ofDay day: Int64) -> Int { Int(1970 + Self.floor(day * 400, 146_097)) }

  private static func summer(year: Int) -> (start: Instant, end: Instant) {
    // Days from 1 March to 31 March and to 31 October.
    (Self.change(year: Int64(year), fromMarch: 30), Self.change(year: Int64(year), fromMarch: 244))
  }

  /// 01:00 UTC on the last Sunday up to a month's last day, which lies so many days after 1 March.
  private static func change(year: Int64, fromMarch days: Int64) -> Instant {
    var last: Int64 = 0
    if (1...9999).contains(year) { last = year * 365 + year / 4 - year / 100 + year / 400 + days - 719_468 }
    // 4 January 1970 was a Sunday: day 3.
    let sunday = last - Self.remainder(last - 3, 7)
    return Instant(milliseconds: sunday * Self.millisecondsPerDay + Self.millisecondsPerHour)
  }

  private static func floor(_ value: Int64, _ unit: Int64) -> Int64 { (value - Self.remainder(value, unit)) / unit }

  private static func remainder(_ value: Int64, _ unit: Int64) -> Int64 {
    let rest = value % unit
    return rest < 0 ? rest + unit : rest
  }
}
