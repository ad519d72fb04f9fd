// SPDX-License-Identifier: Apache-2.0

/// Text as it may stand in an XML 1.0 document.
package enum XMLText {
  /// `text` with markup characters escaped, for element content and attribute values alike; nil when it holds a
  /// character that XML 1.0 cannot carry even escaped (most control characters).
  ///
  /// Carriage return, line feed and tab are escaped too: a parser would change them otherwise.
  package static func escaped(_ text: some StringProtocol) -> String? {
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&apos;"
      case "\r", "\n", "\t": escaped += "&#\(scalar.value);"
      case "\u{20}"..."\u{D7FF}", "\u{E000}"..."\u{FFFD}", "\u{10000}"..."\u{10FFFF}": escaped.unicodeScalars.append(scalar)
      default: return nil
      }
    }
    return escaped
  }

  /// Whether `name` can be an element name here: ASCII letters, digits, `_`, `-`, `.`, beginning with a letter or `_`.
  package static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, first == UInt8(ascii: "_") || Self.isLetter(first) else { return false }
    return name.utf8.allSatisfy {
      Self.isLetter($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        || $0 == UInt8(ascii: ".")
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
}
