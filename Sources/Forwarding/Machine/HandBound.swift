// SPDX-License-Identifier: Apache-2.0

/// How many messages are taken from the source ahead of what the target has accepted: enough to keep the target busy, and no more than memory and
/// the source's locks bear. Pure.
///
/// It begins small and doubles while the target keeps up. Bytes bound it by the largest message of late.
struct HandBound: Sendable {
  static let first = 32
  /// Of messages on hand together.
  static let bytes = 64 << 20

  private(set) var most: Int
  private var count: Int
  private var largest = 1
  private var accepted = 0

  init(most: Int) {
    self.most = max(1, most)
    self.count = min(self.most, Self.first)
  }

  var limit: Int { max(1, min(self.count, Self.bytes / self.largest)) }

  mutating func arrived(_ size: Int) {
    // One large message among small ones is forgotten after some hundred.
    self.largest = max(1, size, self.largest - self.largest / 128)
  }

  mutating func wasAccepted() {
    self.accepted += 1
    guard self.accepted >= self.count, self.count < self.most else { return }
    self.accepted = 0
    self.count = min(self.most, self.count * 2)
  }

  /// Some were held for nearly as long as the source lets one: half of it is enough for this target.
  mutating func wereHeldTooLong() {
    self.count = max(1, self.count / 2)
    self.most = self.count
    self.accepted = 0
  }
}
