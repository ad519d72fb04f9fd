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
    self.proves = self.shown
    self.cannotProve = self.notShown
  }

  private var shown: [String] {
    var shown: [String] = []
    if let quietSince, let lastCountedAt {
      shown.append(
        "every queue was counted and empty\(self.exceptions.isEmpty ? "" : ", but for what people answer for,") at each of \(self.quietLooks) looks from \(quietSince) to \(lastCountedAt), never more than "
          + "\(self.longestGap ?? .milliseconds(0)) apart")
      if self.countsArrivals { shown.append("the bus counted no message in between") }
    }
    let knowsDeadLetters = self.queues.contains { $0.figures?.deadLettered != nil || ($0.kind == .deadLetter && $0.depth != nil) }
    if self.newDeadLetters == 0, knowsDeadLetters, self.lastReadableAt == self.lastLookAt {
      shown.append("there are no more dead letters than before the move")
    }
    if let forwarded, forwarded.open == 0, forwarded.carrier == .own {
      let total = forwarded.total
      // Without what did not come again it would say more than is known: see `notShown`.
      var parts = [
        "\(total.accepted) accepted by the other bus",
        "\(total.settledAgain) settled again, which it had already",
      ]
      if total.setAsideInAll > 0 { parts.append("\(total.setAsideInAll) set aside") }
      if total.expired > 0 { parts.append("\(total.expired) expired") }
      parts.append("\(total.leftAlone) given back")
      if let lost = total.notReturned, lost > 0 {
        parts.append("\(lost) not come again after a link was lost")
      }
      if forwarded.interrupted > 0 {
        parts.append("\(forwarded.interrupted) on hand when a run ended, and given back by the bus")
      }
      shown.append(
        "the forwarder took \(total.received) messages, and each is accounted for: \(parts.joined(separator: ", "))"
      )
      let aside = (total.aside ?? [:]).filter { $0.value > 0 }.sorted { $0.key < $1.key }.map {
        "\($0.value) \($0.key)"
      }
      if !aside.isEmpty {
        let list = aside.joined(separator: ", ")
        shown.append("what is set aside lies on the queues that are left, as its journal has it: \(list)")
      }
    }
    return shown
  }

  private var notShown: [String] {
    var not: [String] = []
    if !self.countsArrivals {
      not.append("a message that came and was fetched between two looks was not seen: the bus does not count arrivals")
      not.append("a queue that was deleted and made anew between two looks looks like the same queue")
    }
    if let capabilities = self.dialect?.capabilities {
      if capabilities.countsBy.first == .managementHTTP {
        not.append("the bus's counters are seconds late: what came right before a look shows at the next one")
      }
      if !capabilities.browses { not.append("whose messages lie there: the bus does not show them without handing them out") }
      if capabilities.missingQueueForSender == .acceptsAndLoses {
        not.append("messages to queues that are not there: the bus accepts and drops them, whoever sends them")
      }
      if case .subqueue = capabilities.deadLetter,
        self.queues.contains(where: { $0.state == "counted" && $0.kind != .deadLetter && $0.figures == nil })
      {
        not.append("scheduled, deferred and dead-lettered messages: the bus did not tell of them by themselves")
      }
    } else {
      not.append("what this bus can show: the plan does not say what it is")
    }
    if let lookedAt = self.lastLookAt, let oldest = self.queues.compactMap(\.readAt).min(), lookedAt.since(oldest) > .seconds(1) {
      not.append("what came in the last moments before a look: the counts it took were up to \(lookedAt.since(oldest)) old")
    }
    if self.queues.contains(where: { $0.kind == .synchronousReply && $0.state != "counted" }) {
      not.append("syncreply queues by other names: the register does not hold them")
    }
    let uncounted = self.queues.filter(\.leavesOutHeld)
    if uncounted.contains(where: { $0.consumers != 0 }) {
      not.append(
        "messages that a receiver holds and has not settled: this way of counting leaves them out; the bus's management interface tells them"
      )
    } else if !uncounted.isEmpty {
      not.append(
        "what somebody held who was attached at no look, as AMQP 0-9-1 allows: messages that a receiver holds are not counted, and no "
          + "receiver was attached at any look of the quiet")
    }
    if let forwarded, forwarded.carrier == .shovel {
      not.append(
        "that each message was carried, and once: a shovel drops what the other bus rejects, and keeps no journal; how many it carried is the "
          + "bus's own count, and late")
    }
    if self.unreadableLooks > 0 {
      not.append("what was there at \(self.unreadableLooks) looks at which counters could not be read, or not whole")
    }
    for exception in self.exceptions {
      not.append("what \(exception.what) leaves, until \(exception.until): \(exception.why)")
      if case .queue = exception.what, exception.covers.map({ $0.arrivals == nil }) ?? true {
        not.append(
          "that what lies on \(exception.what) is what people answered for: the bus does not count what comes"
        )
      }
    }
    for waiver in self.waivers {
      not.append("what \(waiver.by) answers for until \(waiver.until): \(waiver.why)")
    }
    if let forwarded, let lost = forwarded.total.notReturned, lost > 0 {
      not.append(
        "what became of \(lost) messages that were on hand when a link was lost and did not come again: fetched by somebody else, or expired"
      )
    }
    if let forwarded, forwarded.total.possibleDuplicates > 0 {
      not.append(
        "that each message was carried once: \(forwarded.total.possibleDuplicates) may have come twice; the journal lists them")
    }
    not.append("that the party's system has dealt with what it fetched: counters only show that it is gone")
    return not
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
