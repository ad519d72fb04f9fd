// SPDX-License-Identifier: Apache-2.0

import BusModel

/// When the register was last asked by force for each party, so that a thousand messages that come back cost one question.
/// Pure: the time comes in.
struct ForcedRefreshLimit: Sendable {
  private let interval: Duration
  private var last: [HerID: Duration] = [:]

  /// Enough for every party of a large sender; beyond, those whose interval is over are forgotten.
  private static let capacity = 10_000

  init(interval: Duration) { self.interval = interval }

  /// Whether the register may be asked now; counts as asked when it may.
  mutating func mayAsk(_ herID: HerID, at now: Duration) -> Bool {
    if let before = self.last[herID], now - before < self.interval { return false }
    if self.last.count >= Self.capacity {
      let interval = self.interval
      self.last = self.last.filter { now - $0.value < interval }
    }
    self.last[herID] = now
    return true
  }
}
