// SPDX-License-Identifier: Apache-2.0

extension ProbeReport {
  /// For people: a line a step with its time, then four lines on what is wrong first: seen, what it means, whose it is, what
  /// to do next. Warnings come after it; what stands in the way of everything is told alone.
  ///
  /// - Parameter totalMilliseconds: how long all of it took; nil when that is not known.
  public func text(
    language: ProbeLanguage, colour: TextColour = .plain, totalMilliseconds: Double? = nil
  ) -> String {
    let words = ReportWords(language)
    var lines = self.steps.map { self.line($0, words, colour) }
    if let failure = self.firstFailure {
      lines += self.block(failure, words, colour)
      let others = self.steps.filter { $0.verdict == .warning }
      if !others.isEmpty { lines.append("") }
      for step in others {
        lines.append("\(step.code.stableCode) \(words.verdict(.warning)): \(step.meaning(language))")
      }
    } else {
      for step in self.steps where step.verdict == .warning { lines += self.block(step, words, colour) }
    }
    let impossible = self.steps.filter { $0.verdict == .notPossible }
    if !impossible.isEmpty { lines.append("") }
    for step in impossible {
      let next = step.next(language)
      lines.append(
        "\(step.code.stableCode) \(words.verdict(.notPossible)): \(step.meaning(language))\(next.isEmpty ? "" : " \(next)")")
    }
    lines.append("")
    lines.append(
      colour.paint(words.status(self.status), self.status.shade)
        + ": HER-ID \(Self.printable(self.target))\(self.place(language))"
        + (totalMilliseconds.map { ", \(Self.milliseconds($0))" } ?? ""))
    let grounds = self.evidence(language)
    if !grounds.isEmpty { lines.append("\(words.restsOn) " + grounds.joined(separator: "; ")) }
    return lines.joined(separator: "\n") + "\n"
  }

  private func line(_ step: ProbeStep, _ words: ReportWords, _ colour: TextColour) -> String {
    let time = step.milliseconds.map { Self.milliseconds($0) } ?? ""
    let mark = Self.pad(words.mark(step.verdict), 7)
    return "\(step.code.rawValue) \(Self.pad(step.code.name, 16)) \(colour.paint(mark, step.verdict.shade)) "
      + "\(Self.padLeft(time, 10))  \(Self.printable(step.seen(words.language)))"
  }

  private func block(_ step: ProbeStep, _ words: ReportWords, _ colour: TextColour) -> [String] {
    let language = words.language
    let width = [words.seen, words.means, words.whose, words.next].map(\.count).max() ?? 0
    func row(_ heading: String, _ text: String) -> String { "  \(Self.pad(heading, width)) \(text)" }
    return [
      "",
      colour.paint("\(step.code.stableCode) \(words.verdict(step.verdict))", step.verdict.shade)
        + ": \(step.code.title[language])",
      row(words.seen, Self.printable(step.seen(language))),
      row(words.means, step.meaning(language)),
      row(words.whose, step.whose(language)),
      row(words.next, step.next(language)),
    ]
  }

  /// Where it was looked; nothing while no bus is known.
  func place(_ language: ProbeLanguage) -> String {
    self.bus.map { " \(self.kind.rawValue) \(ProbeTerm.on.text[language]) \($0)" } ?? ""
  }

  static func milliseconds(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "-" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(abs(tenths) % 10) ms"
  }

  /// What a peer says must not steer the terminal: control characters become blanks.
  static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: " "
          default: scalar
          }
        }))
  }

  static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  static func padLeft(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}

extension ProbeStep.Verdict {
  var shade: TextColour.Shade {
    switch self {
    case .ok: .good
    case .warning: .warning
    case .failed: .bad
    case .notPossible, .notRun: .faint
    }
  }
}

extension ProbeReport.Status {
  var shade: TextColour.Shade {
    switch self {
    case .ok: .good
    case .warning: .warning
    case .critical: .bad
    case .unknown: .strong
    }
  }
}
