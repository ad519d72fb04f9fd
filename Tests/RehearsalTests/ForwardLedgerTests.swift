// SPDX-License-Identifier: Apache-2.0

import Crypto
import Testing

@testable import rehearsal

@Suite("The ledger of what was carried over")
struct ForwardLedgerTests {
  private static func message(_ sender: Int, _ number: Int, bytes: String? = nil) -> ForwardLedger.Sighting {
    let id = "m-\(sender)-\(number)"
    return ForwardLedger.Sighting(id: id, sender: sender, number: number, hash: SHA256.hash(data: Array((bytes ?? id).utf8)))
  }

  /// Two senders with three messages each.
  private static func witnessed() -> ForwardLedger {
    var ledger = ForwardLedger()
    for sender in 0..<2 { for number in 0..<3 { ledger.witnessed(message(sender, number)) } }
    return ledger
  }

  @Test("all there once, each sender's in order: sound")
  func sound() {
    var ledger = Self.witnessed()
    for number in 0..<3 { for sender in [1, 0] { ledger.arrived(Self.message(sender, number)) } }
    #expect(ledger.balance().isSound)
  }

  @Test("one that is nowhere is lost; one that is on the source still is left; neither is sound")
  func lostAndLeft() {
    var ledger = Self.witnessed()
    for sender in 0..<2 { for number in 0..<2 { ledger.arrived(Self.message(sender, number)) } }
    ledger.left("m-1-2")
    let balance = ledger.balance()
    #expect(balance.lost == ["m-0-2"])
    #expect(balance.left == 1)
    #expect(!balance.isSound)
  }

  @Test("a message that is there twice is sound when the journal names it, and only then")
  func twice() {
    var ledger = Self.witnessed()
    for sender in 0..<2 { for number in 0..<3 { ledger.arrived(Self.message(sender, number)) } }
    ledger.arrived(Self.message(0, 1))
    #expect(ledger.balance().unlisted == ["m-0-1"])
    #expect(!ledger.balance().isSound)
    ledger.listed("m-0-1")
    #expect(ledger.balance().duplicates == 1)
    #expect(ledger.balance().isSound)
  }

  @Test("other bytes, a first delivery out of its sender's order, and what nobody sent are told")
  func wrong() {
    var ledger = Self.witnessed()
    for sender in 0..<2 { for number in [0, 2, 1] { ledger.arrived(Self.message(sender, number)) } }
    #expect(ledger.balance().overtaken == ["m-0-1", "m-1-1"])
    ledger.arrived(Self.message(0, 0, bytes: "other"))
    #expect(ledger.balance().altered == ["m-0-0"])
    ledger.arrived(Self.message(7, 7))
    #expect(ledger.balance().aliens == ["m-7-7"])
  }

  @Test("nothing sent proves nothing")
  func nothing() { #expect(!ForwardLedger().balance().isSound) }

  @Test("every trouble comes once before any comes twice, at points that the seed repeats")
  func troubles() {
    let kinds = ForwardTrouble.allCases.count
    let plan = ForwardTrouble.plan(kinds, over: 1_000, seed: 7)
    #expect(Set(plan.map(\.trouble)).count == kinds)
    #expect(plan.map(\.after) == plan.map(\.after).sorted())
    #expect(plan.map(\.after) == ForwardTrouble.plan(kinds, over: 1_000, seed: 7).map(\.after))
  }
}
