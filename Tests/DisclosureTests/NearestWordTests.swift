// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Disclosure

@Suite("What was likely meant")
struct NearestWordTests {
  static let known = ["buses", "register", "ping", "timings", "log-level", "limits", "audit-heads"]

  @Test(
    "A misspelt word leads to the one that was meant",
    arguments: [
      ("busses", "buses"), ("timing", "timings"), ("loglevel", "log-level"), ("lgo-level", "log-level"), ("Register", "register"),
      ("limit", "limits"), ("pnig", "ping"),
    ])
  func near(word: String, meant: String) {
    #expect(NearestWord.to(word, among: Self.known) == meant)
  }

  @Test("A word that is like none of them leads nowhere", arguments: ["", "x", "wave", "environment", "password"])
  func far(word: String) {
    #expect(NearestWord.to(word, among: Self.known) == nil)
  }
}
