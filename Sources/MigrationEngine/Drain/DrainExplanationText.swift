// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// `drain explain` for people. Pure.
public enum DrainExplanationText {
  public static func text(_ explanation: DrainExplanation) -> String {
    let verdict = explanation.verdict
    let members = explanation.members.map(\.description).joined(separator: ", ")
    var lines = [
      "HER-ID \(members) of pulje \(verdict.pulje), \(explanation.phase.rawValue): leaves \(verdict.bus)"
        + (verdict.dialect.map { " (\($0.rawValue))" } ?? ""),
      "\(verdict.result.rawValue.uppercased())\(verdict.code.map { " [\($0)]" } ?? ""): \(verdict.because)",
    ]
    if let wait = explanation.wait, wait.code.rawValue != verdict.code {
      lines.append("waits [\(wait.code.rawValue)]\(wait.clears == .person ? " FOR A PERSON" : ""): \(wait.seen)")
    }
    lines += Self.section("what it rests on:", Self.evidence(verdict))
    lines += Self.section("what that proves:", verdict.proves)
    lines += Self.section("what it does not prove:", verdict.cannotProve)
    lines += Self.section("queues:", verdict.queues.map(Self.words))
    lines += Self.section("lies there:", verdict.stranded.map(Self.words))
    if let stale = verdict.staleSender, stale.endedAt == nil {
      lines += [
        "", "[\(StaleSender.code)] a sender does not follow the register, since \(stale.since), last seen \(stale.lastSeenAt)",
      ]
    }
    if let forwarded = verdict.forwarded {
      let kept = explanation.keptBack.map { ["KEPT BACK, nothing is carried: [\($0.stableCode)] \($0.seen)"] } ?? []
      lines += Self.section("forwarding:", Self.words(forwarded) + kept)
    }
    lines += Self.section("shovels:", explanation.shovels.map(\.words))
    lines += Self.section(
      "somebody answers for:",
      verdict.waivers.map { "the whole group until \($0.until), by \($0.by): \($0.why)" }
        + verdict.exceptions.map { exception in
          "\(exception.what) until \(exception.until), by \(exception.by.joined(separator: ", "))"
            + (exception.giver.map { " as \($0)" } ?? "") + ": \(exception.why)"
        })
    if explanation.standing < .quiet { lines += ["", "empty in: \(explanation.outlook.text(now: explanation.now))"] }
    lines += Self.section("next:", explanation.next.map { "\($0.what) (whose: \($0.whose))" })
    return lines.joined(separator: "\n")
  }

  private static func section(_ heading: String, _ lines: [String]) -> [String] {
    lines.isEmpty ? [] : ["", heading] + lines.map { "  - \($0)" }
  }

  private static func evidence(_ verdict: DrainVerdict) -> [String] {
    var lines: [String] = []
    if let watermark = verdict.watermark { lines.append("watermark \(watermark), taken after the register read back as written") }
    lines.append(
      "\(verdict.looks) looks, \(verdict.unreadableLooks) of them unreadable; the last at \(verdict.lastLookAt?.description ?? "never")"
    )
    if let since = verdict.quietSince {
      lines.append(
        "quiet since \(since) in \(verdict.quietLooks) looks; needed: \(verdict.quietNeeded), so until "
          + "\(verdict.quietUntil?.description ?? "?"), and \(verdict.looksNeeded) looks")
    }
    if let declared = verdict.declaredCache { lines.append("the longest address cache that vendors declare: \(declared)") }
    if let seen = verdict.seenCache { lines.append("the oldest copy of an address that a sender was seen to go by: \(seen)") }
    if let gap = verdict.longestGap { lines.append("the longest time between two looks of this quiet: \(gap)") }
    if verdict.lateArrivals > 0 { lines.append("something came after a quiet start \(verdict.lateArrivals) times") }
    if verdict.arrived > 0 || verdict.fetched > 0 {
      lines.append("since the move at least \(verdict.arrived) came, and \(verdict.fetched) were fetched or expired")
    }
    for stretch in verdict.stretches.suffix(6) {
      lines.append(
        "\(stretch.from) to \(stretch.to): \(stretch.looks) looks found \(stretch.found.rawValue), at most \(stretch.most)")
    }
    return lines
  }

  private static func words(_ queue: DrainVerdict.Queue) -> String {
    var words = "\(queue.address): "
    words += queue.depth.map(String.init) ?? "\(queue.state)\(queue.seen.map { ", \($0)" } ?? "")"
    if let consumers = queue.consumers { words += ", \(consumers) listen" }
    if let figures = queue.figures {
      let named: [(String, Int64?)] = [
        ("active", figures.active), ("locked", figures.locked), ("deferred", figures.deferred), ("scheduled", figures.scheduled),
        ("dead", figures.deadLettered), ("in transfer", figures.transfer), ("dead in transfer", figures.transferDeadLettered),
      ]
      let told = named.compactMap { name, value in value.map { "\(name) \($0)" } }
      if !told.isEmpty { words += " (\(told.joined(separator: ", ")))" }
    }
    if let before = queue.deadLettersBefore { words += ", \(before) dead letters before the move" }
    if queue.isExcepted { words += ", answered for" }
    return words
  }

  private static func words(_ finding: StrandedFinding) -> String {
    var words = "\(finding.count) \(finding.strandedClass.rawValue) [\(finding.code)] on \(finding.queue.queue)"
    if let sender = finding.sender {
      let system = [
        sender.system, sender.library.map { "\($0) \(sender.libraryVersion ?? "")" }, sender.vendor.map { "vendor \($0)" },
      ]
      .compactMap { $0 }.joined(separator: ", ")
      words += " from HER-ID \(sender.herID)\(system.isEmpty ? "" : " (\(system))")"
    }
    if let oldest = finding.oldest, let newest = finding.newest {
      words += ", came \(oldest == newest ? "\(oldest)" : "\(oldest) to \(newest)")"
    }
    if !finding.sequenceNumbers.isEmpty {
      words += ", numbers \(finding.sequenceNumbers.map(String.init).joined(separator: ", "))"
    }
    words += ": \(finding.healing.words). \(finding.meaning)"
    if let needed = finding.needed { words += " To say more it takes \(needed)." }
    return words
  }

  private static func words(_ forwarded: DrainVerdict.Forwarded) -> [String] {
    let total = forwarded.total
    var lines = [
      "\(forwarded.stands ? "an order stands" : "ended"), by \(forwarded.carrier == .own ? "our forwarder" : "shovels"): "
        + "\(total.accepted) carried\(forwarded.carrier == .own ? "" : " by the bus's own count, which is late"), \(forwarded.open) on their way or held, \(total.possibleDuplicates) possible duplicates"
    ]
    lines += forwarded.stops.map { "stopped on \($0.queue) at \($0.at) [\($0.code)]: \($0.seen)" }
    return lines
  }
}
