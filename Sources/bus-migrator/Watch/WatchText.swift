// SPDX-License-Identifier: Apache-2.0

import Migration

/// A watch's view for people: no line longer than the terminal is wide, no colour needed.
enum WatchText {
  private static let bar = 30
  private static let signs: [(WatchView.Stage, Character)] = [
    (.ready, "#"), (.watched, "="), (.emptying, "-"), (.cut, "~"), (.held, "!"), (.back, "<"), (.ahead, "."),
  ]
  static let legend = "# ready or decided  = watched  - emptying  ~ cut  ! held  < back  . ahead"

  /// - Parameter notice: what is to be said of the connection.
  static func lines(_ view: WatchView, notice: String?, columns: Int, rows: Int?) -> [String] {
    var lines: [String] = []
    if let notice { lines.append(notice) }
    if let stop = view.stop { lines.append("THE LINE IS STOPPED by \(stop.by): \(stop.why)") }
    if view.puljer.isEmpty { lines.append("no pulje") }
    for pulje in view.puljer { lines += Self.lines(pulje, now: view.now) }
    if let rows, lines.count > max(1, rows - 1) {
      let kept = max(1, rows - 2)
      lines = lines.prefix(kept) + ["... \(lines.count - kept) more lines: bus-migrator status has all"]
    }
    if !view.puljer.isEmpty { lines.append(Self.legend) }
    return lines.map { Self.cut($0, columns) }
  }

  static func lines(_ pulje: WatchView.Pulje, now: Instant) -> [String] {
    var lines = ["", "pulje \(pulje.name)  \(pulje.phase.rawValue)  \(pulje.source) -> \(pulje.target)"]
    if let paused = pulje.paused { lines.append("  PAUSED by \(paused.by): \(paused.why)") }
    lines.append("  all      " + Self.progress(pulje.whole))
    lines.append("           " + Self.words(pulje.whole.outlook, now: now))
    for wave in pulje.waves {
      let number = "wave \(wave.wave ?? 0)" + (wave.wave == pulje.openWave ? "*" : "")
      lines.append("  \(number.padding(8)) " + Self.progress(wave))
      if wave.outlook != pulje.whole.outlook { lines.append("           " + Self.words(wave.outlook, now: now)) }
    }
    for attention in pulje.attention {
      let parties = attention.herIDs.map(\.description).joined(separator: ", ")
      let more = attention.groups > 1 ? " (\(attention.groups) groups)" : ""
      lines.append("  ! \(attention.code)\(parties.isEmpty ? "" : " HER-ID \(parties)")\(more): \(attention.seen)")
    }
    return lines
  }

  /// `[###==--..] 3 of 12`.
  static func progress(_ part: WatchView.Part) -> String {
    let counts = Self.signs.map { (sign: $0.1, count: part.stages[$0.0.rawValue] ?? 0) }
    var drawn = ""
    var seen = 0
    // By where each ends, so that the bar is as long as it should be; whoever is there at all is to be seen.
    for (sign, count) in counts where count > 0 {
      seen += count
      let end = max(drawn.count + 1, seen * Self.bar / max(1, part.groups))
      drawn += String(repeating: sign, count: max(0, min(end, Self.bar) - drawn.count))
    }
    let empty = String(repeating: " ", count: max(0, Self.bar - drawn.count))
    return "[\(drawn)\(empty)] \(part.stages[WatchView.Stage.ready.rawValue] ?? 0) of \(part.groups) ready or decided"
  }

  static func words(_ outlook: WatchOutlook, now: Instant) -> String {
    let times = outlook.from.map { from -> String in
      let soonest = AgeText.text(.milliseconds(max(0, from.since(now).milliseconds)))
      guard let to = outlook.to else { return "not before \(soonest); no later end is known" }
      let latest = AgeText.text(.milliseconds(max(0, to.since(now).milliseconds)))
      return soonest == latest ? "about \(soonest)" : "\(soonest) to \(latest)"
    }
    let rest = times.map { "; the others: \($0)" } ?? ""
    return switch outlook.kind {
    case .person:
      "waits for a person\(outlook.waitForPersons > 1 ? " (\(outlook.waitForPersons) groups)" : ""): no estimate\(rest)"
    case .never: "does not end by itself: no estimate\(rest)"
    case .notKnown: "nobody can say when: no estimate\(rest)"
    case .time: "until somebody may decide: \(times ?? "not known")"
    case .ready: "waits for the decision (accept): no estimate"
    case .over: "over"
    }
  }

  static func cut(_ line: String, _ columns: Int) -> String {
    line.count <= columns ? line : line.prefix(max(1, columns - 3)) + "..."
  }
}

extension String {
  fileprivate func padding(_ length: Int) -> String { self + String(repeating: " ", count: max(0, length - self.count)) }
}
