// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// Why the in-memory broker did not do what it was asked to.
public struct InMemoryBrokerError: ExplainedError, Hashable {
  public enum Code: String, Sendable, Hashable {
    case portTaken = "TEST-101"
    case notRunning = "TEST-102"
    case unknownQueue = "TEST-103"
    case waitTimedOut = "TEST-104"
    case tlsFilesUnusable = "TEST-105"
    case managementNotStarted = "TEST-106"
    case alreadyStarted = "TEST-107"
  }

  public var code: Code
  public var tried: String
  public var seen: String

  init(_ code: Code, tried: String, seen: String) {
    self.code = code
    self.tried = tried
    self.seen = seen
  }

  public var stableCode: String { self.code.rawValue }

  public var explanation: Explanation {
    let (meaning, next, owner): (String, String, FaultOwner) =
      switch self.code {
      case .portTaken:
        ("The broker does not listen.", "Use port 0 for any free one, or end the program that has it.", .caller)
      case .notRunning: ("The broker was not started, or is stopped.", "Call start() first, and nothing after stop().", .caller)
      case .unknownQueue: ("The broker has no such queue.", "Declare it, or mend its name.", .caller)
      case .waitTimedOut:
        ("What was waited for did not come about.", "Compare what was seen with what was expected.", .caller)
      case .tlsFilesUnusable:
        ("The broker cannot offer TLS.", "Look at the certificate and the key: PEM files that belong together.", .caller)
      case .managementNotStarted: ("The HTTP management does not answer.", "Use port 0 for any free one.", .caller)
      case .alreadyStarted: ("A broker runs once.", "Make another one.", .caller)
      }
    return Explanation(tried: self.tried, seen: self.seen, meaning: meaning, next: next, owner: owner)
  }
}
