// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// What one rung showed.
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

  public var code: ProbeCode
  public var verdict: Verdict
  /// How long it took; nil when it was not measured by itself.
  public var milliseconds: Double?
  /// What was seen: names, numbers, the peer's words. Never a secret, never content.
  public var seen: String
  public var meaning: String
  public var next: String
  /// Whose it is to mend; nil when there is nothing to mend.
  public var owner: FaultOwner?

  /// A step whose words come from the table of findings.
  public init(_ finding: ProbeFinding, seen: String, milliseconds: Double? = nil) {
    let words = ProbeTexts.words(finding)
    self.code = words.code
    self.verdict = words.verdict
    self.milliseconds = milliseconds
    self.seen = seen
    self.meaning = words.meaning
    self.next = words.next
    self.owner = words.owner
  }

  /// A step that failed with an error that explains itself.
  public init(_ code: ProbeCode, error: any ExplainedError, verdict: Verdict = .failed, milliseconds: Double? = nil) {
    let explanation = error.explanation
    self.code = code
    self.verdict = verdict
    self.milliseconds = milliseconds
    self.seen = "[\(error.stableCode)] \(explanation.seen)"
    self.meaning = explanation.meaning
    self.next = explanation.next
    self.owner = explanation.owner
  }
}
