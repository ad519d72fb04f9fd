// SPDX-License-Identifier: Apache-2.0

/// A length of time in whole milliseconds, written as people write it: "14d", "24h", "30m", "90s", "250ms".
public struct TimeSpan: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  public let milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }
  public static func milliseconds(_ count: Int64) -> TimeSpan { TimeSpan(milliseconds: count) }
  public static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(milliseconds: count * 1_000) }
  public static func minutes(_ count: Int64) -> TimeSpan { .seconds(count * 60) }
  public static func hours(_ count: Int64) -> TimeSpan { .minutes(count * 60) }
  public static func days(_ count: Int64) -> TimeSpan { .hours(count * 24) }

  private static let units: [(name: String, milliseconds: Int64)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
  ]

  /// Reads a whole number and one unit: d, h, m, s or ms. nil for anything else, a sign, or what does not fit.
  public init?(text: String) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, let count = Int64(digits),
      let unit = Self.units.first(where: { $0.name == text.dropFirst(digits.count) })
    else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
    guard !overflow, product <= Int64.max / 4 else { return nil }
    self.milliseconds = product
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let span = TimeSpan(text: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\"\(text.prefix(40))\" is no length of time: write a whole number and d, h, m, s or ms")
    }
    self = span
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.description)
  }

  public static func < (lhs: TimeSpan, rhs: TimeSpan) -> Bool { lhs.milliseconds < rhs.milliseconds }
  public static func * (lhs: TimeSpan, rhs: Int64) -> TimeSpan { TimeSpan(milliseconds: lhs.milliseconds * rhs) }

  /// The largest unit that gives a whole number.
  public var description: String {
    guard self.milliseconds > 0 else { return "\(self.milliseconds)ms" }
    for unit in Self.units where self.milliseconds % unit.milliseconds == 0 {
      return "\(self.milliseconds / unit.milliseconds)\(unit.name)"
    }
    return "\(self.milliseconds)ms"
  }
}
