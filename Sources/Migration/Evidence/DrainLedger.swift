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
  /// Since when every readable look found nothing; nil when the last one found something.
  public internal(set) var quietSince: Instant?
  /// Readable looks since ``quietSince``.
  public internal(set) var quietLooks: Int = 0
  public internal(set) var looks: Int = 0
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

  public init() {}

  /// Messages that lie on the queues according to the last look, dead letters apart.
  public var leftovers: Int64 { self.last.reduce(0) { $1.kind == .deadLetter ? $0 : $0 + ($1.depth ?? 0) } }

  /// Dead letters above the baseline according to the last look.
  public var newDeadLetters: Int64 { Self.newDeadLetters(self.last, baseline: self.deadLetterBaseline) }

  public var lastIsReadable: Bool { !self.last.isEmpty && self.last.allSatisfy(\.isReadable) }

  /// Whether a look shows something on its way: a depth, a counted arrival, a dead letter above the baseline.
  func findsSomething(_ look: [QueueReading]) -> Bool {
    if Self.newDeadLetters(look, baseline: self.deadLetterBaseline) > 0 { return true }
    return look.contains { reading in
      if reading.kind == .deadLetter { return false }
      if let depth = reading.depth, depth > 0 { return true }
      guard let now = reading.arrivals, let before = self.lastArrivals[reading.address.description] else { return false }
      // A counter that fell was reset by a restart of the bus: what came before is unknown, so it counts as an arrival.
      return now != before
    }
  }

  private static func newDeadLetters(_ look: [QueueReading], baseline: [String: Int64]) -> Int64 {
    var sum: Int64 = 0
    for reading in look where reading.kind == .deadLetter {
      guard let depth = reading.depth, depth > 0 else { continue }
      sum += max(0, depth - (baseline[reading.address.description] ?? 0))
    }
    return sum
  }

  mutating func setBaseline(_ readings: [QueueReading]) {
    for reading in readings where reading.kind == .deadLetter {
      if let depth = reading.depth { self.deadLetterBaseline[reading.address.description] = depth }
    }
  }

  /// Takes in one look. A gap between readable looks longer than `longestGap` breaks the quiet: nobody was watching.
  mutating func take(_ look: [QueueReading], at now: Instant, longestGap: TimeSpan) {
    let something = self.findsSomething(look)
    let readable = !look.isEmpty && look.allSatisfy(\.isReadable)
    if readable, self.lastIsReadable, let at = self.lastLookAt { self.previousLeftovers = Backlog(at: at, count: self.leftovers) }
    self.looks += 1
    self.last = look
    if something, self.quietSince != nil { self.lateArrivals += 1 }
    if let previous = self.lastReadableAt, now.since(previous) > longestGap || now < previous {
      self.quietSince = nil
      self.quietLooks = 0
    }
    if something {
      self.quietSince = nil
      self.quietLooks = 0
    }
    if readable {
      self.lastReadableAt = now
      if !something {
        self.quietSince = self.quietSince ?? now
        self.quietLooks += 1
      }
      for reading in look {
        if let arrivals = reading.arrivals { self.lastArrivals[reading.address.description] = arrivals }
      }
    } else {
      self.unreadableLooks += 1
    }
    self.lastLookAt = now
  }

  /// Why the queues do not count as drained; nil when they do.
  public func shortcoming(now: Instant, policy: Policy) -> WaitReason.Code? {
    guard self.lastIsReadable else { return .countersUnreadable }
    if self.newDeadLetters > 0 { return .deadLettersGrow }
    guard self.leftovers == 0 else { return .messagesLeft }
    guard let since = self.quietSince, now >= policy.quietEnd(since: since), self.quietLooks >= policy.minimumLooks else {
      return .quietPeriod
    }
    return nil
  }

  /// A waiver that still runs.
  public func liveException(now: Instant) -> Exception? { self.exceptions.last { $0.until > now } }
}
