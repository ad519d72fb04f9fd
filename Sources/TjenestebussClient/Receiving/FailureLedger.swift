// SPDX-License-Identifier: Apache-2.0

/// How often this process has failed to handle a message, and how many failures in a row one queue has had. Pure.
///
/// Buses count returns differently and some not at all, so we count too. A restart forgets; the bus's count, where there is one,
/// does not.
struct FailureLedger: Sendable {
  private var counts: [String: Int] = [:]
  private var order: [String] = []
  private(set) var inARow = 0
  private static let capacity = 10_000

  /// - Parameter key: what the message is known by; nil when it has nothing to be known by.
  /// - Returns: how often it has failed here, this time included.
  mutating func failed(_ key: String?) -> Int {
    self.inARow += 1
    guard let key else { return 1 }
    if self.counts[key] == nil {
      self.order.append(key)
      if self.order.count > Self.capacity {
        for old in self.order.prefix(Self.capacity / 10) { self.counts[old] = nil }
        self.order.removeFirst(Self.capacity / 10)
      }
    }
    self.counts[key, default: 0] += 1
    return self.counts[key] ?? 1
  }

  mutating func succeeded(_ key: String?) {
    self.inARow = 0
    self.forget(key)
  }

  /// It is out of our hands: dead-lettered, or its sender told.
  mutating func forget(_ key: String?) {
    guard let key, self.counts.removeValue(forKey: key) != nil else { return }
    self.order.removeAll { $0 == key }
  }
}

/// What follows when a handler failed. Pure.
struct RetryRule: Sendable {
  enum Verdict: Sendable, Hashable {
    /// Held so long, then given back to be delivered again.
    case later(after: Duration, nearLimit: Bool)
    /// Dead-lettered: it has failed too often.
    case deadLetter
  }

  /// The wait after a failure.
  var delay: Duration
  /// The longest wait, when nothing at all succeeds.
  var longestDelay: Duration
  /// How many failures in a row count as "nothing succeeds": twice what is in the handler at once.
  var window: Int
  /// The failure after which a message is dead-lettered; nil for never.
  var limit: Int?
  /// From so many failures before the limit on, it is told that the limit is near.
  var warning: Int

  func verdict(attempts: Int, failuresInARow: Int, asked: Duration? = nil) -> Verdict {
    if let limit, attempts >= limit { return .deadLetter }
    let isNear = self.limit.map { attempts >= $0 - self.warning } ?? false
    if let asked { return .later(after: min(max(asked, .zero), self.longestDelay), nearLimit: isNear) }
    // When everything fails, the fault is most likely ours (a database that is down). Then the delay grows: at the usual pace
    // every message in the queue would be dead-lettered before somebody has mended it.
    let doublings = min(failuresInARow / max(self.window, 1), 16)
    return .later(after: max(self.delay, min(self.delay * (1 << doublings), self.longestDelay)), nearLimit: isNear)
  }
}
