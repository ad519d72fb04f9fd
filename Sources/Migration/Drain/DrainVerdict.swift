// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Whether nothing is left of a group on the bus it has left, what that rests on, and what it does not show.
///
/// It is worked out from what is in the history and from nothing else: ``recomputed(pulje:group:from:now:)`` gives the same from the
/// events themselves.
public struct DrainVerdict: Sendable, Hashable, Codable {
  public enum Result: String, Sendable, Hashable, Codable, CaseIterable {
    case drained
    /// What is left, or is not shown, somebody answers for.
    case drainedWithExceptions = "drained-with-exceptions"
    case notDrained = "not-drained"
    /// The register entries were not yet read back as written.
    case notBegun = "not-begun"
  }

  /// One queue by the last look.
  public struct Queue: Sendable, Hashable, Codable {
    public var address: QueueAddress
    public var kind: QueueKind
    /// `counted`, `absent` or `unreadable`.
    public var state: String
    public var seen: String?
    public var depth: Int64?
    public var arrivals: Int64?
    public var consumers: Int64?
    /// When the bus was asked, where that was before the look.
    public var readAt: Instant?
    public var figures: QueueFigures?
    public var deadLettersBefore: Int64?
    /// Nothing lies there, as far as it can be counted.
    public var isClear: Bool
    /// What a receiver holds and has not settled is not among what is counted.
    public var leavesOutHeld: Bool
    /// Somebody answers for it.
    public var isExcepted: Bool
    public var forwarded: ForwardingCount?
  }

  public struct Forwarded: Sendable, Hashable, Codable {
    public var total: ForwardingCount
    /// Taken by a forwarder and neither settled nor given back.
    public var open: Int64
    /// On hand in runs that ended without a last word.
    public var interrupted: Int64
    public var carrier: ForwardingOrder.Carrier
    public var stands: Bool
    public var stops: [ForwardingLedger.Stop]
  }

  public var schema = "bus-migrator/drain-verdict/1"
  public var pulje: PuljeName
  public var group: GroupID
  /// The bus that is left.
  public var bus: BusName
  public var dialect: Dialect?
  public var direction: Direction
  public var at: Instant
  public var result: Result
  /// What keeps it from being drained; nil when nothing does.
  public var code: String?
  public var because: String

  // MARK: what it rests on

  /// Since when whatever comes is late: after every register entry read back as written.
  public var watermark: Instant?
  public var looks: Int
  public var unreadableLooks: Int
  public var lastLookAt: Instant?
  public var lastReadableAt: Instant?
  /// The last of those that left out nothing that receivers hold.
  public var lastCountedAt: Instant?
  /// What the looks found, stretch by stretch; the last of them.
  public var stretches: [DrainLedger.Stretch]
  /// The longest time in the present quiet in which nobody looked.
  public var longestGap: TimeSpan?
  public var quietSince: Instant?
  public var quietUntil: Instant?
  public var quietLooks: Int
  public var looksNeeded: Int
  public var quietNeeded: TimeSpan
  public var declaredCache: TimeSpan?
  public var seenCache: TimeSpan?
  public var lateArrivals: Int
  /// Whether the bus counts every message that comes to these queues.
  public var countsArrivals: Bool
  /// Since the drain began, at least.
  public var arrived: Int64
  /// What left the queues and was not carried by a forwarder, at least: fetched by the party, or expired.
  public var fetched: Int64
  public var leftovers: Int64
  public var newDeadLetters: Int64
  public var forwarded: Forwarded?
  public var waivers: [DrainLedger.Exception]
  public var exceptions: [DrainException]
  public var staleSender: StaleSender?
  public var queues: [Queue]
  public var stranded: [StrandedFinding]

  public var proves: [String]
  public var cannotProve: [String]

  public var isDrained: Bool { self.result == .drained || self.result == .drainedWithExceptions }
}

extension DrainVerdict {
  /// - Parameters:
  ///   - ledger: of the drain that is judged: the group's present one, or the one before it was rolled back.
  ///   - vendor: whose system a party runs, where the plan knows it.
  init(
    _ group: GroupState, _ ledger: DrainLedger, direction: Direction, plan: Plan, now: Instant, vendor: (HerID) -> String?
  ) {
    let policy = plan.policy
    let dialect = direction == .forward ? plan.sourceDialect : plan.targetDialect
    self.pulje = plan.name
    self.group = group.id
    self.bus = direction == .forward ? plan.source : plan.target
    self.dialect = dialect
    self.direction = direction
    self.at = now
    self.watermark = ledger.watermark
    self.looks = ledger.looks
    self.unreadableLooks = ledger.unreadableLooks
    self.lastLookAt = ledger.lastLookAt
    self.lastReadableAt = ledger.lastReadableAt
    self.lastCountedAt = ledger.lastCountedAt
    self.stretches = ledger.stretches
    self.longestGap = ledger.longestGap
    self.quietSince = ledger.quietSince
    self.quietUntil = ledger.quietEnd(policy)
    self.quietLooks = ledger.quietLooks
    self.looksNeeded = policy.minimumLooks
    self.quietNeeded = policy.quietNeeded(seen: ledger.longestCacheSeen)
    self.declaredCache = policy.longestDeclaredCache
    self.seenCache = ledger.longestCacheSeen
    self.lateArrivals = ledger.lateArrivals
    let counted = ledger.last.filter { $0.kind != .deadLetter && $0.count != .absent }
    self.countsArrivals = !counted.isEmpty && counted.allSatisfy { $0.arrivals != nil }
    self.arrived = ledger.arrived
    self.fetched = max(0, ledger.left - (ledger.forwarding?.total.settled ?? 0))
    self.leftovers = ledger.leftovers
    self.newDeadLetters = ledger.newDeadLetters
    self.forwarded = ledger.forwarding.map {
      Forwarded(
        total: $0.total, open: $0.open, interrupted: $0.interrupted, carrier: $0.order.carrier, stands: $0.stands, stops: $0.stops
      )
    }
    self.waivers = ledger.exceptions.filter { $0.until > now }
    self.exceptions = ledger.liveExceptions(now: now)
    self.staleSender = ledger.staleSender
    self.stranded = ledger.stranded(policy: policy, dialect: dialect, now: now, vendor: vendor)
    self.queues = ledger.last.map { Queue($0, ledger, exceptions: ledger.liveExceptions(now: now)) }
    let judgement = DrainJudgement(ledger, group: group, policy: policy, now: now)
    self.result = judgement.result
    self.code = judgement.code
    self.because = judgement.because
    self.proves = []
    self.cannotProve = []
    self.proves = self.shown.map(\.words)
    self.cannotProve = self.notShown.map(\.words)
  }
}

extension DrainVerdict.Queue {
  fileprivate init(_ reading: QueueReading, _ ledger: DrainLedger, exceptions: [DrainException]) {
    self.address = reading.address
    self.kind = reading.kind
    switch reading.count {
    case .counted: self.state = "counted"
    case .absent: self.state = "absent"
    case .unreadable(let why):
      self.state = "unreadable"
      self.seen = why
    }
    self.depth = reading.depth
    self.arrivals = reading.arrivals
    self.consumers = reading.consumers
    self.readAt = reading.readAt
    self.figures = reading.figures
    self.deadLettersBefore = ledger.deadLettersBefore(reading)
    self.leavesOutHeld = reading.leavesOutHeld
    self.isClear = reading.isReadable && !reading.mayHideHeld && (reading.lying ?? 0) == 0 && (reading.deadLettered ?? 0) == 0
    self.isExcepted = exceptions.contains { $0.what == .queue(reading.address) }
    if let forwarding = ledger.forwarding {
      let total = forwarding.total(of: reading.address)
      self.forwarded = total.received > 0 ? total : nil
    }
  }
}

extension PuljeState {
  /// The verdict on one group: of the bus it leaves now.
  public func drainVerdict(of group: GroupID, now: Instant) -> DrainVerdict? {
    guard let state = self.groups[group] else { return nil }
    return state.drainVerdict(self.plan, now: now) { herID in
      self.group(of: herID).flatMap { self.groups[$0]?.member(herID)?.plan.vendor }
    }
  }

  public func drainVerdicts(now: Instant) -> [DrainVerdict] {
    self.groups.indices.compactMap { self.drainVerdict(of: self.groups[$0].id, now: now) }
  }
}

extension GroupState {
  func drainVerdict(_ plan: Plan, now: Instant, vendor: (HerID) -> String?) -> DrainVerdict {
    DrainVerdict(self, self.drain, direction: self.direction, plan: plan, now: self.judgedAt(now), vendor: vendor)
  }

  /// Of the way forward, as it stood when the group turned back; nil when it has not.
  public func forwardDrainVerdict(_ plan: Plan) -> DrainVerdict? {
    guard let forwardDrain, let rollBack else { return nil }
    return DrainVerdict(self, forwardDrain, direction: .forward, plan: plan, now: rollBack.at) { _ in nil }
  }

  /// The verdict without its evidence: what status shows, so that nobody works out one of his own.
  func drainJudgement(_ policy: Policy, now: Instant) -> DrainJudgement {
    DrainJudgement(self.drain, group: self, policy: policy, now: self.judgedAt(now))
  }

  /// Nobody looks any more when a group is back or its queues may go: what counts is how it stood then.
  private func judgedAt(_ now: Instant) -> Instant {
    switch self.phase {
    case .restored, .removed: self.since
    default: now
    }
  }
}
