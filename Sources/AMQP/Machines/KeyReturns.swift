// SPDX-License-Identifier: Apache-2.0

/// What was handed back together, by key, and has not come again: what came after it must not overtake it. Pure.
///
/// A message is known by its id; one without cannot be waited for.
struct KeyReturns<Key: Hashable & Sendable>: Sendable {
  /// Behind all that are expected.
  static var unexpected: Int { .max }

  private struct Expected: Sendable {
    var round: UInt64
    var ids: [(rank: Int, id: AMQPMessageID)]
  }

  private var expected: [Key: Expected] = [:]
  private var lastRound: UInt64 = 0

  /// These have just been handed back, in this order; `rank` is the place that each had among those that were expected before.
  ///
  /// - Returns: the number of this expectation, for ``over(_:round:)``; nil when nothing is expected.
  mutating func expect(_ back: [(rank: Int, id: AMQPMessageID?)], of key: Key) -> UInt64? {
    let known = back.compactMap { one in one.id.map { (rank: one.rank, id: $0) } }
    guard !known.isEmpty else { return nil }
    let all = (known + (self.expected[key]?.ids ?? [])).enumerated().sorted {
      ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset)
    }
    self.lastRound += 1
    self.expected[key] = Expected(round: self.lastRound, ids: all.enumerated().map { ($0.offset, $0.element.element.id) })
    return self.lastRound
  }

  /// One has come. - Returns: its place among those that were expected.
  mutating func came(_ id: AMQPMessageID?, of key: Key?) -> Int {
    guard let id, let key, var one = self.expected[key], let index = one.ids.firstIndex(where: { $0.id == id }) else {
      return Self.unexpected
    }
    let rank = one.ids.remove(at: index).rank
    self.expected[key] = one.ids.isEmpty ? nil : one
    return rank
  }

  /// Whether one that was before this rank has yet to come.
  func isMissing(before rank: Int, of key: Key) -> Bool { self.expected[key]?.ids.first.map { $0.rank < rank } ?? false }

  /// It has been waited for long enough. - Returns: whether it was.
  mutating func over(_ key: Key, round: UInt64) -> Bool {
    guard self.expected[key]?.round == round else { return false }
    self.expected[key] = nil
    return true
  }

  /// - Returns: the keys of which something was expected.
  mutating func removeAll() -> [Key] {
    defer { self.expected = [:] }
    return Array(self.expected.keys)
  }
}
