// SPDX-License-Identifier: Apache-2.0

/// SplitMix64: the same numbers for the same seed, everywhere and for ever.
struct SeededRandom {
  private var state: UInt64

  init(seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678 }

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var z = self.state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { bound > 1 ? Int(self.next() % UInt64(bound)) : 0 }
  mutating func below(_ bound: Int64) -> Int64 { bound > 1 ? Int64(self.next() % UInt64(bound)) : 0 }
  mutating func between(_ low: Int64, _ high: Int64) -> Int64 { low + self.below(high - low) }
  /// True `count` times in `of`.
  mutating func chance(_ count: Int, in of: Int) -> Bool { self.below(of) < count }
  mutating func fraction() -> Double { Double(self.next() >> 11) / Double(1 << 53) }
}
