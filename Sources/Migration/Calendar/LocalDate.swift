// SPDX-License-Identifier: Apache-2.0

/// A day of the Gregorian calendar, written "2026-12-24".
public struct LocalDate: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  public enum Weekday: String, Sendable, Hashable, Codable, CaseIterable {
    case monday, tuesday, wednesday, thursday, friday, saturday, sunday
  }

  /// Days since 1 January 1970.
  let day: Int64

  init(day: Int64) { self.day = day }

  /// nil when there is no such day, or the year is not 1 to 9999.
  public init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
    // The years are counted from March, so that the leap day is a year's last.
    let fromMarch = Int64((month + 9) % 12)
    let leapYear = Int64(month <= 2 ? year - 1 : year)
    let dayOfYear = (153 * fromMarch + 2) / 5 + Int64(day) - 1
    self.day = leapYear * 365 + leapYear / 4 - leapYear / 100 + leapYear / 400 + dayOfYear - 719_468
    guard self.parts == (year, month, day) else { return nil }
  }

  /// Reads year, month and day in digits with a hyphen between them. nil for anything else, and for days that are not.
  public init?(text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.utf8.count) == [4, 2, 2], text.utf8.allSatisfy({ $0 == 0x2D || (0x30...0x39).contains($0) }),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let date = LocalDate(text: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\"\(text.prefix(40))\" is no day: write it as 2026-12-24")
    }
    self = date
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.description)
  }

  var parts: (year: Int, month: Int, day: Int) {
    let shifted = self.day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let fromMarch = (5 * dayOfYear + 2) / 153
    let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (Int(year), Int(month), Int(dayOfYear - (153 * fromMarch + 2) / 5 + 1))
  }

  public var weekday: Weekday {
    // 1 January 1970 was a Thursday.
    let index = (self.day + 3) % 7
    return Weekday.allCases[Int(index < 0 ? index + 7 : index)]
  }

  package var daysSince1970: Int64 { self.day }

  package func advanced(by days: Int64) -> LocalDate { LocalDate(day: self.day + days) }

  public static func < (lhs: LocalDate, rhs: LocalDate) -> Bool { lhs.day < rhs.day }

  public var description: String {
    let (year, month, day) = self.parts
    func padded(_ number: Int, _ width: Int) -> String {
      String(repeating: "0", count: max(0, width - String(number).count)) + String(number)
    }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }
}
