// SPDX-License-Identifier: Apache-2.0

/// A communication party's number in the address register (AR): an XML `int` greater than zero.
///
/// The register states no other range or digit count, so none is checked here.
public struct HerID: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  public let value: Int32

  /// - Returns: nil when `value` is not greater than zero.
  public init?(_ value: Int32) {
    guard value > 0 else { return nil }
    self.value = value
  }

  /// Reads decimal digits only: no sign, no blanks, at most ten digits.
  ///
  /// - Throws: ``BusModelError`` `herIDMalformed`.
  public init(text: some StringProtocol) throws(BusModelError) {
    guard text.utf8.count <= 10, text.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int32(text), value > 0 else {
      throw .herIDMalformed(String(text.prefix(40)))
    }
    self.value = value
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let value = try container.decode(Int32.self)
    guard value > 0 else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "a HER-ID is greater than zero, not \(value)")
    }
    self.value = value
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.value)
  }

  public static func < (lhs: HerID, rhs: HerID) -> Bool { lhs.value < rhs.value }
  public var description: String { String(self.value) }
}
