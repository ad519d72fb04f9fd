// SPDX-License-Identifier: Apache-2.0

/// A finding's rung, its weight, whose it is, and its lines in both languages.
public struct ProbeWords: Sendable, Hashable {
  public var code: ProbeCode
  public var verdict: ProbeStep.Verdict
  /// Nil where there is nothing to mend.
  public var owner: ProbeOwner?
  /// With the names of facts in braces.
  public var seen: ProbeText
  public var means: ProbeText
  public var next: ProbeText

  /// Seen, means, next.
  typealias Lines = (seen: String, means: String, next: String)

  init(_ code: ProbeCode, _ verdict: ProbeStep.Verdict, _ owner: ProbeOwner?, nb: Lines, en: Lines) {
    self.code = code
    self.verdict = verdict
    self.owner = owner
    self.seen = ProbeText(nb: nb.seen, en: en.seen)
    self.means = ProbeText(nb: nb.means, en: en.means)
    self.next = ProbeText(nb: nb.next, en: en.next)
  }

  /// All is well.
  static func good(_ code: ProbeCode, nb: (seen: String, means: String), en: (seen: String, means: String)) -> ProbeWords {
    ProbeWords(
      code, .ok, nil, nb: (nb.seen, nb.means, "Ingenting; gå videre."), en: (en.seen, en.means, "Nothing; go on."))
  }

  static func warn(_ code: ProbeCode, _ owner: ProbeOwner, nb: Lines, en: Lines) -> ProbeWords {
    ProbeWords(code, .warning, owner, nb: nb, en: en)
  }

  static func fail(_ code: ProbeCode, _ owner: ProbeOwner, nb: Lines, en: Lines) -> ProbeWords {
    ProbeWords(code, .failed, owner, nb: nb, en: en)
  }

  static func impossible(_ code: ProbeCode, nb: Lines, en: Lines) -> ProbeWords {
    ProbeWords(code, .notPossible, nil, nb: nb, en: en)
  }

  /// What a finding says that nobody has found words for. A test sees to it that there is none.
  static let none = fail(
    .input, .us, nb: ("ukjent funn", "Programmet har ingen ord for dette.", "Meld det som en feil i programmet."),
    en: ("an unknown finding", "The program has no words for this.", "Report it as a bug of the program."))
}
