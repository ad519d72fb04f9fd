// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Testing

@Suite("An error explains itself")
struct ExplanationTests {
  private struct Sample: ExplainedError {
    var stableCode: String { "TEST-001" }
    var explanation: Explanation {
      Explanation(tried: "open the door", seen: "a lock", meaning: "It is shut.", next: "Find the key.", owner: .party)
    }
  }

  @Test("one paragraph: code, tried, seen, meaning, next, owner")
  func paragraph() {
    #expect(
      "\(Sample())" == "[TEST-001] tried to open the door; saw: a lock. It is shut. Next: Find the key. (owner: party)")
    let error: any Error = Sample()
    #expect("\(error)".hasPrefix("[TEST-001]"))
  }

  @Test("owners keep their names in reports")
  func owners() {
    #expect(
      FaultOwner.allCases.map(\.rawValue) == ["caller", "network", "bus", "address-register", "party", "host", "tjenestebuss"])
  }
}
