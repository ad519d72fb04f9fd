// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import Foundation
import Testing
import TjenestebussTesting

@testable import bus_pinger

/// Each of the ladder's steps as the one to stop after, as the one that must send nothing, and as an exit code.
@Suite("bus-pinger: each step of the ladder", .timeLimit(.minutes(10)))
struct PingerStepsTests {
  private struct Seen: Decodable {
    struct Step: Decodable {
      var code: Int
      var finding: String
    }
    var steps: [Step]
    var first_failure: Int?
    subscript(code: ProbeCode) -> String? { self.steps.first { $0.code == code.rawValue }?.finding }
  }

  private static let patient = "timeout-seconds: 60"

  /// Runs the program to the end of a step.
  ///
  /// - Returns: with how many messages have ever come to the party's queue.
  private func run(
    _ stage: PingerStage, through step: ProbeCode, _ more: [String] = []
  ) async throws -> (seen: Seen, exitCode: Int32, sent: Int) {
    // By number and by name in turn.
    let named = step.rawValue % 2 == 0 ? step.name : step.stableCode
    let run = try await stage.run(["200", "--both", "--format", "json", "--exit", "step", "--quit-after", named] + more)
    #expect(run.complaint.isEmpty, "\(run)")
    let arrived = try await stage.broker.snapshot().queues["200_async"]?.arrived ?? -1
    return (try run.json(Seen.self), run.exitCode, arrived)
  }

  @Test(
    "--quit-after: the step is the last that is climbed, and only from credit on a ping is sent", arguments: ProbeCode.allCases)
  func quitAfter(step: ProbeCode) async throws {
    try await PingerStage.with(settings: Self.patient) { stage, _ in
      let (seen, code, sent) = try await self.run(stage, through: step)
      let climbed = seen.steps.map(\.code).filter { $0 != ProbeCode.otherBus.rawValue }
      #expect(climbed.max() == min(step.rawValue, ProbeCode.echo.rawValue))
      #expect(climbed == climbed.sorted())
      // The other bus is looked at beside the ladder, where there is a decision to be beside of.
      #expect((seen[.otherBus] != nil) == (step > .decision))
      #expect(sent == (step >= .credit ? 1 : 0))
      // Nobody listens: that is what step 31 finds, and none before it.
      #expect(seen.first_failure == (step >= .arrival ? 31 : nil))
      #expect(code == (step >= .arrival ? 31 : 0))
    }
  }

  @Test("--no-send: to whatever step, nothing is sent", arguments: ProbeCode.allCases)
  func noSend(step: ProbeCode) async throws {
    try await PingerStage.with(settings: Self.patient) { stage, _ in
      let (seen, _, sent) = try await self.run(stage, through: step, ["--no-send"])
      #expect(sent == 0)
      #expect(seen[.outcome] == (step >= .outcome ? "sendingNotWanted" : nil))
      #expect(seen[.credit] == nil && seen[.transfer] == nil && seen[.negativeControl] == nil)
      #expect((seen[.attach] != nil) == (step >= .attach))
    }
  }

  @Test("Production: without --send nothing is sent, to whatever step; with it, the ping goes", arguments: ProbeCode.allCases)
  func production(step: ProbeCode) async throws {
    try await PingerStage.with(settings: Self.patient + ", production: true, state-folder: pings, party-interval-seconds: 10") {
      stage, _ in
      let (seen, _, sent) = try await self.run(stage, through: step)
      #expect(sent == 0)
      #expect(seen[.outcome] == (step >= .outcome ? (step >= .credit ? "sendingNotAllowed" : "sendingNotWanted") : nil))
      let told = try await self.run(stage, through: step, ["--send"])
      #expect(told.sent == (step >= .credit ? 1 : 0))
    }
  }

  @Test("--exit step: the code of whatever failed first; what only warns is 0", arguments: ProbeFinding.allCases)
  func exitCode(finding: ProbeFinding) throws {
    let settings = try OutputSettings(try CheckCommand.parse(["200", "--exit", "step"]).output, environment: [:])
    let report = ProbeReport(target: "200", kind: .asynchronous, steps: [ProbeStep(finding)])
    let look = ProbeLook(report, at: .init(millisecondsSinceEpoch: 0), totalMilliseconds: 1)
    #expect(settings.exitCode(look) == (finding.verdict == .failed ? Int32(finding.code.rawValue) : 0))
    // Of many, that of the worst, whose status comes first.
    let good = ProbeLook(
      ProbeReport(target: "201", kind: .asynchronous, steps: [ProbeStep(.inputGood)]), at: .init(millisecondsSinceEpoch: 0),
      totalMilliseconds: 1)
    #expect(settings.exitCode([good, look]) == settings.exitCode(look))
    // As Nagios counts, the same are 0, 1 and 2.
    let nagios = try OutputSettings(try CheckCommand.parse(["200"]).output, environment: [:])
    #expect(nagios.exitCode(look) == Int32(report.status.rawValue))
  }

  @Test("The documented exit codes are the ladder's own")
  func documented() {
    #expect(ProbeCode.allCases.count == 18)
    #expect(ProbeCode.allCases.map(\.rawValue).min() == 10 && ProbeCode.allCases.map(\.rawValue).max() == 33)
  }
}
