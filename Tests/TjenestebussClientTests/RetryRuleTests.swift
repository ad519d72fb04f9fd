// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TjenestebussClient

@Suite("What follows when a handler failed")
struct RetryRuleTests {
  private let rule = RetryRule(delay: .seconds(60), longestDelay: .seconds(600), window: 10, limit: 15, warning: 5)

  @Test("Held for the delay; near the limit it is told; at the limit it is dead-lettered")
  func limit() {
    #expect(self.rule.verdict(attempts: 1, failuresInARow: 1) == .later(after: .seconds(60), nearLimit: false))
    #expect(self.rule.verdict(attempts: 9, failuresInARow: 1) == .later(after: .seconds(60), nearLimit: false))
    #expect(self.rule.verdict(attempts: 10, failuresInARow: 1) == .later(after: .seconds(60), nearLimit: true))
    #expect(self.rule.verdict(attempts: 15, failuresInARow: 1) == .deadLetter)
    var endless = self.rule
    endless.limit = nil
    #expect(endless.verdict(attempts: 1_000, failuresInARow: 1) == .later(after: .seconds(60), nearLimit: false))
  }

  @Test("When nothing succeeds the wait grows, up to the longest: the fault is ours, and the queue shall not be dead-lettered")
  func nothingSucceeds() {
    func wait(_ inARow: Int) -> RetryRule.Verdict { self.rule.verdict(attempts: 1, failuresInARow: inARow) }
    #expect(wait(9) == .later(after: .seconds(60), nearLimit: false))
    #expect(wait(10) == .later(after: .seconds(120), nearLimit: false))
    #expect(wait(20) == .later(after: .seconds(240), nearLimit: false))
    #expect(wait(40) == .later(after: .seconds(600), nearLimit: false))
    #expect(wait(.max) == .later(after: .seconds(600), nearLimit: false))
  }

  @Test("A handler may say when; no longer than the longest, and never before now")
  func asked() {
    #expect(
      self.rule.verdict(attempts: 1, failuresInARow: 50, asked: .seconds(5)) == .later(after: .seconds(5), nearLimit: false))
    #expect(
      self.rule.verdict(attempts: 1, failuresInARow: 0, asked: .seconds(6_000)) == .later(after: .seconds(600), nearLimit: false))
    #expect(self.rule.verdict(attempts: 1, failuresInARow: 0, asked: .seconds(-1)) == .later(after: .zero, nearLimit: false))
    #expect(self.rule.verdict(attempts: 15, failuresInARow: 0, asked: .seconds(5)) == .deadLetter)
  }

  @Test("Failures are counted for each message, and in a row for the queue; a success ends both")
  func ledger() {
    var ledger = FailureLedger()
    #expect([ledger.failed("a"), ledger.failed("b"), ledger.failed("a"), ledger.failed(nil)] == [1, 1, 2, 1])
    #expect(ledger.inARow == 4)
    ledger.succeeded("a")
    #expect(ledger.inARow == 0)
    #expect(ledger.failed("a") == 1)
    #expect(ledger.failed("b") == 2)
    ledger.forget("b")
    #expect(ledger.failed("b") == 1)
  }

  @Test("The ledger keeps ten thousand messages; the oldest are forgotten first")
  func bounded() {
    var ledger = FailureLedger()
    for number in 0...10_000 { _ = ledger.failed("m\(number)") }
    #expect(ledger.failed("m0") == 1)
    #expect(ledger.failed("m10000") == 2)
  }
}
