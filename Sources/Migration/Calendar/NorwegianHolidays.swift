// SPDX-License-Identifier: Apache-2.0

/// Days on which the sector does not work though they may fall on a weekday: the public holidays by law (lov om 1. og 17. mai, lov om
/// helligdager og helligdagsfred). Evenings before them are working days here.
public enum NorwegianHolidays {
  /// Whether `date` is a day of work: Monday to Friday and no public holiday.
  public static func isWorkingDay(_ date: LocalDate) -> Bool {
    switch date.weekday {
    case .saturday, .sunday: false
    default: !Self.isHoliday(date)
    }
  }

  public static func isHoliday(_ date: LocalDate) -> Bool {
    let (year, month, day) = date.parts
    switch (month, day) {
    case (1, 1), (5, 1), (5, 17), (12, 25), (12, 26): return true
    default: break
    }
    guard let easter = Self.easterSunday(year) else { return false }
    // Maundy Thursday, Good Friday, Easter Sunday and Monday, Ascension Day, Whit Sunday and Monday.
    return [-3, -2, 0, 1, 39, 49, 50].contains(date.day - easter.day)
  }

  /// By the Gregorian computus (Meeus, Jones and Butcher).
  static func easterSunday(_ year: Int) -> LocalDate? {
    let (golden, century, rest) = (year % 19, year / 100, year % 100)
    let epact = (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7
    let correction = (golden + 11 * epact + 22 * weekday) / 451
    let marchDays = epact + weekday - 7 * correction + 114
    return LocalDate(year: year, month: marchDays / 31, day: marchDays % 31 + 1)
  }
}
