// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

extension ReportFold {
  /// The facts as they stand after the last event.
  ///
  /// - Returns: nil when the history has no such pulje.
  public func facts(_ given: ReportFacts.Given) -> ReportFacts? {
    guard let pulje = self.state.puljer[self.name] else { return nil }
    let now = given.madeAt
    let summary = PuljeSummary(pulje, stop: self.state.stop, now: now)
    var claims: [DrainClaim: Int] = [:]
    var claimList: [DrainClaim] = []
    func places(_ names: [DrainClaim]) -> [Int] {
      names.map { name in
        if let place = claims[name] { return place }
        claims[name] = claimList.count
        claimList.append(name)
        return claimList.count - 1
      }
    }
    func drain(_ verdict: DrainVerdict) -> ReportFacts.Drain? {
      guard verdict.watermark != nil else { return nil }
      return ReportFacts.Drain(verdict, proven: places(verdict.proven), notProven: places(verdict.notProven))
    }
    var patterns = PingPatterns()
    var parties: [ReportFacts.Party] = []
    var groups: [ReportFacts.Group] = []
    let tracks = self.tracks
    var spending = self.spending
    spending?.advance(pulje, to: now)
    var times = ReportFacts.Times()
    var unproven: [Int64] = []
    let waves = pulje.plan.waves
    var waveOf: [GroupID: Int] = [:]
    for (index, wave) in (waves ?? []).enumerated() { for id in wave { waveOf[id] = index + 1 } }
    for (place, group) in pulje.groups.enumerated() {
      let track = tracks[group.id] ?? GroupTrack()
      let spent = ReportFacts.Times(spending?.spent(at: place) ?? TimeSpent())
      let verdict = pulje.drainVerdict(of: group.id, now: Self.judged(group, now: now))
      groups.append(
        ReportFacts.Group(
          group, track, times: spent, wave: waveOf[group.id], policy: pulje.policy, drain: verdict.flatMap(drain),
          forwardDrain: group.forwardDrainVerdict(pulje.plan).flatMap(drain)))
      times.working += spent.working
      times.waiting += spent.waiting
      times.person += spent.person
      if let started = track.startedAt, let proven = track.verifiedAt, proven >= started {
        unproven.append(proven.since(started).milliseconds)
      }
      for member in group.members {
        let ping = group.pings.last { $0.herID == member.herID } ?? group.gates.lastPings.last { $0.herID == member.herID }
        parties.append(
          ReportFacts.Party(member, group: place, ping: ping, pattern: ping.map { patterns.place($0, policy: pulje.policy) }))
      }
    }
    let counts = self.counts(pulje, summary, parties: parties.count)
    let service = self.service.told(unproven: unproven)
    let late = self.late.told
    let gates = Self.gates(pulje, tracks, now: now)
    let forwarding = pulje.groups.flatMap { ReportFacts.Forwarding.all(of: $0) }
    let exceptions = pulje.groups.flatMap { ReportFacts.Exception.all(of: $0) }
    let weighed = ReportWeighing(
      summary: summary, given: given, counts: counts, service: service, gates: gates, forwarding: forwarding,
      exceptions: exceptions,
      patterns: patterns.all, groups: groups, byHand: self.byHand, starts: self.starts,
      dialects: [pulje.plan.sourceDialect, pulje.plan.targetDialect])
    return ReportFacts(
      given: given, head: self.head, pulje: self.pulje(pulje, summary), recommendation: weighed.recommendation, counts: counts,
      times: times, parties: parties, groups: groups, pingPatterns: patterns.all, claims: claimList, gates: gates,
      incidents: self.incidents.told, exceptions: exceptions, forwarding: forwarding, late: late, service: service,
      plots: self.plots,
      tests: pulje.groups.flatMap { group in
        group.tests.map {
          ReportFacts.Test(herID: $0.herID, item: $0.item.text, passed: $0.passed, by: $0.by, at: $0.at, seen: $0.seen)
        }
      }, commands: self.commands, manualSteps: pulje.plan.manualSteps)
  }

  /// Of a group that is closed the drain is judged as it stood at the last look: that nobody looks any more is no lack.
  private static func judged(_ group: GroupState, now: Instant) -> Instant {
    guard group.phase.isClosed, let last = group.drain.lastLookAt else { return now }
    return min(now, last)
  }

  private func pulje(_ pulje: PuljeState, _ summary: PuljeSummary) -> ReportFacts.Pulje {
    ReportFacts.Pulje(
      name: pulje.name, phase: summary.phase, source: pulje.plan.source, target: pulje.plan.target,
      sourceDialect: pulje.plan.sourceDialect, targetDialect: pulje.plan.targetDialect, planHash: pulje.planHash,
      sealedBy: pulje.sealedBy, sealedAt: pulje.sealedAt, approvals: pulje.approvals, startedAt: pulje.startedAt,
      paused: pulje.pause,
      lineStopped: self.state.stop, waves: pulje.plan.waves?.count, quietPeriod: pulje.policy.quietPeriod,
      watchPeriod: pulje.policy.watchPeriod, approvalsNeeded: pulje.policy.approvals, echoRequired: pulje.policy.echoRequired,
      leftovers: pulje.policy.leftovers, hasGates: pulje.policy.gates != nil, hasTestProtocol: pulje.policy.testProtocol != nil,
      eventsInAll: self.head.sequence, events: self.events, firstAt: self.firstAt, lastAt: self.lastAt, starts: self.starts)
  }

  private func counts(_ pulje: PuljeState, _ summary: PuljeSummary, parties: Int) -> ReportFacts.Counts {
    func members(_ isMeant: (GroupState) -> Bool) -> Int {
      pulje.groups.reduce(0) { isMeant($1) ? $0 + $1.members.count : $0 }
    }
    return ReportFacts.Counts(
      parties: parties, groups: pulje.groups.count, groupsByPhase: summary.groupsByPhase,
      moved: pulje.groups.reduce(0) { sum, group in
        group.direction == .forward ? sum + group.members.count { $0.writing == .atGoal } : sum
      },
      restored: members { $0.phase == .restored }, quarantined: members { $0.quarantine != nil },
      withdrawn: members { $0.phase == .withdrawn }, writes: self.writes, unknownOutcomes: self.unknownOutcomes,
      refusedWrites: self.refusedWrites, pings: self.pings, failedPings: self.failedPings, looks: self.looks,
      unreadableLooks: self.unreadableLooks, lateMessages: self.lateMessages, clockSteppedBack: self.clockSteppedBack)
  }

  /// Of the groups that are watched, as they stand; of those that were accepted, as they stood then.
  private static func gates(_ pulje: PuljeState, _ tracks: [GroupID: GroupTrack], now: Instant) -> [ReportFacts.Gate] {
    var found: [ReportFacts.Gate] = []
    for group in pulje.groups {
      let at = group.phase == .observing ? now : tracks[group.id]?.acceptedAt
      guard let at, group.direction == .forward else { continue }
      for finding in group.gateFindings(pulje.policy, now: at) {
        if let place = found.firstIndex(where: { $0.gate == finding.gate && $0.verdict == finding.verdict }) {
          found[place].groups += 1
        } else {
          found.append(ReportFacts.Gate(gate: finding.gate, verdict: finding.verdict, groups: 1, example: finding.seen))
        }
      }
    }
    return found
  }
}

extension ReportFacts.Times {
  init(_ spent: TimeSpent) { self.init(working: spent.working, waiting: spent.time, person: spent.person) }
}

extension ReportFacts.Drain {
  init(_ verdict: DrainVerdict, proven: [Int], notProven: [Int]) {
    self.init(
      result: verdict.result, code: verdict.code, watermark: verdict.watermark, looks: verdict.looks,
      unreadableLooks: verdict.unreadableLooks, quietSince: verdict.quietSince, lastCountedAt: verdict.lastCountedAt,
      quietLooks: verdict.quietLooks, longestGap: verdict.longestGap, lateArrivals: verdict.lateArrivals,
      arrived: verdict.arrived,
      fetched: verdict.fetched, leftovers: verdict.leftovers, newDeadLetters: verdict.newDeadLetters,
      countsArrivals: verdict.countsArrivals, proven: proven, notProven: notProven)
  }
}

extension ReportFacts.Group {
  init(
    _ group: GroupState, _ track: GroupTrack, times: ReportFacts.Times, wave: Int?, policy: Policy, drain: ReportFacts.Drain?,
    forwardDrain: ReportFacts.Drain?
  ) {
    self.init(
      id: group.id, wave: wave, phase: group.phase, since: group.since, direction: group.direction,
      cutOverStartedAt: track.startedAt,
      appliedAt: track.appliedAt, verifiedAt: track.verifiedAt, drainedAt: track.drainedAt, watchSince: group.watchSince,
      watchUntil: group.watchSince.map { $0 + policy.watchPeriod }, acceptedAt: track.acceptedAt,
      acceptedBy: group.acceptedBy.isEmpty ? nil : group.acceptedBy, retiredAt: track.retiredAt, retiredBy: track.retiredBy,
      rollBack: group.rollBack, restoredAt: track.restoredAt, quarantine: group.quarantine, withdrawal: group.withdrawal,
      hold: group.hold, drain: drain, forwardDrain: forwardDrain, times: times)
  }
}

extension ReportFacts.Party {
  init(_ member: Member, group: Int, ping: PingReport?, pattern: Int?) {
    let plan = member.plan
    self.init(
      herID: member.herID, name: plan.before.name, vendor: plan.vendor, parent: plan.before.parent,
      organisationNumber: plan.before.organisationNumber, isWritten: plan.isWritten, group: group, writing: member.writing.word,
      lastReadAt: member.lastReadAt, ping: pattern, acceptedAfter: ping?.acceptedAfter,
      library: ping?.library.map { library in library + (ping?.libraryVersion.map { " \($0)" } ?? "") })
  }
}

extension ReportFacts.Exception {
  static func all(of group: GroupState) -> [ReportFacts.Exception] {
    let ledgers = [group.forwardDrain, group.drain].compactMap { $0 }
    return ledgers.flatMap { ledger in
      ledger.exceptions.map {
        ReportFacts.Exception(group: group.id, what: nil, by: [$0.by], why: $0.why, until: $0.until, exceeded: nil)
      }
        + ledger.namedExceptions.map {
          ReportFacts.Exception(
            group: group.id, what: $0.what.description, by: $0.by, why: $0.why, until: $0.until, exceeded: $0.exceeded)
        }
    }
  }
}

extension ReportFacts.Forwarding {
  static func all(of group: GroupState) -> [ReportFacts.Forwarding] {
    let present = group.drain.forwarding.map { ($0, group.direction) }
    let earlier = group.forwardDrain?.forwarding.map { ($0, Direction.forward) }
    return [earlier, present].compactMap { $0 }.map { ledger, direction in
      let total = ledger.total
      return ReportFacts.Forwarding(
        group: group.id, direction: direction, carrier: ledger.order.carrier, mode: ledger.order.mode,
        approvedBy: ledger.order.approvals, approvedAt: ledger.approvedAt, endedAt: ledger.ended?.at, endedBy: ledger.ended?.by,
        received: total.received, accepted: total.accepted, setAside: total.allAside, expired: total.allExpired,
        notReturned: total.notReturned ?? 0, possibleDuplicates: total.possibleDuplicates, open: ledger.open)
    }
  }
}

extension Member.Writing {
  fileprivate var word: String {
    switch self {
    case .untouched: "untouched"
    case .intent: "intent"
    case .unknown: "unknown"
    case .atGoal: "at-goal"
    case .conflict: "conflict"
    }
  }
}

/// Pings that showed the same stand together.
private struct PingPatterns {
  private struct Key: Hashable {
    var bus: BusName
    var shown: [ReportFacts.PingPattern.Shown]
    var isProof: Bool
  }

  private(set) var all: [ReportFacts.PingPattern] = []
  private var places: [Key: Int] = [:]

  mutating func place(_ ping: PingReport, policy: Policy) -> Int {
    let shown = PingCheck.allCases.compactMap { check in
      ping.findings.result(of: check).map { ReportFacts.PingPattern.Shown(check: check, result: $0) }
    }
    let key = Key(bus: ping.bus, shown: shown, isProof: ping.shortcoming(policy: policy) == nil)
    if let place = self.places[key] {
      self.all[place].parties += 1
      return place
    }
    self.places[key] = self.all.count
    self.all.append(
      ReportFacts.PingPattern(
        bus: key.bus, shown: shown, isProof: key.isProof, parties: 1, example: shown.map { ping.findings.seen(of: $0.check) }))
    return self.all.count - 1
  }
}
