// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What will happen, and when: a heap by time, then by the order in which it was entered, so that one seed is one history.
struct Agenda {
  enum Item {
    case daemonStarts
    case daemonDies(Int)
    case wake(daemon: Int)
    case answer(daemon: Int, errand: Int)
    /// One of those that reach the register late, by its number.
    case lateWrite(Int)
    case heirsFollow(HerID)
    case send(sender: Int)
    case resend(message: Int)
    case poll(group: Int)
    /// A receiver settles what it holds of a queue.
    case settle(queue: Int)
    case receiverRestarts(group: Int)
    case receiverUp(group: Int)
    case duty
    case bridge
    case forward
    case click(person: Int)
    case trouble
    case troubleEnds(Trouble)
    /// Between two writes of one group somebody stops the line, and the world does not stand still.
    case halfMoved
  }

  private struct Entry {
    var at: Int64
    var order: Int
    var item: Item

    func isBefore(_ other: Entry) -> Bool { self.at == other.at ? self.order < other.order : self.at < other.at }
  }

  private var heap: [Entry] = []
  private var entered = 0

  mutating func enter(_ item: Item, at: Int64) {
    self.entered += 1
    let entry = Entry(at: at, order: self.entered, item: item)
    self.heap.append(entry)
    var child = self.heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entry.isBefore(self.heap[parent]) else { break }
      self.heap[child] = self.heap[parent]
      child = parent
    }
    self.heap[child] = entry
  }

  mutating func next() -> (at: Int64, item: Item)? {
    guard let first = self.heap.first, let last = self.heap.popLast() else { return nil }
    guard !self.heap.isEmpty else { return (first.at, first.item) }
    let count = self.heap.count
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < count else { break }
      if child + 1 < count, self.heap[child + 1].isBefore(self.heap[child]) { child += 1 }
      guard self.heap[child].isBefore(last) else { break }
      self.heap[parent] = self.heap[child]
      parent = child
    }
    self.heap[parent] = last
    return (first.at, first.item)
  }
}

/// Trouble in the world that lasts a while.
enum Trouble: String, CaseIterable {
  case registerDown = "register-down"
  case sourceDown = "source-bus-down"
  case targetDown = "target-bus-down"
  case sourceUnreadable = "source-counters-unreadable"
  case credentialExpired = "source-credential-expired"
  case queueGone = "source-queue-gone"
  case diskFull = "disk-full"
  case newerHistory = "newer-history"
}
