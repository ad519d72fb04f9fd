// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// Why a scripted peer's script was not played to its end. No content of a message and no password is in it.
public struct ScriptedPeerError: ExplainedError, Hashable {
  public enum Code: String, Sendable, Hashable {
    case mismatch = "TEST-201"
    case timedOut = "TEST-202"
    case notReached = "TEST-203"
    case nothingToAnswer = "TEST-204"
    case notAMQP = "TEST-205"
    case notStarted = "TEST-206"
  }

  public var code: Code
  /// The step, with its place in the test.
  public var tried: String
  /// What came instead: the frame, and each field that is otherwise.
  public var seen: String

  init(_ code: Code, tried: String, seen: String) {
    self.code = code
    self.tried = tried
    self.seen = seen
  }

  public var stableCode: String { self.code.rawValue }

  public var explanation: Explanation {
    let (meaning, next): (String, String) =
      switch self.code {
      case .mismatch:
        ("The client did something else than the script says.", "Compare what came with the step; one of the two is wrong.")
      case .timedOut:
        ("The client did not do what the script waits for.", "See what it waits for itself: the step before may be missing.")
      case .notReached:
        ("The script was not played to its end.", "The client stopped before; or the script asks for too much.")
      case .nothingToAnswer:
        ("The script answers something that was never asked.", "Put the expectation that it answers before it.")
      case .notAMQP:
        ("What came is no AMQP 1.0.", "Check that the client speaks plain AMQP to this port, or TLS if the peer does.")
      case .notStarted: ("The peer does not listen.", "Look at the certificate and the key, and at the limit of open files.")
      }
    return Explanation(tried: self.tried, seen: self.seen, meaning: meaning, next: next, owner: .caller)
  }
}
