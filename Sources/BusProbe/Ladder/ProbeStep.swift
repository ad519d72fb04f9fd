// SPDX-License-Identifier: Apache-2.0

/// What one rung showed: data only. Its four lines (seen, means, whose, next) are made of it in either language.
public struct ProbeStep: Sendable, Hashable {
  public enum Verdict: String, Sendable, Hashable, Codable, CaseIterable {
    case ok
    case warning
    case failed
    /// This bus or configuration does not allow the check; it proves nothing either way, and is said to.
    case notPossible = "not-possible"
    /// Left out on purpose: `--no-send`, or a step before it failed.
    case notRun = "not-run"
  }

  public var finding: ProbeFinding
  public var verdict: Verdict
  /// How long it took; nil when it was not measured by itself.
  public var milliseconds: Double?
  /// Names, numbers, the peer's words. Never a secret, never content.
  public var facts: [ProbeFact: ProbeValue]

  /// - Parameter verdict: nil for the finding's own.
  public init(
    _ finding: ProbeFinding, _ facts: [ProbeFact: ProbeValue] = [:], verdict: Verdict? = nil, milliseconds: Double? = nil
  ) {
    self.finding = finding
    self.verdict = verdict ?? finding.verdict
    self.milliseconds = milliseconds
    self.facts = facts
  }

  public var code: ProbeCode { self.finding.code }
  /// Whose it is to mend; nil when there is nothing to mend.
  public var owner: ProbeOwner? { self.finding.owner }

  /// What was seen.
  public func seen(_ language: ProbeLanguage) -> String {
    ProbeTexts.filled(self.finding.words.seen[language], self.facts, language)
  }
  /// What it means.
  public func meaning(_ language: ProbeLanguage) -> String {
    ProbeTexts.filled(self.finding.words.means[language], self.facts, language)
  }
  /// Whose it is.
  public func whose(_ language: ProbeLanguage) -> String { (self.owner?.name ?? ProbeOwner.nobody)[language] }
  /// What to do next.
  public func next(_ language: ProbeLanguage) -> String {
    ProbeTexts.filled(self.finding.words.next[language], self.facts, language)
  }
}
