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
    case receiverRestarts(group: Int)
    case receiverUp(group: Int)
    case duty
    case bridge
    case click(person: Int)
    case trouble
    case troubleEnds(Trouble)
  }

  private var heap: [(at: Int64, order: Int, item: Item)] = []
  private var entered = 0

  mutating func enter(_ item: Item, at: Int64) {
    self.entered += 1
    self.heap.append((at, self.entered, item))
    var child = self.heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard self.isBefore(child, parent) else { return }
      self.heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func next() -> (at: Int64, item: Item)? {
    guard let first = self.heap.first, let last = self.heap.popLast() else { return nil }
    if self.heap.isEmpty { return (first.at, first.item) }
    self.heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < self.heap.count && self.isBefore(child, least) { least = child }
      if least == parent { return (first.at, first.item) }
      self.heap.swapAt(least, parent)
      parent = least
    }
  }

  private func isBefore(_ a: Int, _ b: Int) -> Bool {
    (self.heap[a].at, self.heap[a].order) < (self.heap[b].at, self.heap[b].order)
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
