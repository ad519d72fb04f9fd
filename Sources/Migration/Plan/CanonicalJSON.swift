// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// JSON that is the same bytes for the same value: sorted keys, no blanks, no escaped slashes.
public enum CanonicalJSON {
  public static func encode(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
  }

  public static func hex(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".unicodeScalars)
    var text = String.UnicodeScalarView()
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(text)
  }

  /// Lower-case hexadecimal SHA-256 of the canonical form. A value that cannot be encoded hashes as "unencodable", which equals
  /// no hash anybody approved.
  static func sha256(of value: some Encodable) -> String {
    guard let data = try? Self.encode(value) else { return "unencodable" }
    return Self.hex(SHA256.hash(data: data))
  }
}
