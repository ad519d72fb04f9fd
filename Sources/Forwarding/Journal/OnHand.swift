// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// The order of what links hold of one queue, so far as no attempt says it: kept across crashes, so that what comes behind does not overtake.
struct OnHand: Sendable {
  /// Came over the present link and is not about to be sent yet; the oldest first.
  private(set) var taken: Deque<Fingerprint> = []
  /// What links held that were lost, the oldest link first, each in its order. A link's messages come again together: once one has
  /// come, the others stand behind what is on hand.
  private(set) var owed: [(fingerprints: [Fingerprint], hasBegun: Bool)] = []
  /// Whether the bus knows that those links are dead.
  private(set) var isNoticed = true

  var isEmpty: Bool { self.taken.isEmpty && self.owed.isEmpty }

  mutating func took(_ fingerprints: [Fingerprint]) {
    for fingerprint in fingerprints {
      self.come(fingerprint, again: true)
      self.taken.append(fingerprint)
    }
  }

  /// An attempt says it from now on.
  mutating func isSending(_ fingerprint: Fingerprint) {
    self.come(fingerprint, again: true)
    self.forget(fingerprint)
  }

  /// Nothing waits for it any more.
  mutating func isGone(_ fingerprint: Fingerprint) {
    self.come(fingerprint, again: false)
    self.forget(fingerprint)
  }

  private mutating func forget(_ fingerprint: Fingerprint) {
    if self.taken.first == fingerprint {
      self.taken.removeFirst()
    } else if let place = self.taken.firstIndex(of: fingerprint) {
      self.taken.remove(at: place)
    }
  }

  private mutating func come(_ fingerprint: Fingerprint, again: Bool) {
    for index in self.owed.indices {
      guard let place = self.owed[index].fingerprints.firstIndex(of: fingerprint) else { continue }
      self.owed[index].fingerprints.remove(at: place)
      if again { self.owed[index].hasBegun = true }
      if self.owed[index].fingerprints.isEmpty { self.owed.remove(at: index) }
      return
    }
  }

  mutating func lost(_ generations: [[Fingerprint]], isNoticed: Bool) {
    self.taken = []
    self.owed = generations.filter { !$0.isEmpty }.map { ($0, false) }
    self.isNoticed = isNoticed
  }

  mutating func oweNothing() {
    self.owed = []
    self.isNoticed = true
  }

  /// What is to come before anything else, generation by generation.
  ///
  /// - Parameter attempts: what was about to be sent when it was interrupted, the oldest first.
  func awaited(_ attempts: [Fingerprint]) -> [[Fingerprint]] {
    let known = Set(self.owed.flatMap(\.fingerprints)).union(self.taken)
    var held = attempts.filter { !known.contains($0) } + self.taken
    for generation in self.owed where generation.hasBegun { held += generation.fingerprints }
    return self.owed.filter { !$0.hasBegun }.map(\.fingerprints) + (held.isEmpty ? [] : [held])
  }
}
