// SPDX-License-Identifier: Apache-2.0

/// What was on hand when a link to the source was lost: it comes again, and nothing that came after it may go before it.
///
/// A bus gives back what a dead link held when it notices that the link is dead. A new link that is there earlier gets what lay behind it:
/// sent at once, later messages would overtake. What one link held is a *generation*; the bus gives it back together and in order, but what
/// several links held in any order. So something of every generation must have come, the oldest first, before anything that was in none of
/// them. What of a generation does not come although something after it did is gone: settled after all, expired, or somebody else's.
struct ReturnOrder: Sendable {
  private struct Generation {
    var fingerprints: [Fingerprint]
    /// Whether anything of it came over the present link.
    var hasBegun = false
    /// Those before it have come, or are gone.
    var next = 0

    var rest: ArraySlice<Fingerprint> { self.fingerprints[min(self.next, self.fingerprints.count)...] }
  }

  /// Oldest first.
  private var generations: [Generation] = []
  private var places: [Fingerprint: (generation: Int, place: Int)] = [:]

  /// What is still awaited.
  var count: Int { self.generations.reduce(0) { $0 + $1.rest.count } }
  var isEmpty: Bool { self.generations.isEmpty }

  /// Link by link, the oldest first: what ``lost(_:ahead:)`` makes it again of.
  var remaining: [[Fingerprint]] { self.generations.map { generation in generation.rest.filter { self.places[$0] != nil } } }

  /// An arrival that is to be sent.
  ///
  /// - Returns: whether it may: nothing that was before it is still to come.
  mutating func takes(_ fingerprint: Fingerprint) -> Bool {
    guard !self.generations.isEmpty else { return true }
    guard let found = self.places[fingerprint], found.place >= self.generations[found.generation].next else {
      // It was on no hand before: all that was must have come.
      guard self.generations.allSatisfy(\.hasBegun) else { return false }
      self.clear()
      return true
    }
    guard self.generations[..<found.generation].allSatisfy(\.hasBegun) else { return false }
    self.generations[found.generation].hasBegun = true
    self.generations[found.generation].next = found.place + 1
    for index in 0..<found.generation { self.generations[index].next = self.generations[index].fingerprints.count }
    if self.generations.allSatisfy({ $0.rest.isEmpty }) { self.clear() }
    return true
  }

  /// It is at the target after all, or is not to be sent: nothing waits for it.
  mutating func drop(_ fingerprint: Fingerprint) {
    guard let found = self.places[fingerprint], let place = self.generations[found.generation].fingerprints.indices.last,
      found.place <= place
    else { return }
    if found.place == self.generations[found.generation].next { self.generations[found.generation].next += 1 }
    self.places[fingerprint] = nil
    let left = self.generations[found.generation].rest.contains { self.places[$0] != nil }
    if !left {
      self.generations[found.generation].next = self.generations[found.generation].fingerprints.count
      self.generations[found.generation].hasBegun = true
    }
    if self.generations.allSatisfy({ $0.rest.isEmpty }) { self.clear() }
  }

  /// The link is gone with all that it held, in the order in which that came. What was still to come of the generations that had
  /// begun follows it.
  ///
  /// - Parameter ahead: what came before its time, and goes to the end.
  mutating func lost(_ onHand: [Fingerprint], ahead: [Fingerprint] = []) {
    var held = onHand
    for generation in self.generations where generation.hasBegun { held += generation.rest.filter { self.places[$0] != nil } }
    held += ahead
    self.generations.removeAll { $0.hasBegun }
    // What an earlier generation still waits for is not waited for twice.
    let waited = Set(self.generations.flatMap(\.rest))
    held.removeAll { waited.contains($0) }
    if !held.isEmpty { self.generations.append(Generation(fingerprints: held)) }
    self.places = [:]
    for (index, generation) in self.generations.enumerated() {
      for (place, fingerprint) in generation.fingerprints.enumerated() where place >= generation.next {
        if self.places[fingerprint] == nil { self.places[fingerprint] = (index, place) }
      }
    }
  }

  mutating func clear() {
    self.generations = []
    self.places = [:]
  }
}
