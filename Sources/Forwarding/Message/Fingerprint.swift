// SPDX-License-Identifier: Apache-2.0

/// What a message is recognised by after a crash: SipHash-1-3 of 128 bits over its bare message.
///
/// The key is drawn for each journal, so that nobody who sends messages can make two that look alike: what looks like a message that
/// the target has taken may be settled without being sent. Cheaper than a digest without key, and that is felt at 10 kB a message.
package struct Fingerprint: Sendable, Hashable {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package struct Key: Sendable, Hashable {
    package let first: UInt64
    package let second: UInt64

    package init(first: UInt64, second: UInt64) {
      self.first = first
      self.second = second
    }
  }

  package init(of bytes: UnsafeRawBufferPointer, key: Key) {
    var v0 = key.first ^ 0x736f_6d65_7073_6575
    var v1 = key.second ^ 0x646f_7261_6e64_6f6d ^ 0xee
    var v2 = key.first ^ 0x6c79_6765_6e65_7261
    var v3 = key.second ^ 0x7465_6462_7974_6573
    func round(_ v0: inout UInt64, _ v1: inout UInt64, _ v2: inout UInt64, _ v3: inout UInt64) {
      v0 &+= v1
      v1 = (v1 << 13) | (v1 >> 51)
      v1 ^= v0
      v0 = (v0 << 32) | (v0 >> 32)
      v2 &+= v3
      v3 = (v3 << 16) | (v3 >> 48)
      v3 ^= v2
      v0 &+= v3
      v3 = (v3 << 21) | (v3 >> 43)
      v3 ^= v0
      v2 &+= v1
      v1 = (v1 << 17) | (v1 >> 47)
      v1 ^= v2
      v2 = (v2 << 32) | (v2 >> 32)
    }
    let words = bytes.count & ~7
    var offset = 0
    while offset < words {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      v3 ^= word
      round(&v0, &v1, &v2, &v3)
      v0 ^= word
      offset += 8
    }
    var last = UInt64(truncatingIfNeeded: bytes.count) << 56
    var shift: UInt64 = 0
    while offset < bytes.count {
      last |= UInt64(bytes[offset]) << shift
      shift += 8
      offset += 1
    }
    v3 ^= last
    round(&v0, &v1, &v2, &v3)
    v0 ^= last
    v2 ^= 0xee
    for _ in 0..<3 { round(&v0, &v1, &v2, &v3) }
    self.high = v0 ^ v1 ^ v2 ^ v3
    v1 ^= 0xdd
    for _ in 0..<3 { round(&v0, &v1, &v2, &v3) }
    self.low = v0 ^ v1 ^ v2 ^ v3
  }

  /// It is as good as random already: to hash it once more, for every table that it is looked up in, would be felt.
  package func _rawHashValue(seed: Int) -> Int { Int(truncatingIfNeeded: self.low) ^ seed }

  package func hash(into hasher: inout Hasher) { hasher.combine(self.low) }

  /// In hexadecimal.
  package var text: String {
    func hex(_ n: UInt64) -> String {
      let digits = String(n, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    return hex(self.high) + hex(self.low)
  }
}
