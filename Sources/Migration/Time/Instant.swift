// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A point in time, in milliseconds since 1970 UTC. It is always handed in: nothing in this room reads a clock.
public struct Instant: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  public let milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  public init(from decoder: any Decoder) throws { self.milliseconds = try decoder.singleValueContainer().decode(Int64.self) }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.milliseconds)
  }

  public static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.milliseconds < rhs.milliseconds }

  public static func + (lhs: Instant, rhs: TimeSpan) -> Instant {
    Instant(milliseconds: lhs.milliseconds.addingReportingOverflow(rhs.milliseconds).partialValue)
  }

  /// The span from `earlier` to here; negative when the clock was set back.
  public func since(_ earlier: Instant) -> TimeSpan { TimeSpan(milliseconds: self.milliseconds - earlier.milliseconds) }

  /// ISO 8601, UTC, to the second.
  public var description: String {
    let seconds = self.milliseconds >= 0 ? self.milliseconds / 1_000 : (self.milliseconds - 999) / 1_000
    return MessageTimestamp(secondsSinceEpoch: seconds).description
  }
}
