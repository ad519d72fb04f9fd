// SPDX-License-Identifier: Apache-2.0

/// Message ids as the buses want them: random UUIDs (version 4) in text form.
public enum UniqueID {
  /// A new id, lower case, with dashes.
  public static func random() -> String {
    var generator = SystemRandomNumberGenerator()
    return self.text(high: generator.next(), low: generator.next())
  }

  static func text(high: UInt64, low: UInt64) -> String {
    // Version 4, variant 1 (RFC 9562, 5.4).
    let high = high & ~0xF000 | 0x4000
    let low = low & ~(0b11 << 62) | (0b10 << 62)
    func hex(_ n: UInt64) -> String {
      let digits = String(n, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    var rest = (hex(high) + hex(low))[...]
    var parts: [Substring] = []
    for length in [8, 4, 4, 4, 12] {
      parts.append(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return parts.joined(separator: "-")
  }
}
