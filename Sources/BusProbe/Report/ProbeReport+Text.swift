// SPDX-License-Identifier: Apache-2.0

extension ProbeReport {
  /// For people: a line a step, then what is wrong, what it means, whose it is and what to do.
  public func text(language: ProbeLanguage) -> String {
    func word(_ nb: String, _ en: String) -> String { ProbeText(nb: nb, en: en)[language] }
    var lines: [String] = []
    for step in self.steps {
      let time = step.milliseconds.map { Self.milliseconds($0) } ?? ""
      let mark =
        switch step.verdict {
        case .ok: "ok"
        case .warning: word("OBS", "WARN")
        case .failed: word("FEIL", "FAILED")
        case .notPossible: word("i/m", "n/a")
        case .notRun: "-"
        }
      lines.append(
        "\(step.code.rawValue) \(Self.pad(step.code.name, 16)) \(Self.pad(mark, 6)) \(Self.pad(time, 9)) \(step.seen(language))")
    }
    for step in self.steps where step.verdict == .failed || step.verdict == .warning {
      lines.append("")
      lines.append("\(step.code.stableCode) \(step.verdict.word[language])")
      lines.append("  \(word("sett:  ", "seen:  ")) \(step.seen(language))")
      lines.append("  \(word("betyr: ", "means: ")) \(step.meaning(language))")
      lines.append("  \(word("hvem:  ", "whose: ")) \(step.whose(language))")
      lines.append("  \(word("gjør nå:", "next:  ")) \(step.next(language))")
    }
    for step in self.steps where step.verdict == .notPossible || step.verdict == .notRun {
      lines.append("")
      lines.append("\(step.code.stableCode) \(step.verdict.word[language]): \(step.meaning(language)) \(step.next(language))")
    }
    lines.append("")
    lines.append("\(self.status.word): HER-ID \(self.target)\(self.place)")
    let evidence = self.evidence(language)
    if !evidence.isEmpty { lines.append("\(word("bygger på", "rests on")): " + evidence.joined(separator: "; ")) }
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
