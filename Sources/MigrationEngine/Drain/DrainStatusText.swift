// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// `drain status` for people. Pure.
public enum DrainStatusText {
  public static func text(_ status: DrainStatus) -> String {
    var lines: [String] = []
    let who = status.daemon.map { "daemon \($0.version)" } ?? "no daemon answers; this is what the database says"
    lines.append("drain at \(status.now), \(who)")
    if let stop = status.stop { lines.append("THE LINE IS STOPPED since \(stop.at) by \(stop.by): \(stop.why)") }
    guard !status.rows.isEmpty else {
      lines.append("no group leaves a bus")
      return lines.joined(separator: "\n")
    }
    let counts = DrainStatus.Standing.allCases.compactMap { standing -> String? in
      let count = status.rows.count { $0.standing == standing }
      return count == 0 ? nil : "\(count) \(standing.rawValue)"
    }
    lines.append("\(status.rows.count) groups: \(counts.joined(separator: ", "))")
    lines.append("")
    var table = TextTable([
      ("STANDING", .left), ("HER-ID", .left), ("LEAVES", .left), ("LEFT", .right), ("DEAD", .right), ("COURSE", .left),
      ("EMPTY IN", .left), ("LOOKED", .right), ("WAITS", .left),
    ])
    for row in status.rows { table.add(Self.cells(row, now: status.now)) }
    lines += table.lines
    let asked = Set(status.rows.filter { $0.standing < .quiet }.flatMap(\.herIDs).prefix(1))
    if let herID = asked.first { lines += ["", "why, and what to do: bus-migrator drain explain \(herID)"] }
    return lines.joined(separator: "\n")
  }

  private static func cells(_ row: DrainStatus.Row, now: Instant) -> [String] {
    let drain = row.drain
    let known = row.drain.lastLookAt != nil && row.unreadable.isEmpty && row.standing != .notKnown
    let looked = drain.lastLookAt.map { DrainOutlook.span(now.since($0)) } ?? "-"
    return [
      row.standing.rawValue.uppercased(), Self.herIDs(row.herIDs), row.leaves.text, known ? "\(drain.leftovers)" : "?",
      known ? "\(drain.newDeadLetters)" : "?", Sparkline.text(row.trail),
      row.standing >= .excepted ? "-" : row.outlook.text(now: now), looked, Self.waits(row, now: now),
    ]
  }

  private static func herIDs(_ herIDs: [HerID]) -> String {
    let shown = herIDs.prefix(2).map(\.description).joined(separator: ",")
    return herIDs.count > 2 ? "\(shown)+\(herIDs.count - 2)" : shown
  }

  private static func waits(_ row: DrainStatus.Row, now: Instant) -> String {
    var words: [String] = []
    switch row.standing {
    case .shovelStays: words += row.shovels.filter { $0.staying != nil }.map { "[\(StandingShovel.stayingCode)] \($0.words)" }
    case .notKnown:
      words.append(
        row.unreadable.first.map { String($0.prefix(80)) }
          ?? "\(row.judgement.code.map { "[\($0)] " } ?? "")\(row.judgement.because)")
    case .quiet: if let until = row.drain.quietUntil { words.append("quiet until \(until)") }
    default: if let wait = row.wait { words.append("[\(wait.code.rawValue)] \(wait.seen)") }
    }
    if let forwarding = row.drain.forwarding { words.append(Self.words(forwarding)) }
    return words.joined(separator: "; ")
  }

  /// A forwarding order and what came of it, in a few words.
  public static func words(_ forwarding: ForwardingLedger) -> String {
    let total = forwarding.total
    let standing =
      if forwarding.ended != nil { "ended" } else if forwarding.pause != nil {
        "paused"
      } else if let stop = forwarding.stops.first {
        "STOPPED [\(stop.code)]"
      } else { "on" }
    let count = forwarding.order.carrier == .shovel ? " by the bus's own late count" : ""
    var words = "forwarding \(standing): \(total.accepted) carried\(count)"
    if total.allAside > 0 { words += ", \(total.allAside) set aside" }
    if total.allExpired > 0 { words += ", \(total.allExpired) expired" }
    if let lost = total.notReturned, lost > 0 { words += ", \(lost) not come again" }
    if total.possibleDuplicates > 0 { words += ", \(total.possibleDuplicates) possible duplicates" }
    return words
  }
}
