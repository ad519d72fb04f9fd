// SPDX-License-Identifier: Apache-2.0

import Migration

/// How long groups were worked on, waited for a time and waited for a person, in group-seconds since the daemon's start: what stood at one look
/// is taken to have stood until the next.
struct SpendingTally: Sendable, Hashable {
  private(set) var seconds: [PuljeName: [PuljeFigures.Spending: Double]] = [:]
  private var last: [PuljeName: [PuljeFigures.Spending: Int]] = [:]
  private var lastAt: Instant?

  /// - Parameter groups: how many groups' time goes into what, now.
  mutating func observe(_ groups: [PuljeName: [PuljeFigures.Spending: Int]], now: Instant) {
    if let lastAt, now > lastAt {
      let span = Double(now.since(lastAt).milliseconds) / 1_000
      for (pulje, counts) in self.last {
        for (spending, count) in counts { self.seconds[pulje, default: [:]][spending, default: 0] += Double(count) * span }
      }
    }
    // A clock that is set back counts for nothing.
    self.lastAt = now
    self.last = groups
  }
}
