// SPDX-License-Identifier: Apache-2.0

/// What the sending peer calls a delivery on its link: at most 32 bytes (spec 2.8.7).
///
/// Held in place, since every delivery has one and few are ever looked at.
public struct AMQPDeliveryTag: Sendable, Hashable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  public private(set) var count = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    let count = min(bytes.count, 32)
    withUnsafeMutableBytes(of: &self.words) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count])) }
    self.count = count
  }

  /// What is beyond 32 bytes is left out: no peer may send that.
  public init(_ bytes: some Sequence<UInt8>) {
    withUnsafeMutableBytes(of: &self.words) { place in
      for byte in bytes.prefix(place.count) {
        place[self.count] = byte
        self.count += 1
      }
    }
  }

  public var bytes: [UInt8] { withUnsafeBytes(of: self.words) { Array($0.prefix(self.count)) } }

  public static func == (one: AMQPDeliveryTag, other: AMQPDeliveryTag) -> Bool {
    one.count == other.count && one.words == other.words
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(self.words.0)
    hasher.combine(self.words.1)
    hasher.combine(self.words.2)
    hasher.combine(self.words.3)
    hasher.combine(self.count)
  }
}
