// SPDX-License-Identifier: Apache-2.0

/// The summing-up of a pulje: what was done, what was proven and no more, and what is recommended.
public struct PuljeReport: Sendable, Hashable, Codable {
  public enum Recommendation: String, Sendable, Hashable, Codable, CaseIterable {
    case wait
    case accept
    case acceptWithExceptions = "accept-with-exceptions"
    case doNotRollOut = "do-not-roll-out"
    case nothingToDecide = "nothing-to-decide"
  }

  public var schema = "bus-migrator/report/1"
  public var madeAt: Instant
  public var pulje: PuljeSummary
  public var recommendation: Recommendation
  public var because: [String]
  /// The head of the audit chain when the report was made; kept outside, it shows later whether history was changed.
  public var auditHead: String?

  public init(_ pulje: PuljeSummary, now: Instant, auditHead: String?) {
    self.madeAt = now
    self.pulje = pulje
    self.auditHead = auditHead
    (self.recommendation, self.because) = Self.recommend(pulje)
  }

  private static func recommend(_ pulje: PuljeSummary) -> (Recommendation, [String]) {
    var against: [String] = []
    var exceptions: [String] = []
    for group in pulje.groups {
      if group.phase == .conflict { against.append("\(group.id) is in CONFLICT: the register was changed by somebody else") }
      if let hold = group.hold, !hold.clearsItself { against.append("\(group.id) is held: \(hold.code.rawValue) \(hold.seen)") }
      for gate in group.gates where gate.verdict == .fail {
        against.append("\(group.id), gate \(gate.gate.rawValue): \(gate.seen)")
      }
      for gate in group.gates where gate.verdict == .inconclusive {
        exceptions.append("\(group.id), gate \(gate.gate.rawValue) is inconclusive: \(gate.seen)")
      }
      if let note = group.quarantine { exceptions.append("\(group.id) is quarantined by \(note.by): \(note.why)") }
      if let note = group.rollBack { exceptions.append("\(group.id) was rolled back by \(note.by): \(note.why)") }
      if let note = group.withdrawal { exceptions.append("\(group.id) was withdrawn by \(note.by): \(note.why)") }
      for exception in group.drain.exceptions {
        exceptions.append("\(group.id): exception by \(exception.by) until \(exception.until): \(exception.why)")
      }
      for exception in group.drain.namedExceptions {
        exceptions.append(
          "\(group.id): exception for \(exception.what) by \(exception.by.joined(separator: ", ")) until \(exception.until): "
            + exception.why + (exception.exceeded.map { "; ended: \($0)" } ?? ""))
      }
      if let forwarding = group.drain.forwarding {
        let total = forwarding.total
        if total.received > 0 {
          exceptions.append(
            "\(group.id): \(total.accepted) messages were carried over \(forwarding.order.carrier == .own ? "by us" : "by shovels (the bus's own late count)"), \(total.allAside) set aside, \(total.allExpired) "
              + "expired, \(total.notReturned ?? 0) not come again after a lost link, \(total.possibleDuplicates) possibly twice")
        }
        exceptions += forwarding.stops.map { "\(group.id): the forwarder has stopped on \($0.queue): \($0.code) \($0.seen)" }
      }
      exceptions += group.shovels.map { "\(group.id): \($0.words)" }
      if let stale = group.drain.staleSender {
        let end = stale.endedAt.map { "until \($0)" } ?? "and goes on"
        let queues = stale.queues.map(\.description).joined(separator: ", ")
        exceptions.append(
          "\(group.id): \(StaleSender.code) a sender does not follow the register: \(queues), since \(stale.since) \(end)")
      }
      if group.drain.lateArrivals > 0 {
        exceptions.append("\(group.id): messages came late to the queues being left, \(group.drain.lateArrivals) times")
      }
    }
    if !against.isEmpty { return (.doNotRollOut, against + exceptions) }
    switch pulje.phase {
    case .decision: return (exceptions.isEmpty ? .accept : .acceptWithExceptions, exceptions)
    case .done, .partlyBack, .rolledBack, .withdrawn: return (.nothingToDecide, exceptions)
    default: return (.wait, ["the pulje is in \(pulje.phase.rawValue)"] + exceptions)
    }
  }
}

extension PuljeReport {
  /// The report in Markdown, for people.
  public var markdown: String {
    var lines = [
      "# Pulje \(self.pulje.name): \(self.pulje.phase.rawValue)", "",
      "From \(self.pulje.source) to \(self.pulje.target). Report made \(self.madeAt).", "",
      "**Recommendation: \(self.recommendation.rawValue)**",
    ]
    lines += self.because.map { "- \($0)" }
    lines += [
      "", "Sealed \(self.pulje.sealedAt) by \(self.pulje.sealedBy); plan \(self.pulje.planHash).",
      "Approved by \(self.pulje.approvals.isEmpty ? "nobody" : self.pulje.approvals.joined(separator: ", "))"
        + (self.pulje.startedAt.map { ", started \($0)." } ?? ", not started."),
    ]
    if let paused = self.pulje.paused { lines.append("Paused since \(paused.at) by \(paused.by): \(paused.why).") }
    lines += [
      "", "## Parties", "", "| HER-ID | name | vendor | phase | since | register entry |", "|---|---|---|---|---|---|",
    ]
    for group in self.pulje.groups {
      for member in group.members {
        let entry =
          member.recordProven ? "\(member.writing), read \(member.lastReadAt.map(\.description) ?? "never")" : member.writing
        lines.append(
          "| \(member.herID) | \(Self.cell(member.name)) | \(Self.cell(member.vendor)) | \(group.phase.rawValue) | \(group.since) | \(entry) |"
        )
      }
    }
    for group in self.pulje.groups { lines += Self.section(group) }
    lines += [
      "", "## What this shows, and what not", "",
      "- A register entry counts as moved or restored when it was read back and hashed to the planned record.",
      "- The drain rests on counters: the queues were empty at each look. Where a bus does not count arrivals, a message that came "
        + "and was fetched between two looks was not seen. No message was looked at.",
      "- A ping shows that the bus took a message for the party, and by which further sign it was received; each is named above.",
      "- Syncreply queues are not in the register; whether they were moved is the vendor's word.",
    ]
    if let head = self.auditHead { lines += ["", "Audit chain's head: `\(head)`. Keep it outside this machine."] }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func section(_ group: GroupSummary) -> [String] {
    var lines = ["", "## \(group.id): \(group.phase.rawValue)", ""]
    lines += group.history.map { "- \($0.at) \($0.phase.rawValue)" }
    if let wait = group.wait { lines.append("- waits since \(wait.since) [\(wait.code.rawValue)]: \(wait.seen)") }
    for finding in group.preflight where finding.result != .passed {
      lines.append("- pre-flight, \(finding.check.rawValue): \(finding.result.rawValue), \(finding.seen)")
    }
    lines += group.tests.map { test in
      "- test \(test.item) of \(test.herID): \(test.passed ? "passed" : "FAILED"), signed by \(test.by) at \(test.at): \(test.seen)"
    }
    lines += group.gates.map { "- gate \($0.gate.rawValue): \($0.verdict.rawValue), \($0.seen)" }
    for ping in group.pings {
      let evidence = ping.findings.map { "\($0.check.rawValue) \($0.result.rawValue) (\($0.seen))" }
      lines.append("- ping of \(ping.herID) on \(ping.bus): \(evidence.joined(separator: "; "))")
    }
    for (what, drain) in [
      ("drain", group.drain as DrainSummary?), ("drain before the roll-back", group.forwardDrain),
    ] {
      guard let drain, drain.looks > 0 else { continue }
      lines.append(
        "- \(what): \(drain.looks) looks, \(drain.unreadableLooks) of them unreadable; quiet since "
          + "\(drain.quietSince.map(\.description) ?? "never"); \(drain.leftovers) messages and \(drain.newDeadLetters) new dead letters "
          + "at the last look; arrivals \(drain.countsArrivals ? "counted" : "not counted by this bus")")
    }
    for member in group.members {
      for difference in member.conflict {
        lines.append(
          "- CONFLICT \(member.herID) \(difference.field): before `\(difference.before ?? "-")`, after `\(difference.after ?? "-")`, "
            + "found `\(difference.found ?? "-")`")
      }
    }
    return lines
  }

  private static func cell(_ text: String) -> String { text.split(separator: "|").joined(separator: "/") }
}
