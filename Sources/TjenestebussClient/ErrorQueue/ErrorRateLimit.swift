// SPDX-License-Identifier: Apache-2.0

import BusModel

/// How many error messages one sender is sent in a minute: a sender that floods us with faulty messages must not make us flood
/// its error queue. A token bucket for each sender. Pure: the time comes in.
struct ErrorRateLimit: Sendable {
  private struct Bucket: Sendable {
    var tokens: Double
    var at: Duration
  }

  private let perMinute: Int
  private var buckets: [HerID: Bucket] = [:]
  /// Beyond, senders whose bucket is full again are forgotten, which changes nothing for them.
  private static let capacity = 10_000

  init(perMinute: Int) { self.perMinute = perMinute }

  /// Whether one more may be sent now; it counts when it may.
  mutating func maySend(to sender: HerID, at now: Duration) -> Bool {
    if self.buckets.count >= Self.capacity, self.buckets[sender] == nil {
      self.buckets = self.buckets.filter { self.refilled($0.value, at: now) < Double(self.perMinute) }
      // Ten thousand senders at fault at once: that is a fault of ours, and nobody is told.
      if self.buckets.count >= Self.capacity { return false }
    }
    let tokens = self.buckets[sender].map { self.refilled($0, at: now) } ?? Double(self.perMinute)
    let may = tokens >= 1
    self.buckets[sender] = Bucket(tokens: may ? tokens - 1 : tokens, at: now)
    return may
  }

  private func refilled(_ bucket: Bucket, at now: Duration) -> Double {
    let minutes = max(.zero, now - bucket.at) / .seconds(60)
    return min(Double(self.perMinute), bucket.tokens + minutes * Double(self.perMinute))
  }
}
