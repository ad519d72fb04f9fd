// SPDX-License-Identifier: Apache-2.0

extension ProbeReport {
  /// One line for Nagios and its kin: status and sentence, a bar, then a time in seconds for each step that has one.
  public func nagiosLine(language: ProbeLanguage) -> String {
    let sentence: String
    if let failure = self.firstFailure {
      sentence = "\(failure.code.stableCode) \(failure.meaning(language)) (\(failure.owner?.rawValue ?? "-"))"
    } else if let warning = self.steps.first(where: { $0.verdict == .warning }) {
      sentence = "\(warning.code.stableCode) \(warning.meaning(language))"
    } else {
      sentence = self.evidence(language).joined(separator: ", ")
    }
    let times = self.steps.compactMap { step in
      step.milliseconds.map { "'\(step.code.name)'=\(Self.seconds($0))s" }
    }
    // A bar begins the performance data, and a line break would end the answer.
    let clean = "\(self.target)\(self.place): \(sentence)".map { $0 == "|" ? "/" : $0.isNewline ? " " : $0 }
    return "BUS \(self.status.word) - \(String(clean))"
      + (times.isEmpty ? "" : " | \(times.joined(separator: " "))") + "\n"
  }

  private static func seconds(_ milliseconds: Double) -> String {
    let tenThousandths = Int((milliseconds * 10).rounded())
    let fraction = String(tenThousandths % 10_000)
    return "\(tenThousandths / 10_000)." + String(repeating: "0", count: 4 - fraction.count) + fraction
  }
}
