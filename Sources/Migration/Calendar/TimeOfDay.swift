// SPDX-License-Identifier: Apache-2.0

/// What a clock on the wall shows, to the minute: "00:00" to "24:00", of which the last is the end of the day.
public struct TimeOfDay: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  /// Since midnight, by the clock: 0 to 1,440.
  public let minutes: Int

  public static let midnight = TimeOfDay(minutes: 0)
  public static let endOfDay = TimeOfDay(minutes: 24 * 60)

  private init(minutes: Int) { self.minutes = minutes }

  /// nil when no clock shows that.
  public init?(hour: Int, minute: Int = 0) {
    guard (0...24).contains(hour), (0...59).contains(minute), hour * 60 + minute <= 24 * 60 else { return nil }
    self.minutes = hour * 60 + minute
  }

  /// Reads "22:00". nil for anything else.
  public init?(text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2,
      text.utf8.allSatisfy({ $0 == 0x3A || (0x30...0x39).contains($0) }), let hour = Int(parts[0]), let minute = Int(parts[1])
    else { return nil }
    self.init(hour: hour, minute: minute)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let time = TimeOfDay(text: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\"\(text.prefix(40))\" is no time of day: write it as 22:00")
    }
    self = time
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.description)
  }

  public static func < (lhs: TimeOfDay, rhs: TimeOfDay) -> Bool { lhs.minutes < rhs.minutes }

  public var description: String {
    let (hour, minute) = self.minutes.quotientAndRemainder(dividingBy: 60)
    return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
  }
}
