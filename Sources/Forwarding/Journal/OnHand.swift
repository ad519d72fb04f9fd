// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// The order of what links hold of one queue, so far as no attempt says it: kept across crashes, so that what comes behind does not overtake.
package struct OnHand: Sendable {
  /// It came over the present link; the serials are in the order in which the messages are sent.
  package struct Taken: Sendable, Equatable {
    let serial: UInt64
    let fingerprint: Fingerprint
  }

  /// Came over the present link and is not about to be sent yet; the oldest first.
  private(set) var taken: Deque<Taken> = []
  /// What links held that were lost and has not gone on since, in the order of the source. It goes behind what is on hand.
  private(set) var line: Deque<Fingerprint> = []
  /// Whether the bus knows that those links are dead.
  private(set) var isNoticed = true
  /// Attempts with greater serials came over the present link.
  private(set) var since: UInt64 = 0
  /// Whether what the present link holds came in the order in which it is sent.
  private(set) var isInOrder = true

  var isEmpty: Bool { self.taken.isEmpty && self.line.isEmpty && self.isNoticed && self.isInOrder && self.since == 0 }

  mutating func took(_ taken: [Taken]) {
    for one in taken {
      self.leaveLine(one.fingerprint)
      self.taken.append(one)
    }
  }

  /// It came before its turn, and is held.
  ///
  /// - Parameter before: what it goes behind; nil where it goes before all that is in the line.
  mutating func holds(_ fingerprint: Fingerprint, behind before: Fingerprint?) {
    self.isInOrder = false
    guard !self.line.contains(fingerprint) else { return }
    let place = before.flatMap { self.line.lastIndex(of: $0) }.map { $0 + 1 } ?? 0
    self.line.insert(fingerprint, at: place)
  }

  /// An attempt says it from now on, or nothing waits for it any more.
  mutating func isGone(_ fingerprint: Fingerprint) {
    self.leaveLine(fingerprint)
    if self.taken.first?.fingerprint == fingerprint {
      self.taken.removeFirst()
    } else if let place = self.taken.firstIndex(where: { $0.fingerprint == fingerprint }) {
      self.taken.remove(at: place)
    }
  }

  /// An attempt from before goes on, and says it.
  mutating func leaveLine(_ fingerprint: Fingerprint) {
    if self.line.first == fingerprint {
      self.line.removeFirst()
    } else if let place = self.line.firstIndex(of: fingerprint) {
      self.line.remove(at: place)
    }
  }

  /// - Parameter serial: the last one that was given to an attempt.
  mutating func lost(_ line: [Fingerprint], isNoticed: Bool, at serial: UInt64) {
    self.taken = []
    self.since = serial
    self.line = Deque(line)
    self.isNoticed = isNoticed
    self.isInOrder = true
  }

  /// A process has died: the bus may not know yet that its link is dead.
  mutating func doubtLink() { self.isNoticed = false }

  mutating func oweNothing() {
    self.line = []
    self.isNoticed = true
  }

  /// What is to come before anything else.
  ///
  /// - Parameter attempts: what was about to be sent when it was interrupted.
  func awaited(_ attempts: [Taken]) -> Awaited {
    var known = Set(self.line)
    var awaited = Awaited()
    // An older one that is not in the line is in its place on the source, or gone.
    awaited.held = (self.taken + attempts.filter { $0.serial > self.since }).sorted { $0.serial < $1.serial }.map(\.fingerprint)
      .filter {
        known.insert($0).inserted
      }
    awaited.isWhole = self.isInOrder
    awaited.behind = Array(self.line)
    awaited.isNoticed = self.isNoticed
    return awaited
  }
}
