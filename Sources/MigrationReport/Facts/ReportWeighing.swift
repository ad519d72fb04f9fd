// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What is recommended, what speaks for it, and what makes one doubt it. The verdict is ``PuljeReport``'s: there is one place where it is reached.
struct ReportWeighing {
  let summary: PuljeSummary
  let given: ReportFacts.Given
  let counts: ReportFacts.Counts
  let service: ServiceFigures
  let gates: [ReportFacts.Gate]
  let forwarding: [ReportFacts.Forwarding]
  let exceptions: [ReportFacts.Exception]
  let patterns: [ReportFacts.PingPattern]
  let groups: [ReportFacts.Group]
  let byHand: Int
  let starts: Int
  let dialects: [Dialect?]

  var recommendation: ReportFacts.Recommendation {
    let verdict = PuljeReport(self.summary, now: self.given.madeAt, auditHead: nil).recommendation
    return ReportFacts.Recommendation(verdict: verdict, reasons: self.reasons(verdict), doubts: self.doubts)
  }

  private func ids(_ isMeant: (ReportFacts.Group) -> Bool) -> [GroupID] { self.groups.filter(isMeant).map(\.id) }

  /// The statement, when there are such groups.
  private func of(_ name: Statement.Name, _ ids: [GroupID], seen: String? = nil) -> Statement? {
    ids.isEmpty ? nil : Statement(name, [Int64(ids.count), Int64(self.groups.count)], groups: ids, seen: seen)
  }

  private func reasons(_ verdict: PuljeReport.Recommendation) -> [Statement] {
    var reasons: [Statement?] = []
    reasons.append(self.of(.conflicts, self.ids { $0.phase == .conflict }))
    let held = self.groups.filter { $0.hold.map { !$0.clearsItself } ?? false }
    reasons.append(self.of(.held, held.map(\.id), seen: held.first?.hold?.seen))
    for gate in self.gates where gate.verdict == .fail {
      reasons.append(Statement(.gatesFail, [Int64(gate.groups)], seen: "\(gate.gate.rawValue): \(gate.example)"))
    }
    switch verdict {
    case .wait: reasons.append(Statement(.stillGoing))
    case .nothingToDecide: reasons.append(Statement(.nothingToDecide))
    case .accept, .acceptWithExceptions, .doNotRollOut: break
    }
    let moving = self.groups.filter { $0.direction == .forward && $0.phase != .withdrawn }
    let all = Int64(moving.count)
    if all > 0 {
      let moved = Int64(self.counts.moved)
      reasons.append(Statement(.entriesRead, [moved, Int64(self.counts.parties)]))
      let proven = Int64(self.patterns.reduce(0) { $1.isProof ? $0 + $1.parties : $0 })
      reasons.append(
        Statement(.pingsProve, [proven, Int64(self.counts.parties), Int64(self.counts.pings), Int64(self.counts.failedPings)]))
      let drained = Int64(moving.count { $0.drain?.result == .drained || $0.drain?.result == .drainedWithExceptions })
      let excepted = Int64(moving.count { $0.drain?.result == .drainedWithExceptions })
      reasons.append(Statement(.drainsShown, [drained, all, excepted, Int64(self.counts.looks)]))
      let watched = Int64(
        moving.count { group in
          group.acceptedAt != nil || group.watchUntil.map { $0 <= self.given.madeAt } ?? false
        })
      reasons.append(Statement(.watchesDone, [watched, all, self.summary.policy.watchPeriod.milliseconds]))
    }
    if !self.gates.isEmpty, self.gates.allSatisfy({ $0.verdict == .pass }) {
      reasons.append(Statement(.gatesPass, [Int64(self.gates.map(\.groups).max() ?? 0)]))
    }
    return reasons.compactMap { $0 }
  }

  private var doubts: [Statement] {
    var doubts: [Statement?] = []
    for gate in self.gates where gate.verdict == .inconclusive {
      doubts.append(Statement(.gatesInconclusive, [Int64(gate.groups)], seen: "\(gate.gate.rawValue): \(gate.example)"))
    }
    if self.summary.policy.gates == nil { doubts.append(Statement(.noGates)) }
    doubts.append(self.of(.quarantined, self.ids { $0.quarantine != nil }))
    doubts.append(self.of(.rolledBack, self.ids { $0.rollBack != nil }))
    doubts.append(self.of(.withdrawn, self.ids { $0.withdrawal != nil }))
    if !self.exceptions.isEmpty {
      doubts.append(Statement(.exceptions, [Int64(self.exceptions.count)], groups: Set(self.exceptions.map(\.group)).sorted()))
    }
    let carried = self.forwarding.filter { $0.received > 0 }
    if !carried.isEmpty {
      doubts.append(
        Statement(
          .carriedOver,
          [
            carried.reduce(0) { $0 + $1.accepted }, carried.reduce(0) { $0 + $1.setAside }, carried.reduce(0) { $0 + $1.expired },
          ],
          groups: carried.map(\.group)))
      let twice = carried.reduce(0) { $0 + $1.possibleDuplicates }
      if twice > 0 { doubts.append(Statement(.possiblyTwice, [twice])) }
    }
    doubts += self.ofDrains
    doubts += self.ofPings
    doubts += self.ofTheWhole
    return doubts.compactMap { $0 }
  }

  private var ofDrains: [Statement?] {
    let summaries = self.summary.groups
    let stopped = summaries.filter { !($0.drain.forwarding?.stops ?? []).isEmpty }
    let late = self.groups.filter { ($0.drain?.lateArrivals ?? 0) + ($0.forwardDrain?.lateArrivals ?? 0) > 0 }
    let stale = summaries.filter { $0.drain.staleSender != nil }
    let begun = self.groups.compactMap { group in group.drain.map { (group.id, $0) } }
    return [
      self.of(
        .forwarderStopped, stopped.map(\.id), seen: stopped.first?.drain.forwarding?.stops.first.map { "\($0.code) \($0.seen)" }),
      self.of(.shovelsStand, summaries.filter { !$0.shovels.isEmpty }.map(\.id)), self.of(.staleSenders, stale.map(\.id)),
      late.isEmpty && self.counts.lateMessages == 0
        ? nil : Statement(.lateArrivals, [self.counts.lateMessages, Int64(late.count)], groups: late.map(\.id)),
      self.of(.arrivalsNotCounted, begun.filter { !$0.1.countsArrivals }.map(\.0)),
      self.counts.unreadableLooks > 0
        ? Statement(.unreadableLooks, [Int64(self.counts.unreadableLooks), Int64(self.counts.looks)]) : nil,
      begun.isEmpty ? nil : Statement(.counters),
    ]
  }

  private var ofPings: [Statement?] {
    func parties(_ isMeant: (ReportFacts.PingPattern) -> Bool) -> Int64 {
      Int64(self.patterns.reduce(0) { isMeant($1) ? $0 + $1.parties : $0 })
    }
    func result(_ pattern: ReportFacts.PingPattern, _ check: PingCheck) -> Finding<PingCheck>.Result? {
      pattern.shown.first { $0.check == check }?.result
    }
    func statement(_ name: Statement.Name, _ count: Int64) -> Statement? {
      count > 0 ? Statement(name, [count, Int64(self.counts.parties)]) : nil
    }
    return [
      statement(.pingsProveNothing, parties { !$0.isProof }),
      statement(.noEcho, parties { $0.isProof && result($0, .echo) != .passed }),
      statement(.noNegativeControl, parties { result($0, .negativeControl) != .passed && result($0, .echo) != .passed }),
      self.service.latencies == 0 && self.counts.pings > 0 ? Statement(.latencyNotMeasured) : nil,
      !self.service.before.countsArrivals || !self.service.after.countsArrivals ? Statement(.trafficNotMeasured) : nil,
    ]
  }

  private var ofTheWhole: [Statement?] {
    [
      self.counts.unknownOutcomes > 0
        ? Statement(.unknownOutcomes, [Int64(self.counts.unknownOutcomes), Int64(self.counts.writes)]) : nil,
      self.byHand > 0 ? Statement(.byHand, [Int64(self.byHand)]) : nil,
      self.starts > 0 ? Statement(.restarts, [Int64(self.starts)]) : nil,
      self.counts.clockSteppedBack > 0 ? Statement(.clockSteppedBack, [Int64(self.counts.clockSteppedBack)]) : nil,
      self.dialects.contains(nil) ? Statement(.dialectUnknown) : nil,
      self.given.environment == nil ? Statement(.noEnvironment) : nil,
      Statement(.replyQueues),
    ]
  }
}
