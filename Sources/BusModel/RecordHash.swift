// SPDX-License-Identifier: Apache-2.0

import Crypto

/// The SHA-256 of a record's canonical form. Written in lower-case hexadecimal.
public struct RecordHash: Sendable, Hashable, Codable, CustomStringConvertible {
  /// How many bytes it has.
  static let size = 32

  /// The bytes, as they stand in memory.
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  public init(_ digest: SHA256Digest) { digest.withUnsafeBytes { self.fill($0) } }

  /// - Returns: nil for other than 32 bytes.
  public init?(bytes: UnsafeRawBufferPointer) {
    guard bytes.count == Self.size else { return nil }
    self.fill(bytes)
  }

  /// - Returns: nil for other than 64 hexadecimal digits in lower case.
  public init?(hex: String) {
    let digits = hex.utf8.compactMap(Self.value)
    guard digits.count == 2 * Self.size, hex.utf8.count == 2 * Self.size else { return nil }
    let bytes = (0..<Self.size).map { digits[$0 * 2] << 4 | digits[$0 * 2 + 1] }
    bytes.withUnsafeBytes { self.fill($0) }
  }

  private mutating func fill(_ bytes: UnsafeRawBufferPointer) {
    withUnsafeMutableBytes(of: &self.words) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<Self.size])) }
  }

  /// 64 digits in lower case.
  public var hex: String {
    withUnsafeBytes(of: self.words) { bytes in
      String(unsafeUninitializedCapacity: 2 * Self.size) { text in
        for index in 0..<Self.size {
          text[index * 2] = Self.digit(bytes[index] >> 4)
          text[index * 2 + 1] = Self.digit(bytes[index] & 15)
        }
        return 2 * Self.size
      }
    }
  }

  /// The 32 bytes.
  public var bytes: [UInt8] { withUnsafeBytes(of: self.words) { Array($0) } }

  /// Enough of it to tell records apart when reading.
  public var description: String { String(self.hex.prefix(12)) }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? value + 48 : value + 87 }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 48...57: digit - 48
    case 97...102: digit - 87
    default: nil
    }
  }

  public static func == (one: RecordHash, other: RecordHash) -> Bool { one.words == other.words }

  public func hash(into hasher: inout Hasher) { withUnsafeBytes(of: self.words) { hasher.combine(bytes: $0) } }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let hash = RecordHash(hex: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "a record's hash is 64 hexadecimal digits")
    }
    self = hash
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.hex)
  }
}
