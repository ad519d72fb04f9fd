// SPDX-License-Identifier: Apache-2.0

extension ProbeReport {
  /// For people: a line a step, then what is wrong, what it means, whose it is and what to do.
  public var text: String {
    var lines: [String] = []
    for step in self.steps {
      let time = step.milliseconds.map { Self.milliseconds($0) } ?? ""
      let mark =
        switch step.verdict {
        case .ok: "ok"
        case .warning: "WARN"
        case .failed: "FAILED"
        case .notPossible: "n/a"
        case .notRun: "-"
        }
      lines.append("\(step.code.rawValue) \(Self.pad(step.code.name, 16)) \(Self.pad(mark, 6)) \(Self.pad(time, 9)) \(step.seen)")
    }
    for step in self.steps where step.verdict == .failed || step.verdict == .warning {
      lines.append("")
      lines.append("\(step.code.stableCode) \(step.verdict.rawValue): \(step.meaning)")
      lines.append("  seen:  \(step.seen)")
      if let owner = step.owner { lines.append("  whose: \(ProbeTexts.owner(owner))") }
      if !step.next.isEmpty { lines.append("  next:  \(step.next)") }
    }
    for step in self.steps where step.verdict == .notPossible {
      lines.append("")
      lines.append("\(step.code.stableCode) not possible: \(step.meaning)\(step.next.isEmpty ? "" : " \(step.next)")")
    }
    lines.append("")
    lines.append("\(self.status.word): HER-ID \(self.target)\(self.place)")
    if !self.evidence.isEmpty { lines.append("rests on: " + self.evidence.joined(separator: "; ")) }
    return lines.joined(separator: "\n") + "\n"
  }

  var place: String { self.bus.map { " \(self.kind.rawValue) on \($0)" } ?? "" }

  static func milliseconds(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) ms"
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
