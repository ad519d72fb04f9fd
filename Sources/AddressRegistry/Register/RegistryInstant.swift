// SPDX-License-Identifier: Apache-2.0

/// A point in time by the wall clock, in milliseconds since 1970 UTC: what is stored in the cache and compared there.
///
/// The registry never asks for the time inside; it is handed in, or comes through ``RegistryClock``.
public struct RegistryInstant: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  public let millisecondsSinceEpoch: Int64

  public init(millisecondsSinceEpoch: Int64) { self.millisecondsSinceEpoch = millisecondsSinceEpoch }

  public init(from decoder: any Decoder) throws {
    self.millisecondsSinceEpoch = try decoder.singleValueContainer().decode(Int64.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.millisecondsSinceEpoch)
  }

  public static func < (lhs: Self, rhs: Self) -> Bool { lhs.millisecondsSinceEpoch < rhs.millisecondsSinceEpoch }

  /// How long ago `earlier` was. Negative when the clock has been set back since.
  public func since(_ earlier: RegistryInstant) -> Duration {
    .milliseconds(self.millisecondsSinceEpoch - earlier.millisecondsSinceEpoch)
  }

  public func advanced(by duration: Duration) -> RegistryInstant {
    let parts = duration.components
    return RegistryInstant(
      millisecondsSinceEpoch: self.millisecondsSinceEpoch + parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000)
  }

  public var description: String { "\(self.millisecondsSinceEpoch) ms" }
}
