// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

public enum EngineError: ExplainedError, Hashable {
  /// A command came to an engine that is not running, or no longer.
  case notRunning
  /// The register could not be read while planning.
  case registerUnreadable(HerID?, seen: String)
  /// The engine was started a second time.
  case startedTwice
  /// The history is of another world than the one that this program is configured for.
  case otherEnvironment(history: String, configured: String)
  /// An order stands, and this program has nothing to carry messages with.
  case nothingCarries

  public var stableCode: String {
    switch self {
    case .notRunning: "ENGINE-001"
    case .registerUnreadable: "ENGINE-002"
    case .startedTwice: "ENGINE-003"
    case .nothingCarries: "ENGINE-004"
    case .otherEnvironment: "ENGINE-005"
    }
  }

  public var explanation: Explanation {
    switch self {
    case .notRunning:
      Explanation(
        tried: "bring a command to the engine", seen: "it is not running", meaning: "Nothing has changed.",
        next: "Wait until the daemon runs, then try again.", owner: .caller)
    case .registerUnreadable(let herID, let seen):
      Explanation(
        tried: herID.map { "read HER-ID \($0) in the address register" } ?? "read the known parties", seen: seen,
        meaning: "Without the entry no plan can be made. It does not mean that the party is unknown.",
        next: "Check the register's endpoint and credentials; then plan again.", owner: .addressRegister)
    case .nothingCarries:
      Explanation(
        tried: "carry over what strands", seen: "this program has nothing to carry messages with", meaning: "Nothing is carried.",
        next: "Run the daemon (bus-migrator run).", owner: .tjenestebuss)
    case .otherEnvironment(let history, let configured):
      Explanation(
        tried: "go on with the history for the environment \(configured)", seen: "it is of the environment \(history)",
        meaning:
          "HER-IDs of test and of production have the same numbers: what is true of one must not be done to the other. Nothing was done.",
        next: "Name the database of \(configured), or mend environment in the configuration.", owner: .caller)
    case .startedTwice:
      Explanation(
        tried: "run the engine", seen: "it has run already", meaning: "One engine runs once.", next: "Make a new one.",
        owner: .tjenestebuss)
    }
  }
}
