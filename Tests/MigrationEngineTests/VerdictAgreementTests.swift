// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Migration
import Testing

@Suite("The pinger's verdict and the daemon's guard")
struct VerdictAgreementTests {
  @Test("What the pinger calls enough is what lets a group go on, for all evidence that a ping can give")
  func agree() throws {
    let pieces: [(ProbeEvidence, PingCheck)] = [
      (.accepted, .accepted), (.negativeControl, .negativeControl), (.consumer, .consumer), (.depthFalls, .depthFalls),
      (.echo, .echo),
    ]
    let results: [ProbeEvidence.State: Finding<PingCheck>.Result] = [.shows: .passed, .denies: .failed, .silent: .impossible]
    var all: [[ProbeEvidence.State]] = [[]]
    for _ in pieces { all = all.flatMap { made in ProbeEvidence.State.allCases.map { made + [$0] } } }
    #expect(all.count == 243)
    for states in all {
      let evidence = Dictionary(uniqueKeysWithValues: zip(pieces.map(\.0), states))
      let findings = try zip(pieces, states).map { Finding($0.1, try #require(results[$1]), seen: "seen") }
      let report = PingReport(herID: try HerID(text: "200"), bus: "tjenestebuss", findings: findings)
      #expect(
        VerificationVerdict(evidence).isEnough == (report.shortcoming(policy: Policy()) == nil),
        "\(evidence): \(report.shortcoming(policy: Policy()) ?? "enough")")
    }
  }
}
