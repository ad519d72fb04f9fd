// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import Computing
import Testing

@testable import MigrationSimulation

/// The prepared situations, by what their counters show: `DrainSituation.all` is the table, and real brokers can be made to show the same.
@Suite("Verdicts in prepared situations", .serialized, .computing)
struct DrainSituationTests {
  @Test("there are forty or more, each with a name of its own")
  func enough() {
    #expect(DrainSituation.all.count >= 40)
    #expect(Set(DrainSituation.all.map(\.name)).count == DrainSituation.all.count)
  }

  @Test(
    "the verdict is right, says what it does not show, and comes out the same from the events alone",
    arguments: DrainSituation.all)
  func verdict(situation: DrainSituation) throws {
    let course = try #require(situation.play())
    #expect(course.refusal == nil)
    let verdict = try #require(course.verdict)
    #expect(verdict.result == situation.result, "\(verdict.because)")
    #expect(verdict.code == situation.code, "\(verdict.because)")
    #expect(Set(verdict.stranded.map(\.strandedClass)) == situation.classes)
    let reopened = course.history.contains { if case .group(_, _, .lateArrival) = $0.event { true } else { false } }
    #expect(reopened == situation.isReopened)
    if let words = situation.notShown { #expect(verdict.cannotProve.contains { $0.contains(words) }, "\(verdict.cannotProve)") }
    // The phase never says more than the verdict does, but for what cannot be seen any more.
    if course.phase == .drained || course.phase == .observing, !["MIG-405", "MIG-428", "MIG-429"].contains(verdict.code) {
      #expect(verdict.isDrained)
    }
    if verdict.isDrained { #expect(course.phase == .observing) }
    #expect(course.recomputedVerdict == verdict)
    // What status shows is the verdict, and none of its own.
    let pulje = try #require(course.state.puljer[course.pulje])
    let status = try #require(PuljeSummary(pulje, stop: nil, now: course.now).groups.first)
    #expect(status.judgement.result == verdict.result && status.judgement.code == verdict.code)
    #expect(status.judgement.because == verdict.because && status.judgement.isDrained == verdict.isDrained)
    #expect(try JSONDecoder().decode(DrainVerdict.self, from: CanonicalJSON.encode(verdict)) == verdict)
  }

  @Test("a verdict recomputed from whole histories is the one that the daemon has", arguments: 0..<UInt64(12))
  func recomputed(seed: UInt64) throws {
    let simulation = try #require(Simulation(seed: seed))
    _ = simulation.run()
    let durable = simulation.durable
    var state = MigrationState()
    for (event, at) in durable { _ = state.apply(event, at: at) }
    let now = try #require(durable.last).at
    for pulje in state.ordered {
      for group in pulje.groups {
        let live = try #require(pulje.drainVerdict(of: group.id, now: now))
        let recomputed = DrainVerdict.recomputed(pulje: pulje.name, group: group.id, from: durable, now: now)
        #expect(recomputed == live, "seed \(seed), \(group.id)")
      }
    }
  }
}
