// SPDX-License-Identifier: Apache-2.0

/// What a rehearsal came to, for people.
enum Verdict {
  static func table(_ result: Stage.Result) -> String {
    let balance = result.balance
    let rows: [(String, Int, String)] = [
      ("sent", balance.sent, "accepted by a bus (at least \(balance.minimumSent) asked for)"),
      ("received", balance.received, "taken by the system they were for"),
      ("duplicate", balance.duplicate, "received again"),
      ("left", balance.left, "still on a queue"),
      ("lost", balance.lost, "neither received nor left"),
      ("unknown", balance.unknown, "sent, and the outcome never learnt"),
      ("alien", balance.alien, "received or left, and never sent"),
      ("denied", balance.denied, "received or left though the sender was told no"),
      ("misdirected", balance.misdirected, "other sender or addressee than it was sent with"),
    ]
    var lines = ["", "ledger by message id"]
    for (name, number, meaning) in rows {
      let padded = name + String(repeating: " ", count: 12 - name.count)
      let digits = String(number)
      lines.append("  \(padded)\(String(repeating: " ", count: max(0, 8 - digits.count)))\(digits)  \(meaning)")
    }
    for fault in result.faults { lines.append("FAULT \(fault)") }
    lines.append(result.isGood ? "verdict: ok" : "verdict: failed")
    return lines.joined(separator: "\n")
  }

  /// At which points the daemon died, how often, and how long the history was then.
  static func points(_ deaths: [DaemonLives.Death]) -> String {
    var lines = ["", "where the daemon died: point, times, events in the history"]
    for (point, deaths) in Dictionary(grouping: deaths, by: \.point).sorted(by: { $0.key < $1.key }) {
      let events = deaths.map(\.events)
      let padded = point + String(repeating: " ", count: max(0, 18 - point.count))
      lines.append("  \(padded)\(deaths.count)  (\(events.min() ?? 0) to \(events.max() ?? 0))")
    }
    return lines.joined(separator: "\n")
  }
}
