// SPDX-License-Identifier: Apache-2.0

/// All steps with everything each can find, for reading offline.
public enum ExplainTable {
  public static func text(_ language: ProbeLanguage) -> String {
    let words = ReportWords(language)
    var text = ""
    for code in ProbeCode.allCases {
      text += "\(code.stableCode) \(code.name): \(code.title[language])\n"
      for finding in ProbeFinding.allCases where finding.code == code {
        let owner = finding.owner.map { " [\($0.rawValue)]" } ?? ""
        text += "  \(ProbeReport.pad(words.mark(finding.verdict), 7)) \(finding.words.means[language])\(owner)\n"
      }
    }
    return text
  }
}
