// SPDX-License-Identifier: Apache-2.0

/// How the words of findings become sentences and manual pages.
public enum ProbeTexts {
  /// Puts facts where `{name}` stands. What was not told is said to be that.
  static func filled(_ text: String, _ facts: [ProbeFact: ProbeValue], _ language: ProbeLanguage) -> String {
    var filled = ""
    var rest = text[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      filled += rest[..<open]
      let name = String(rest[rest.index(after: open)..<close])
      let value = ProbeFact(rawValue: name).flatMap { facts[$0] } ?? .term(.notTold)
      filled += value.text(language)
      rest = rest[rest.index(after: close)...]
    }
    return filled + rest
  }

  /// The names that stand in braces in a text, in their order.
  static func places(_ text: String) -> [String] {
    text.split(separator: "{", omittingEmptySubsequences: false).dropFirst().map { String($0.prefix { $0 != "}" }) }
  }

  /// The manual page of a rung: what it checks, and everything it can find.
  public static func explain(_ code: ProbeCode, _ language: ProbeLanguage) -> String {
    let next = ProbeText(nb: "gjør nå", en: "next")[language]
    let whose = ProbeText(nb: "hvem  ", en: "whose")[language]
    let seen = ProbeText(nb: "sett  ", en: "seen ")[language]
    func shown(_ text: ProbeText) -> String { text[language].replacing("{", with: "<").replacing("}", with: ">") }
    var text = "\(code.stableCode) \(code.name)\n\n\(code.title[language])\n"
    for finding in ProbeFinding.allCases where finding.code == code {
      let words = finding.words
      text += "\n[\(finding.verdict.word[language])] \(shown(words.means))\n"
      text += "  \(seen): \(shown(words.seen))\n"
      if let owner = finding.owner { text += "  \(whose): \(owner.name[language])\n" }
      if finding.verdict != .ok { text += "  \(next)\(language == .nb ? "" : " "): \(shown(words.next))\n" }
    }
    return text
  }
}

extension ProbeStep.Verdict {
  /// In a word, for people.
  public var word: ProbeText {
    switch self {
    case .ok: ProbeText(nb: "i orden", en: "ok")
    case .warning: ProbeText(nb: "advarsel", en: "warning")
    case .failed: ProbeText(nb: "feil", en: "failed")
    case .notPossible: ProbeText(nb: "ikke mulig", en: "not possible")
    case .notRun: ProbeText(nb: "ikke kjørt", en: "not run")
    }
  }
}
