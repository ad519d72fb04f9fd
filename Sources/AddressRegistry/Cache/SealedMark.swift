// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A note in the cache file with the hash that it is believed by: 64 hexadecimal digits, a colon, and what was noted.
enum SealedMark {
  static func text(of value: String, name: String) -> String { Self.seal(value, name) + ":" + value }

  /// Nil when the text is not what was noted under that name.
  static func value(of text: String, name: String) -> String? {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let value = String(text[text.index(after: colon)...])
    return Self.seal(value, name) == text[..<colon] ? value : nil
  }

  private static func seal(_ value: String, _ name: String) -> String {
    let digits = Array("0123456789abcdef")
    return SHA256.hash(data: Array("mark/1\n\(name.utf8.count):\(name)\n\(value)".utf8)).reduce(into: "") { text, byte in
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
  }
}
