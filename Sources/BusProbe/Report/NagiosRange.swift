// SPDX-License-Identifier: Apache-2.0

/// A range as Nagios plugins write it: `10` (0 to 10), `10:` (10 or more), `~:10` (10 or less), `10:20`, `@10:20` (outside).
/// A value outside the range alerts; with `@` one inside it.
public struct NagiosRange: Sendable, Hashable, CustomStringConvertible {
  /// Nil for no lower bound.
  public let low: Double?
  /// Nil for no upper bound.
  public let high: Double?
  public let alertsInside: Bool
  /// As it was written: performance data repeat it.
  public let description: String

  /// - Returns: nil when `text` is no range, or one that holds nothing.
  public init?(_ text: String) {
    guard !text.isEmpty, text.allSatisfy({ $0.isASCII && ($0.isNumber || "@~:.+-eE".contains($0)) }) else { return nil }
    var rest = Substring(text)
    self.alertsInside = rest.first == "@"
    if self.alertsInside { rest = rest.dropFirst() }
    let parts = rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch parts.count {
    case 1:
      guard let high = Self.number(parts[0]) else { return nil }
      (self.low, self.high) = (0, high)
    default:
      let low: Double?
      switch parts[0] {
      case "~": low = nil
      case "": low = 0
      default:
        guard let number = Self.number(parts[0]) else { return nil }
        low = number
      }
      if parts[1].isEmpty {
        (self.low, self.high) = (low, nil)
      } else {
        guard let high = Self.number(parts[1]) else { return nil }
        (self.low, self.high) = (low, high)
      }
    }
    if let low = self.low, let high = self.high, low > high { return nil }
    self.description = text
  }

  private static func number(_ text: Substring) -> Double? {
    guard let number = Double(text), number.isFinite else { return nil }
    return number
  }

  public func alerts(on value: Double) -> Bool {
    let isInside = (self.low.map { value >= $0 } ?? true) && (self.high.map { value <= $0 } ?? true)
    return isInside == self.alertsInside
  }
}
