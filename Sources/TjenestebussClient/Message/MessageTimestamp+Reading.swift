// SPDX-License-Identifier: Apache-2.0

import BusModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension MessageTimestamp {
  /// Now, by the machine's wall clock.
  public static var now: MessageTimestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return MessageTimestamp(secondsSinceEpoch: Int64(time.tv_sec))
  }

  /// Reads `yyyy-MM-ddTHH:mm:ss`, with or without a fraction (cut off), then `Z`, `+hh:mm`, `-hh:mm` or nothing (UTC).
  ///
  /// - Returns: nil when it is not that, or names a day or time that does not exist.
  public init?(_ text: String) {
    var rest = Array(text.utf8)[...]
    func digits(_ count: Int, from rest: inout ArraySlice<UInt8>) -> Int64? {
      guard rest.count >= count else { return nil }
      var number: Int64 = 0
      for byte in rest.prefix(count) {
        guard (48...57).contains(byte) else { return nil }
        number = number * 10 + Int64(byte - 48)
      }
      rest = rest.dropFirst(count)
      return number
    }
    func skip(_ character: Character, in rest: inout ArraySlice<UInt8>) -> Bool {
      guard let byte = character.asciiValue, rest.first == byte else { return false }
      rest = rest.dropFirst()
      return true
    }
    guard let year = digits(4, from: &rest), skip("-", in: &rest), let month = digits(2, from: &rest), skip("-", in: &rest),
      let day = digits(2, from: &rest), skip("T", in: &rest), let hour = digits(2, from: &rest), skip(":", in: &rest),
      let minute = digits(2, from: &rest), skip(":", in: &rest), let second = digits(2, from: &rest)
    else { return nil }
    if skip(".", in: &rest) {
      guard rest.first.map({ (48...57).contains($0) }) == true else { return nil }
      rest = rest.drop { (48...57).contains($0) }
    }
    var offset: Int64 = 0
    switch rest.first {
    case nil: break
    case UInt8(ascii: "Z"): rest = rest.dropFirst()
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      let sign: Int64 = rest.first == UInt8(ascii: "+") ? 1 : -1
      rest = rest.dropFirst()
      guard let hours = digits(2, from: &rest), skip(":", in: &rest), let minutes = digits(2, from: &rest), hours <= 14,
        minutes < 60
      else { return nil }
      offset = sign * (hours * 3_600 + minutes * 60)
    default: return nil
    }
    guard rest.isEmpty, year > 0, (1...12).contains(month), (1...Self.length(of: month, in: year)).contains(day), hour < 24,
      minute < 60, second < 60
    else { return nil }
    let days = Self.daysSinceEpoch(year, month, day)
    self.init(secondsSinceEpoch: days * 86_400 + hour * 3_600 + minute * 60 + second - offset)
  }

  /// Without the zone letter, as `enqueuedTimeUtc` is written.
  var withoutZone: String { String(self.description.dropLast()) }

  private static func length(of month: Int64, in year: Int64) -> Int64 {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }

  /// Days from civil date, after Howard Hinnant's algorithm.
  private static func daysSinceEpoch(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
