// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Forwarding

@Suite("What forwarding does by itself")
struct ForwardingRulesTests {
  @Test("it is the careful way: one at a time, and nothing is given a new life")
  func careful() {
    let rules = ForwardingRules()
    #expect(rules.mode == .strict)
    #expect(rules.unknownAge == .aside)
    #expect(!rules.isDryRun)
  }
}
