// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// What links held that were lost: it comes again, and nothing that came after it may go before it. Pure.
///
/// A bus gives back what a dead link held when it notices that the link is dead. Until then a new link gets what lay behind it: sent at once,
/// that would overtake. And a bus may give it back in another order: a quorum queue hands out first what was given back first, so
/// what several links held comes link by link as their ends were noticed, and what the last link had half fetched comes behind the other half. So what
/// comes before its turn is *early*: it is held on the link, unsent, and goes when all before it has come.
///
/// *The line* is the order of the source: what was on hand when links were lost, and the early ones at their places. What the dead
/// link had been given and nobody has read (its *tail*) is not in the line, and comes marked as handed out before, right behind what was read. What
/// comes unmarked was on no link: it goes last of all. A link of whose end the bus may not know, and of which nothing has come again, may hold a tail
/// even where nothing was on hand.
///
/// Where the bus numbers its messages, the numbers say it: of two that have come, the smaller goes first.
///
/// What of the line does not come at all is settled after all, expired, or somebody else's. That is known at once where something has come that the same
/// link held behind it, since a link's messages are given back together; otherwise only time tells.
struct ReturnOrder: Sendable {
  enum Turn: Sendable, Equatable {
    case now
    /// To be held until ``release()``; `behind` is what it goes behind, nil where that is all that there is.
    case early(behind: Fingerprint?)
  }

  /// What came last over the present link.
  enum Latest: Sendable, Equatable {
    case nothing
    case went
    /// It is not to be sent: the target had it already, or it is set aside.
    case passed
    /// It was held, and was on a link before.
    case early(Fingerprint)
    /// It was held, and had been on no link.
    case fresh
  }

  private struct Entry {
    let fingerprint: Fingerprint
    /// The one that held it last, whose end is noticed when it comes again; ``noLink`` where we gave it back ourselves.
    var link: Int
    /// Whether its link's messages come together: no later link can have got some of them.
    var isWhole: Bool
    /// It has come, early.
    var arrival: ForwardMachine.Arrival?
    /// It was on no link before.
    var isFresh = false
    /// Of one that has come, now or over a link before.
    var sequenceNumber: Int64?
  }

  private var line: Deque<Entry> = []
  /// Those in the line that have not come. Of several that are alike one stands there: the others are known by where they come.
  private var open: Set<Fingerprint> = []
  private(set) var earlyCount = 0
  /// Those among them that were not in the line.
  private(set) var unforeseen = 0
  /// Dead links of which the bus may not know: they may hold what nobody has read.
  private var unnoticed: Set<Int> = []
  private var lastLink = 0
  private static let noLink = -1
  private(set) var latest = Latest.nothing
  /// Whether early ones have gone on over the present link: what it holds is not in the order in which it came.
  private(set) var hasReleased = false

  /// Nothing is awaited, and nothing is held.
  var isEmpty: Bool { self.line.isEmpty && self.unnoticed.isEmpty }
  /// How many have not come.
  var count: Int { self.open.count }
  /// Whether the bus knows of all dead links.
  var isNoticed: Bool { self.unnoticed.isEmpty }
  /// All that is known to be owed has come. A tail may still follow what came last.
  var hasAllCome: Bool { self.count == 0 && self.unnoticed.isEmpty }
  /// Whether only time, or the bus itself, tells of the links that may be dead unnoticed: nothing that they are known to hold is awaited.
  var waitsForTime: Bool {
    !self.isNoticed && !self.line.contains { $0.arrival == nil && self.unnoticed.contains($0.link) }
  }
  /// In the order of the source, with the early ones.
  var remaining: [Fingerprint] { self.line.map(\.fingerprint) }
  var early: [ForwardMachine.Arrival] { self.line.compactMap(\.arrival) }

  /// An arrival that is to be sent.
  mutating func turn(of arrival: ForwardMachine.Arrival) -> Turn {
    guard !self.isEmpty else { return .now }
    if self.open.contains(arrival.fingerprint) { return self.known(arrival) }
    guard arrival.isRedelivered else {
      let before = self.line.last?.fingerprint
      self.hold(arrival, at: self.line.count, isFresh: true)
      return .early(behind: before)
    }
    let place = self.numberedPlace(of: arrival, guess: self.placeByLatest())
    // Nothing that is known goes before it.
    if place == 0, self.isNoticed {
      self.latest = .went
      return .now
    }
    let before = place > 0 ? self.line[place - 1].fingerprint : nil
    self.hold(arrival, at: place, isFresh: false)
    return .early(behind: before)
  }

  /// By what came last, for one that was handed out before and is not known.
  private func placeByLatest() -> Int {
    switch self.latest {
    // What a dead link may hold unread goes before it, if that is so.
    case .went: return 0
    case .early(let fingerprint):
      return self.line.lastIndex { $0.fingerprint == fingerprint && $0.arrival != nil }.map { $0 + 1 } ?? 0
    case .nothing, .passed, .fresh:
      let behindLast = self.line.lastIndex { $0.link == self.lastLink && !$0.isFresh }
      let behindAll = self.line.lastIndex { !$0.isFresh }
      return ((self.latest == .nothing ? behindLast : nil) ?? behindAll).map { $0 + 1 } ?? 0
    }
  }

  /// The guess, as far as no number speaks against it.
  private func numberedPlace(of arrival: ForwardMachine.Arrival, guess: Int) -> Int {
    guard let number = arrival.sequenceNumber else { return guess }
    if let before = self.line.firstIndex(where: { Self.isBefore(number, $0.sequenceNumber) }), before < guess { return before }
    let behind = self.line.lastIndex { Self.isBefore($0.sequenceNumber, number) }
    return max(guess, behind.map { $0 + 1 } ?? 0)
  }

  /// Whether both are numbered by the same counter, and one is smaller. A partitioned queue has a counter for each partition, which the upper 16 bits name.
  private static func isBefore(_ one: Int64?, _ other: Int64?) -> Bool {
    guard let one, let other else { return false }
    return one >> 48 == other >> 48 && one < other
  }

  private mutating func known(_ arrival: ForwardMachine.Arrival) -> Turn {
    guard let found = self.line.firstIndex(where: { $0.fingerprint == arrival.fingerprint && $0.arrival == nil }) else {
      return .now
    }
    self.line[found].sequenceNumber = arrival.sequenceNumber
    self.unnoticed.remove(self.line[found].link)
    var index = self.moveBehindSmaller(found)
    // We gave it back ourselves: that says nothing of a link that may be dead unnoticed, and may hold what goes before it. Nor does what a later link held; only
    // where numbers will say the order it is worth waiting for, though.
    let link = self.line[index].link
    let isNumbered = arrival.sequenceNumber != nil
    if !self.isNoticed, link == Self.noLink || isNumbered && self.unnoticed.contains(where: { $0 < link }) {
      let before = index > 0 ? self.line[index - 1].fingerprint : nil
      self.line[index].arrival = arrival
      self.open.remove(arrival.fingerprint)
      self.earlyCount += 1
      self.latest = .fresh
      return .early(behind: before)
    }
    if self.line[index].isWhole {
      // What its link held before it would have come before it.
      while let first = self.line.first, first.isWhole, first.arrival == nil, index > 0 {
        self.removeOpen(at: 0)
        index -= 1
      }
    }
    guard index == 0 else {
      let before = self.line[index - 1].fingerprint
      self.line[index].arrival = arrival
      self.open.remove(arrival.fingerprint)
      self.earlyCount += 1
      self.latest = .early(arrival.fingerprint)
      return .early(behind: before)
    }
    self.removeOpen(at: 0)
    self.latest = .went
    return .now
  }

  /// What came with a smaller number goes before it, whatever was thought when that came.
  ///
  /// - Returns: where it stands now.
  private mutating func moveBehindSmaller(_ index: Int) -> Int {
    let number = self.line[index].sequenceNumber
    guard let behind = self.line.lastIndex(where: { Self.isBefore($0.sequenceNumber, number) }), behind > index else {
      return index
    }
    var entry = self.line.remove(at: index)
    entry.isWhole = false
    self.line.insert(entry, at: behind)
    return behind
  }

  private mutating func hold(_ arrival: ForwardMachine.Arrival, at place: Int, isFresh: Bool) {
    self.line.insert(
      Entry(
        fingerprint: arrival.fingerprint, link: self.lastLink, isWhole: false, arrival: arrival, isFresh: isFresh,
        sequenceNumber: arrival.sequenceNumber), at: place)
    self.earlyCount += 1
    self.unforeseen += 1
    self.latest = isFresh ? .fresh : .early(arrival.fingerprint)
  }

  private mutating func removeOpen(at index: Int) {
    self.open.remove(self.line[index].fingerprint)
    self.line.remove(at: index)
  }

  /// It came over the present link, and is not to be sent: the target has it, or it is set aside.
  mutating func passed(_ arrival: ForwardMachine.Arrival) {
    guard !self.isEmpty else { return }
    self.latest = .passed
    // It was settled in vain, or held. By which link is not known where there is more than one.
    if arrival.isRedelivered, arrival.standing != .unknown, self.unnoticed.count == 1 { self.unnoticed = [] }
    self.drop(arrival.fingerprint)
  }

  /// It is at the target after all: nothing waits for it.
  mutating func drop(_ fingerprint: Fingerprint) {
    guard self.open.contains(fingerprint),
      let index = self.line.firstIndex(where: { $0.fingerprint == fingerprint && $0.arrival == nil })
    else { return }
    self.removeOpen(at: index)
  }

  /// What was held may go, in this order; nothing is awaited any more.
  mutating func release() -> [ForwardMachine.Arrival] {
    let early = self.early
    self.hasReleased = self.hasReleased || !early.isEmpty
    self.clear()
    return early
  }

  /// What was held goes back to the source, and comes again.
  ///
  /// - Returns: the numbers of those.
  mutating func letGo() -> [UInt64] {
    var numbers: [UInt64] = []
    for index in self.line.indices {
      guard let arrival = self.line[index].arrival else { continue }
      numbers.append(arrival.number)
      self.line[index].arrival = nil
      self.line[index].link = Self.noLink
      self.open.insert(arrival.fingerprint)
    }
    self.earlyCount = 0
    self.unforeseen = 0
    self.latest = .nothing
    return numbers
  }

  /// The bus knows of all dead links: what they held has come back to the queue.
  mutating func noticed() { self.unnoticed = [] }

  /// It is not awaited any more; what is held stays.
  ///
  /// - Returns: how many have not come.
  mutating func giveUp() -> Int {
    defer {
      self.line.removeAll { $0.arrival == nil }
      self.open = []
      self.unnoticed = []
    }
    return self.count
  }

  /// A link is gone with all that it held.
  ///
  /// - Parameters:
  ///   - onHand: what had gone on, in its order.
  ///   - released: those among it that were given back before, so that their coming says nothing of the link.
  ///   - link: greater than that of any link before it.
  ///   - isNoticed: whether the bus knows of it.
  mutating func lost(_ onHand: [Fingerprint], released: Set<Fingerprint> = [], link: Int, isNoticed: Bool) {
    let isWhole = !self.hasReleased && released.isEmpty
    var line = Deque<Entry>(minimumCapacity: onHand.count + self.line.count)
    for fingerprint in onHand {
      line.append(
        Entry(fingerprint: fingerprint, link: released.contains(fingerprint) ? Self.noLink : link, isWhole: isWhole))
    }
    for entry in self.line {
      line.append(
        Entry(
          fingerprint: entry.fingerprint, link: entry.arrival == nil ? entry.link : link, isWhole: false,
          sequenceNumber: entry.sequenceNumber))
    }
    if !isNoticed { self.unnoticed.insert(link) }
    self.take(line, link)
  }

  /// What the process before this one knew to be owed.
  ///
  /// - Parameter isNumbered: whether the source numbers its messages.
  mutating func await(_ awaited: Awaited, isNumbered: Bool = false) {
    var line = Deque(awaited.held.map { Entry(fingerprint: $0, link: 0, isWhole: awaited.isWhole) })
    // By whom these were held is not written: some that process gave back itself, and of a link that it doubted they say nothing.
    let link = !awaited.isNoticed && isNumbered ? Self.noLink : 0
    line.append(contentsOf: awaited.behind.map { Entry(fingerprint: $0, link: link, isWhole: false) })
    if !awaited.isNoticed { self.unnoticed.insert(0) }
    self.take(line, 0)
  }

  private mutating func take(_ line: Deque<Entry>, _ link: Int) {
    self.open = []
    self.line = Deque(line.filter { self.open.insert($0.fingerprint).inserted })
    self.earlyCount = 0
    self.unforeseen = 0
    self.lastLink = link
    self.latest = .nothing
    self.hasReleased = false
  }

  private mutating func clear() {
    self.line = []
    self.open = []
    self.earlyCount = 0
    self.unforeseen = 0
    self.unnoticed = []
    self.latest = .nothing
  }
}
