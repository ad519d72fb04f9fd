// SPDX-License-Identifier: Apache-2.0

import BusProbe
import ForeignPrograms
import Foundation
import Testing

/// Every fault is made, and the pinger must name its step, its owner and what was seen of it. docs/pinger-faults.md is the table.
@Suite("Seeded faults: right step, right owner, right words", .timeLimit(.minutes(10)))
struct SeededFaultTests {
  @Test("Each fault is told as what it is", arguments: SeededFault.here)
  func told(_ fault: SeededFault) async throws {
    let sight = try await fault.seed()
    let step = try #require(sight.steps.first { $0.finding == fault.finding.rawValue }, "not found; this was:\n\(sight.text)")
    #expect(step.code == fault.code && fault.finding.code.rawValue == fault.code)
    #expect(step.owner == fault.owner?.rawValue)
    #expect(step.seen.contains(fault.sees), "seen: \(step.seen)")
    // What is to be mended first is this, and nothing else stands before it.
    if step.verdict == "failed" {
      #expect(sight.firstFailure?.code == step.code, "\(sight.text)")
    } else {
      #expect((sight.firstFailure?.code ?? 99) > step.code, "\(sight.text)")
    }
  }

  @Test("At least forty, and at least two for every step where something can go wrong")
  func enough() {
    #expect(SeededFault.all.count >= 40)
    for code in ProbeCode.allCases {
      let seeded = SeededFault.all.filter { $0.code == code.rawValue }
      #expect(seeded.count >= 2, "\(code)")
    }
  }

  @Test("docs/pinger-faults.md has the table as it is")
  func table() throws {
    let file = ForeignProgram.root.appendingPathComponent("docs/pinger-faults.md")
    let page = try String(contentsOf: file, encoding: .utf8)
    if ProcessInfo.processInfo.environment["TJENESTEBUSS_WRITE_TABLES"] != nil,
      let head = page.components(separatedBy: "| # |").first
    {
      try (head + SeededFault.table).write(to: file, atomically: true, encoding: .utf8)
      return
    }
    #expect(page.hasSuffix(SeededFault.table), "set TJENESTEBUSS_WRITE_TABLES=1 and run this test to write it")
  }
}
