// SPDX-License-Identifier: Apache-2.0

import MigrationStore
import Testing

@testable import rehearsal

@Suite("Heads that a daemon has logged")
struct LoggedHeadsTests {
  private static let hash = String(repeating: "a1", count: 32)

  private static func line(_ end: String) -> String {
    "2026-11-22T12:00:00Z info bus-migrator: kind=audit.head weight=information [bus_migrator] \(end)"
  }

  @Test("each is taken; other lines are none, nor is the last one when the daemon died in it")
  func taken() {
    let log = [Self.line("chain head 12 \(Self.hash)"), "kind=group.looked x", Self.line("chain head 13 \(Self.hash)"), ""]
    let heads = LoggedHeads(in: log.joined(separator: "\n"))
    #expect(heads.heads == [ChainHead(sequence: 12, hash: Self.hash), ChainHead(sequence: 13, hash: Self.hash)])
    #expect(heads.unreadable.isEmpty)
    let cut = LoggedHeads(in: Self.line("chain head 12 \(Self.hash)") + "\n" + Self.line("chain head 13 a1"))
    #expect(cut.heads.map(\.sequence) == [12] && cut.unreadable.isEmpty)
    #expect(LoggedHeads(in: "").heads.isEmpty)
  }

  @Test(
    "one that cannot be read is told by its line",
    arguments: [
      "chain head", "chain head 12", "chain head x \(hash)", "chain head -1 \(hash)", "chain head 12 \(hash.dropLast())",
      "chain head 12 \(String(repeating: "g", count: 64))", "chain head 12 \(hash) more", "the head is \(hash)",
    ])
  func unreadable(end: String) {
    let heads = LoggedHeads(in: "x\n\(Self.line(end))\n\(Self.line("chain head 14 \(Self.hash)"))\n")
    #expect(heads.heads.map(\.sequence) == [14] && heads.unreadable == [2])
  }
}
