// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// At most so many attempts in any minute. Pure: the time comes in as a value.
struct AttemptRateLimit: Sendable {
  static let window: Duration = .seconds(60)

  private let limit: Int
  private var times: Deque<Duration> = []

  init(perMinute limit: Int) { self.limit = max(limit, 1) }

  /// How long until an attempt may be made.
  func wait(at now: Duration) -> Duration {
    guard self.times.count >= self.limit, let oldest = self.times.first else { return .zero }
    return max(oldest + Self.window - now, .zero)
  }

  mutating func made(at now: Duration) {
    self.times.append(now)
    if self.times.count > self.limit { self.times.removeFirst() }
  }
}
