// SPDX-License-Identifier: Apache-2.0

import HeapModule
import NIOCore

/// Deadlines of many waits behind one timer. Pure: whoever owns it keeps the timer.
struct DeadlineQueue<Key: Sendable> {
  private struct Entry: Comparable {
    let deadline: NIODeadline
    let number: UInt64
    let key: Key
    static func == (lhs: Entry, rhs: Entry) -> Bool { lhs.number == rhs.number }
    static func < (lhs: Entry, rhs: Entry) -> Bool {
      (lhs.deadline, lhs.number) < (rhs.deadline, rhs.number)
    }
  }

  private var heap = Heap<Entry>()
  private var lastNumber: UInt64 = 0
  private var compactionSize = 4_096

  var count: Int { self.heap.count }
  var next: NIODeadline? { self.heap.min?.deadline }

  mutating func add(_ key: Key, at deadline: NIODeadline) {
    self.lastNumber += 1
    self.heap.insert(Entry(deadline: deadline, number: self.lastNumber, key: key))
  }

  /// Removes and returns the next entry that is due.
  mutating func popDue(at now: NIODeadline) -> Key? {
    guard let first = self.heap.min, first.deadline <= now else { return nil }
    return self.heap.popMin()?.key
  }

  /// Drops entries whose wait has ended, so that quick waits with long deadlines do not pile up.
  mutating func compact(keeping isPending: (Key) -> Bool) {
    guard self.heap.count > self.compactionSize else { return }
    defer { self.compactionSize = max(4_096, 2 * self.heap.count) }
    self.heap = Heap(self.heap.unordered.filter { isPending($0.key) })
  }
}
