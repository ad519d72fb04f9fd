// SPDX-License-Identifier: Apache-2.0

extension ProbeLook {
  /// One line for Nagios and its kin: status and sentence, a bar, then what was measured as
  /// `label=value[UOM];warn;crit;min;max`, times in seconds.
  ///
  /// - Parameter thresholds: a value outside its range makes the status worse; one that was not measured makes it unknown.
  public func nagiosLine(_ language: ProbeLanguage, _ thresholds: NagiosThresholds = .init()) -> String {
    let values = self.measured
    let words = ReportWords(language)
    let sentence: String
    if let failure = self.report.firstFailure {
      sentence = "\(failure.code.stableCode) \(failure.meaning(language)) (\(failure.owner?.rawValue ?? "-"))"
    } else if let warning = self.report.steps.first(where: { $0.verdict == .warning }) {
      sentence = "\(warning.code.stableCode) \(warning.meaning(language))"
    } else {
      sentence = self.report.evidence(language).joined(separator: ", ")
    }
    let crossed = thresholds.crossings(values).map { crossing in
      let value = crossing.value.map { Self.nagiosValue($0, crossing.measure) } ?? words.notMeasured
      return "\(crossing.measure.rawValue) \(value), \(words.wellIs) \(crossing.range)"
    }
    let data = NagiosThresholds.Measure.allCases.compactMap { measure in
      values[measure].map { value in
        let warning = thresholds.warning[measure]?.description ?? ""
        let critical = thresholds.critical[measure]?.description ?? ""
        return "\(measure.rawValue)=\(Self.nagiosValue(value, measure));\(warning);\(critical);0;"
      }
    }
    return "BUS \(self.status(thresholds).word) - \(Self.nagiosText(self.report.target + self.report.place(language))): "
      + Self.nagiosText((crossed + [sentence]).joined(separator: "; ")) + " | \(data.joined(separator: " "))\n"
  }

  /// A bar begins the performance data, and a line break would end the answer.
  public static func nagiosText(_ text: String) -> String {
    ProbeReport.printable(text).replacing("|", with: "/")
  }

  private static func nagiosValue(_ value: Double, _ measure: NagiosThresholds.Measure) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "U" }
    guard measure.unit == "s" else { return String(Int(value)) }
    let tenThousandths = Int((value * 10_000).rounded())
    let fraction = String(abs(tenThousandths) % 10_000)
    return "\(tenThousandths / 10_000)." + String(repeating: "0", count: 4 - fraction.count) + fraction + "s"
  }
}
