// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@testable import Migration
@testable import MigrationReport
@testable import MigrationSimulation

/// Histories of the whole core: what a report says of them is what the state says.
@Suite("Reports of simulated histories")
struct SimulatedReportTests {
  @Test(
    "counts, phases and recommendation are those of the summary; time is all accounted for", arguments: 0..<6 as Range<UInt64>)
  func agree(seed: UInt64) throws {
    let simulation = try #require(Simulation(seed: seed))
    _ = simulation.run()
    let rows = simulation.store.rows
    let last = try #require(rows.last)
    let state = simulation.store.folded
    #expect(!state.puljer.isEmpty)
    for pulje in state.ordered {
      var fold = ReportFold(of: pulje.name)
      for (index, row) in rows.enumerated() {
        fold.take(ReportFold.Row(sequence: Int64(index + 1), hash: "\(index + 1)", at: row.at, event: row.event))
      }
      #expect(fold.inconsistentAt == nil)
      let given = ReportFacts.Given(madeAt: last.at, environment: "test", program: "1")
      let facts = try #require(fold.facts(given))
      let summary = PuljeSummary(pulje, stop: state.stop, now: last.at)
      let report = PuljeReport(summary, now: last.at, auditHead: nil)
      #expect(facts.recommendation.verdict == report.recommendation)
      #expect(facts.pulje.phase == summary.phase)
      #expect(facts.counts.groupsByPhase == summary.groupsByPhase)
      #expect(facts.counts.parties == summary.groups.reduce(0) { $0 + $1.members.count })
      #expect(facts.counts.writes == summary.groups.flatMap(\.members).reduce(0) { $0 + $1.writes })
      #expect(facts.groups.map(\.phase) == summary.groups.map(\.phase))
      #expect(facts.groups.map { $0.hold?.code } == summary.groups.map { $0.hold?.code })
      #expect(facts.groups.map { $0.rollBack } == summary.groups.map { $0.rollBack })
      // What is still held is an incident that has not ended.
      let open = facts.incidents.filter { $0.kind == .hold && $0.end == nil }.reduce(0) { $0 + $1.count }
      #expect(open == summary.groups.count { $0.hold != nil })
      #expect(
        facts.incidents.allSatisfy { incident in
          incident.end.map { $0 >= incident.begin || facts.counts.clockSteppedBack > 0 } ?? true
        })
      // The page is of these facts, in both languages, and comes back as it went.
      let document = try ReportDocument(facts)
      for language in ReportLanguage.allCases {
        let written = try WrittenReport(Array(document.html(language).utf8).withUnsafeBytes { Data($0) })
        #expect(ReportVerification(written, recomputed: document, program: "1").isEqual)
      }
    }
  }

  @Test("a history that makes no sense stops the fold where it does not")
  func inconsistent() throws {
    let history = try ReportFactsTests.whole()
    var fold = ReportFold(of: history.pulje)
    for row in history.rows.dropFirst(2) { fold.take(row) }
    #expect(fold.inconsistentAt == 3)
  }
}
