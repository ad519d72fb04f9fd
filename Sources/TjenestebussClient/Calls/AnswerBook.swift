// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Which questions (synchronous calls, pings) wait for an answer, and which have stopped waiting lately. Pure.
struct AnswerBook: Sendable {
  enum Arrival: Sendable, Hashable {
    /// Somebody waits for it.
    case awaited
    /// It was asked, but nobody waits any more: it came too late, or twice.
    case late
    /// The question is open, but this is not the party that was asked.
    case fromAnother
    /// Nothing is known of the question: asked before a restart, or by another process.
    case unknown
  }

  private var open: [String: HerID] = [:]
  private var closed: Set<String> = []
  private var closedInOrder: [String] = []
  private static let capacity = 1_000

  var waiting: Int { self.open.count }

  /// - Returns: false when a question of this id waits already.
  mutating func ask(_ id: String, of partner: HerID) -> Bool {
    guard self.open[id] == nil else { return false }
    self.open[id] = partner
    return true
  }

  /// - Parameter from: who answers; nil when the answer does not say.
  mutating func arrives(_ id: String, from: HerID?) -> Arrival {
    guard let partner = self.open[id] else { return self.closed.contains(id) ? .late : .unknown }
    guard from == nil || from == partner else { return .fromAnother }
    self.close(id)
    return .awaited
  }

  /// Nobody waits any more, answered or not.
  mutating func close(_ id: String) {
    guard self.open.removeValue(forKey: id) != nil, self.closed.insert(id).inserted else { return }
    self.closedInOrder.append(id)
    if self.closedInOrder.count > Self.capacity {
      for old in self.closedInOrder.prefix(Self.capacity / 10) { self.closed.remove(old) }
      self.closedInOrder.removeFirst(Self.capacity / 10)
    }
  }
}
