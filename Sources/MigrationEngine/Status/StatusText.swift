// SPDX-License-Identifier: Apache-2.0

import Migration

/// The status for people.
public enum StatusText {
  public static func text(_ status: MigrationStatus) -> String {
    var lines: [String] = []
    if let daemon = status.daemon {
      lines.append("daemon \(daemon.version), process \(daemon.processID), since \(daemon.startedAt), start no. \(daemon.starts)")
    } else {
      lines.append("no daemon answers; this is what the database says")
    }
    if let stop = status.stop { lines.append("THE LINE IS STOPPED since \(stop.at) by \(stop.by): \(stop.why)") }
    for (bus, note) in status.closedBuses.sorted(by: { $0.key < $1.key }) {
      lines.append("bus \(bus) was closed for good by \(note.by) at \(note.at)")
    }
    if status.puljer.isEmpty { lines.append("no pulje") }
    for pulje in status.puljer { lines.append(Self.whole(pulje)) }
    lines.append("audit head \(status.head.sequence) \(status.head.hash)")
    return lines.joined(separator: "\n")
  }

  /// A pulje in a line.
  public static func brief(_ pulje: PuljeSummary) -> String {
    let phases = GroupPhase.allCases.compactMap { phase in pulje.groupsByPhase[phase.rawValue].map { "\($0) \(phase.rawValue)" } }
    let paused = pulje.paused.map { " PAUSED by \($0.by): \($0.why)" } ?? ""
    return "pulje \(pulje.name) \(pulje.phase.rawValue)\(paused): \(phases.joined(separator: ", "))"
  }

  private static func whole(_ pulje: PuljeSummary) -> String {
    var lines = ["", Self.brief(pulje), "  \(pulje.source) -> \(pulje.target), plan \(pulje.planHash.prefix(12))"]
    for group in pulje.groups {
      let members = group.members.map(\.herID.description).joined(separator: ", ")
      lines.append("  \(group.phase.rawValue) since \(group.since): HER-ID \(members)")
      if let doing = group.doing { lines.append("    now: \(doing)") }
      if let wait = group.wait {
        let until = wait.until.map { ", looked at again \($0)" } ?? ""
        lines.append("    waits [\(wait.code.rawValue)]\(wait.clears == .person ? " FOR A PERSON" : ""): \(wait.seen)\(until)")
        if let ends = group.waitEnds { lines.append("      \(ends.text)") }
      }
      lines += group.testsMissing.map { "    to be signed: \($0.item) of HER-ID \($0.herID)" }
      lines += group.hooks.sorted { $0.key < $1.key }.map { "    hook \($0.key) \($0.value.words)" }
      lines += group.gates.map { "    gate \($0.gate.rawValue): \($0.verdict.rawValue.uppercased()), \($0.seen)" }
      lines += group.shovels.map { "    \($0.staying == nil ? "" : "SHOVEL STAYS: ")\($0.words)" }
      if let hold = group.hold { lines.append("    held [\(hold.code.rawValue)]: \(hold.seen)") }
      if let note = group.quarantine { lines.append("    quarantined by \(note.by): \(note.why)") }
      if let note = group.rollBack { lines.append("    rolled back by \(note.by): \(note.why)") }
      if group.wayBack.light != .none {
        lines.append("    way back: \(group.wayBack.light.rawValue.uppercased())")
        lines += group.wayBack.reasons.map { "      [\($0.code.rawValue)] \($0.seen)" }
      }
    }
    return lines.joined(separator: "\n")
  }
}
