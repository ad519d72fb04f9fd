// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What the counters of the bus that is being left have shown since the watermark.
///
/// It proves that the queues were empty at each look and, where the bus counts arrivals, that nothing came between. It says
/// nothing of single messages: those are not looked at.
public struct DrainLedger: Sendable, Hashable, Codable {
  /// A waiver: somebody answers for what cannot be shown.
  public struct Exception: Sendable, Hashable, Codable {
    public var by: String
    public var why: String
    public var until: Instant
  }

  /// Looks one after the other that found alike.
  public struct Stretch: Sendable, Hashable, Codable {
    public enum Found: String, Sendable, Hashable, Codable, CaseIterable {
      case nothing, something, unreadable
      /// Nothing waited; what receivers may hold is not counted.
      case notAllCounted = "not-all-counted"
    }

    public var found: Found
    public var from: Instant
    public var to: Instant
    public var looks: Int
    /// The most that lay there, dead letters apart.
    public var most: Int64
  }

  struct Quiet: Sendable, Hashable, Codable {
    var since: Instant
    var looks: Int
  }

  public struct Backlog: Sendable, Hashable, Codable {
    public var at: Instant
    public var count: Int64
  }

  /// Taken after the register read back as written, never before (I-9).
  public internal(set) var watermark: Instant?
  /// The last look, readable or not.
  public internal(set) var last: [QueueReading] = []
  public internal(set) var lastLookAt: Instant?
  /// The last look in which every counter was readable.
  public internal(set) var lastReadableAt: Instant?
  /// The last of those that left out nothing: see ``hidingHeld(_:now:)``.
  var lastCountedAt: Instant?
  /// Since when every readable look found nothing; nil when the last one found something.
  public internal(set) var quietSince: Instant?
  /// Readable looks since ``quietSince``.
  public internal(set) var quietLooks: Int = 0
  public internal(set) var looks: Int = 0
  /// Looks that could not be read, or not whole.
  public internal(set) var unreadableLooks: Int = 0
  /// How often something came after a quiet start.
  public internal(set) var lateArrivals: Int = 0
  /// Dead letters before the cut, by queue.
  public internal(set) var deadLetterBaseline: [String: Int64] = [:]
  /// The arrival counters as last read, by queue.
  var lastArrivals: [String: Int64] = [:]
  /// Since when a sender is suspected of not following the register.
  var suspectedAt: Instant?
  /// The alarm, standing or ended; nil when there never was one.
  public internal(set) var staleSender: StaleSender?
  public internal(set) var exceptions: [Exception] = []
  /// What lay there at the readable look before the last one, for how fast it grows less.
  public internal(set) var previousLeftovers: Backlog?
  /// People answer for single senders and queues.
  public internal(set) var namedExceptions: [DrainException] = []
  /// Those of them that ended between the last look and the one before: people are told once.
  public internal(set) var endedExceptions: [DrainException] = []
  /// What was last seen of the messages on each queue that holds any.
  public internal(set) var sighted: [Sighted] = []
  /// Senders of which messages were seen that came after the watermark.
  public internal(set) var senders: [SenderSeen] = []
  /// How long after the watermark a sender that does follow the register was seen to go by its old copy.
  public internal(set) var longestCacheSeen: TimeSpan?
  /// Looks that found alike, stretch by stretch; the last of them.
  public internal(set) var stretches: [Stretch] = []
  /// The longest time between two readable looks of the present quiet.
  public internal(set) var longestGap: TimeSpan?
  /// What left the queues between looks, at least: fetched by the party, carried by a forwarder, expired.
  public internal(set) var left: Int64 = 0
  /// What came to them after the watermark, at least.
  public internal(set) var arrived: Int64 = 0
  public internal(set) var forwarding: ForwardingLedger?
  /// What the forwarder had taken at the last look.
  var takenAtLook: Int64 = 0
  /// The most that was there of each queue since there is a forwarder: on it, or gone from it by the forwarder's doing.
  var levels: [String: Int64] = [:]
  /// The quiet as it goes on when all that the last look found turns out to be of senders for whom people answer.
  var pendingQuiet: Quiet?

  public init() {}

  /// Messages that lie on the queues according to the last look, dead letters apart.
  public var leftovers: Int64 { self.last.reduce(0) { $1.kind == .deadLetter ? $0 : $0 + ($1.lying ?? 0) } }

  /// Dead letters above the baseline according to the last look.
  public var newDeadLetters: Int64 { self.newDeadLetters(self.last) { $1 } }

  public var lastIsReadable: Bool { !self.last.isEmpty && self.last.allSatisfy(\.isReadable) }

  /// Whether a look, not taken in yet, shows something on its way that nobody answers for: a depth, a counted arrival, a dead letter above
  /// the baseline.
  ///
  /// - Parameter isSeen: not what may be a sender's for whom people answer, which only a closer look tells.
  func findsSomething(_ look: [QueueReading], isSeen: Bool = false, now: Instant) -> Bool {
    if self.unansweredDeadLetters(look, isSeen: isSeen, now: now) > 0 { return true }
    if self.unansweredLeftovers(look, isSeen: isSeen, now: now) > 0 { return true }
    return self.countsArrival(look, now: now)
  }

  /// A message that came and went again between two looks: the bus has counted it, or the forwarder has taken it.
  private func countsArrival(_ look: [QueueReading], now: Instant) -> Bool {
    // What was carried over lay there.
    if let forwarding, forwarding.total.received > self.takenAtLook { return true }
    return look.contains { reading in
      guard reading.kind != .deadLetter, let count = reading.arrivals, let before = self.lastArrivals[reading.address.description]
      else { return false }
      // A counter that fell was reset by a restart of the bus: what came before is unknown, so it counts as an arrival.
      return count != before && !self.isExcepted(reading.address, now: now)
    }
  }

  /// Queues on which a receiver may hold messages that the count leaves out, and nobody answers for them. What is not seen is not
  /// drained: such a look is no better than one that could not be read.
  func hidingHeld(_ look: [QueueReading], now: Instant) -> [QueueReading] {
    look.filter { $0.mayHideHeld && !self.isExcepted($0.address, now: now) }
  }

  // MARK: dead letters

  /// A queue's own sub-queues beside the queue of dead letters that has a name of its own: on a bus that tells of both they are the same.
  ///
  /// - Parameter counted: how many of the new ones on a queue count.
  func newDeadLetters(_ look: [QueueReading], counted: (QueueReading, Int64) -> Int64) -> Int64 {
    var named: Int64 = 0
    var below: Int64 = 0
    for reading in look {
      if reading.kind == .deadLetter {
        guard let depth = reading.depth, depth > 0 else { continue }
        let new = depth - (self.deadLetterBaseline[reading.address.description] ?? 0)
        named += counted(reading, max(0, new))
      } else if let dead = reading.deadLettered {
        let new = dead - (self.deadLetterBaseline[Self.below(reading.address)] ?? 0)
        below += counted(reading, max(0, new))
      }
    }
    return max(named, below)
  }

  private static func below(_ queue: QueueAddress) -> String { "\(queue)/dead" }

  /// How many dead letters a queue, or its sub-queues, held before the move.
  func deadLettersBefore(_ reading: QueueReading) -> Int64? {
    self.deadLetterBaseline[reading.kind == .deadLetter ? reading.address.description : Self.below(reading.address)]
  }

  mutating func setBaseline(_ readings: [QueueReading]) {
    for reading in readings {
      if reading.kind == .deadLetter {
        if let depth = reading.depth { self.deadLetterBaseline[reading.address.description] = depth }
      } else if let dead = reading.deadLettered {
        self.deadLetterBaseline[Self.below(reading.address)] = dead
      }
    }
  }

  // MARK: looks

  /// Takes in one look. A gap between readable looks longer than `longestGap` breaks the quiet: nobody was watching.
  mutating func take(_ look: [QueueReading], at now: Instant, longestGap: TimeSpan) {
    for place in self.sighted.indices { self.sighted[place].followsLook = false }
    self.endExceeded(look, at: now)
    let something = self.findsSomething(look, isSeen: false, now: now)
    let isKnown = something && self.findsSomething(look, isSeen: true, now: now)
    let readable = !look.isEmpty && look.allSatisfy(\.isReadable)
    let isWhole = readable && self.hidingHeld(look, now: now).isEmpty
    if readable, self.lastIsReadable, let at = self.lastLookAt { self.previousLeftovers = Backlog(at: at, count: self.leftovers) }
    self.reckon(look)
    self.looks += 1
    if isKnown, self.quietSince != nil { self.lateArrivals += 1 }
    if let previous = self.lastCountedAt, now.since(previous) > longestGap || now < previous {
      self.breakQuiet()
    }
    if isWhole, !isKnown {
      if let previous = self.lastCountedAt, self.quietSince != nil {
        self.longestGap = max(self.longestGap ?? now.since(previous), now.since(previous))
      } else {
        self.longestGap = nil
      }
    }
    // Of what was there at a look that no closer one followed nothing is known any more.
    self.pendingQuiet =
      something && !isKnown && isWhole
      ? Quiet(since: self.quietSince ?? now, looks: self.quietLooks + 1) : nil
    if something { self.breakQuiet() }
    self.last = look
    self.sighted.removeAll { seen in look.contains { $0.address == seen.queue && $0.depth == 0 && $0.lying == 0 } }
    if !isWhole { self.unreadableLooks += 1 }
    if readable {
      if !something, isWhole {
        self.quietSince = self.quietSince ?? now
        self.quietLooks += 1
      }
      if isWhole { self.lastCountedAt = now }
      self.lastReadableAt = now
      for reading in look {
        if let arrivals = reading.arrivals { self.lastArrivals[reading.address.description] = arrivals }
      }
    }
    self.takenAtLook = self.forwarding?.total.received ?? 0
    if !self.namedExceptions.isEmpty {
      let before = self.lastLookAt ?? now
      self.endedExceptions = self.namedExceptions.filter { before < $0.until && $0.until <= now }
    }
    self.noteStretch(something ? .something : !readable ? .unreadable : isWhole ? .nothing : .notAllCounted, at: now)
    self.lastLookAt = now
  }

  private mutating func breakQuiet() {
    self.quietSince = nil
    self.quietLooks = 0
  }

  /// What came and went between the last look and this one, at least.
  private mutating func reckon(_ look: [QueueReading]) {
    for reading in look where reading.kind != .deadLetter {
      guard let depth = reading.depth, let before = self.last.first(where: { $0.address == reading.address })?.depth else {
        continue
      }
      let name = reading.address.description
      let came: Int64
      if let count = reading.arrivals, let counted = self.lastArrivals[name], count >= counted {
        came = count - counted
      } else {
        came = max(0, depth - before)
      }
      self.arrived += came
      self.left += max(0, before + came - depth)
    }
    guard let forwarding else { return }
    for reading in look where reading.kind != .deadLetter {
      guard let depth = reading.depth else { continue }
      let level = depth + forwarding.total(of: reading.address).settled
      self.levels[reading.address.description] = max(level, self.levels[reading.address.description] ?? level)
    }
  }

  /// Stretches that are kept.
  static let stretchesKept = 24

  private mutating func noteStretch(_ found: Stretch.Found, at now: Instant) {
    let lying = self.leftovers
    if let place = self.stretches.indices.last, self.stretches[place].found == found, self.stretches[place].to <= now {
      self.stretches[place].to = now
      self.stretches[place].looks += 1
      self.stretches[place].most = max(self.stretches[place].most, lying)
      return
    }
    self.stretches.append(Stretch(found: found, from: now, to: now, looks: 1, most: lying))
    if self.stretches.count > Self.stretchesKept { self.stretches.removeFirst() }
  }

  /// Why the queues do not count as drained; nil when they do.
  public func shortcoming(now: Instant, policy: Policy) -> WaitReason.Code? {
    guard self.lastIsReadable else { return .countersUnreadable }
    if self.unansweredDeadLetters(self.last, isSeen: true, now: now) > 0 { return .deadLettersGrow }
    if self.unansweredLeftovers(self.last, isSeen: true, now: now) > 0 { return .messagesLeft }
    if self.hasUnanswered(now: now) { return .sendersNotSeen }
    // What a forwarder holds lies on no queue that is counted, and is not yet on the other bus.
    if let forwarding, forwarding.open > 0 { return .forwarding }
    guard self.hidingHeld(self.last, now: now).isEmpty else { return .heldNotCounted }
    guard let end = self.quietEnd(policy), now >= end, self.quietLooks >= policy.minimumLooks else { return .quietPeriod }
    return nil
  }

  /// When the present quiet is long enough; nil when there is none.
  public func quietEnd(_ policy: Policy) -> Instant? {
    self.quietSince.map { policy.quietEnd(since: $0, seen: self.longestCacheSeen) }
  }

  /// A waiver that still runs.
  public func liveException(now: Instant) -> Exception? { self.exceptions.last { $0.until > now } }

  // MARK: messages by their metadata

  /// Queues on which something lies by the last look.
  var filled: [QueueAddress] {
    self.last.filter { ($0.lying ?? 0) > 0 || ($0.deadLettered ?? 0) > 0 }.map(\.address)
  }

  /// Whether somebody should look what it is that lies there. Gently: at once when it is new, and then once in a while.
  func peekIsDue(now: Instant, policy: Policy, dialect: Dialect?) -> Bool {
    guard dialect?.capabilities.browses == true, let look = self.lastLookAt else { return false }
    if self.awaitsSighting(now: now, dialect: dialect) { return true }
    let filled = self.last.filter { ($0.kind == .deadLetter ? 0 : $0.lying ?? 0) > 0 }.map(\.address)
    guard !filled.isEmpty || self.newDeadLetters > 0 else { return false }
    guard let last = self.sighted.map(\.at).max() else { return true }
    if now < last || now >= last + policy.lookInterval * 12 { return last < look || now < last }
    return last < look && filled.contains { queue in !self.sighted.contains { $0.queue == queue } }
  }

  mutating func take(_ event: GroupEvent, at now: Instant, entriesReadAt: Instant? = nil, policy: Policy) {
    guard case .sighted(let queue, let sightings, let isWhole) = event else { return }
    let seen = Sighted(queue: queue, at: now, sightings: sightings, isWhole: isWhole)
    if let place = self.sighted.firstIndex(where: { $0.queue == queue }) {
      self.sighted[place] = seen
    } else {
      self.sighted.append(seen)
    }
    self.follow(seen, entriesReadAt: entriesReadAt, policy: policy)
    guard let quiet = self.pendingQuiet else { return }
    if !self.hasUnanswered(now: now) {
      // All of it is what people answer for: the quiet was none of it broken by.
      self.quietSince = quiet.since
      self.quietLooks = quiet.looks
      self.pendingQuiet = nil
    } else if self.hasUnanswered(isSeen: true, now: now) {
      if quiet.looks > 1 { self.lateArrivals += 1 }
      self.pendingQuiet = nil
    }
  }
}
