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
}
