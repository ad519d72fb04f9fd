// SPDX-License-Identifier: Apache-2.0

import AMQP
import Foundation
import Testing
import TjenestebussTesting

/// The program, interrupted in every way a terminal, a pipe or a network knows: the right exit code, nothing left behind.
@Suite("bus-pinger: how it ends", .timeLimit(.minutes(10)))
struct PingerEndingTests {
  @Test(
    "Ended while it waits for the bus's word: 128 and the signal, and its connection is closed in order",
    arguments: [(SIGINT, 130 as Int32), (SIGTERM, 143 as Int32), (SIGHUP, 129 as Int32)])
  func signals(signal: Int32, code: Int32) async throws {
    try await PingerStage.with { stage, _ in
      try await stage.broker.holdOutcomes()
      let program = try stage.start("200")
      try await stage.broker.waitUntil("the ping is there") { $0.depth(of: "200_async") == 1 }
      program.signal(signal)
      let ending = try await program.ending()
      #expect(ending.exitCode == code)
      #expect(!ending.wasKilled)
      #expect(ending.output.isEmpty)
      try await stage.broker.waitUntil("the connection is gone") { $0.connections.isEmpty }
      try await stage.waitUntilQueuesAreEmpty()
    }
  }

  @Test("For Nagios an interrupted check is unknown, with a line")
  func nagios() async throws {
    try await PingerStage.with { stage, _ in
      try await stage.broker.holdOutcomes()
      let program = try stage.start("200", "--format", "nagios")
      try await stage.broker.waitUntil("the ping is there") { $0.depth(of: "200_async") == 1 }
      program.signal(SIGTERM)
      let ending = try await program.ending()
      #expect(ending.exitCode == 3)
      #expect(ending.output == "BUS UNKNOWN - interrupted by signal 15\n")
    }
  }

  @Test("Killed outright: what it sent dies by itself")
  func killed() async throws {
    try await PingerStage.with { stage, _ in
      try await stage.broker.holdOutcomes()
      let program = try stage.start("200")
      try await stage.broker.waitUntil("the ping is there") { $0.depth(of: "200_async") == 1 }
      program.kill()
      #expect(try await program.ending().wasKilled)
      try await stage.waitUntilQueuesAreEmpty()
    }
  }

  @Test("The network is cut in the middle: the step says so, critical, and nothing stays on the queue")
  func cut() async throws {
    try await PingerStage.with(through: true) { stage, proxy in
      try await stage.broker.holdOutcomes()
      let program = try stage.start("200", "--format", "json")
      try await stage.broker.waitUntil("the ping is there") { $0.depth(of: "200_async") == 1 }
      try await proxy?.inject(.cut)
      let ending = try await program.ending()
      #expect(ending.exitCode == 2)
      let object = try #require(try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any])
      #expect(object["first_failure"] as? Int == 29)
      try await stage.waitUntilQueuesAreEmpty()
    }
  }

  @Test("Its reader goes away: it ends with 141, and says nothing")
  func pipes() async throws {
    try await PingerStage.with { stage, _ in
      let watch = try await stage.shell("pinger 200 --no-send --watch 100ms | head -n 2; echo ${PIPESTATUS[0]}")
      #expect(watch.output.split(separator: "\n").count == 3, "\(watch)")
      #expect(watch.output.hasSuffix("\n141\n"))
      #expect(watch.complaint.isEmpty)
    }
  }

  @Test(
    "A watch: a line a round, on Ctrl-C a summary, and the worst exit code that was seen", arguments: [SIGINT, SIGTERM, SIGHUP])
  func watch(signal: Int32) async throws {
    try await PingerStage.with { stage, _ in
      try await stage.broker.refuseNewConnections()
      let program = try stage.start("200", "--no-send", "--watch", "100ms", "--quit-after", "24")
      try await Self.wait("three rounds without a bus", program) { $0.split(separator: "\n").count >= 3 }
      try await stage.broker.acceptNewConnections()
      try await Self.wait("the verdict to change", program) { $0.contains(" *") }
      program.signal(signal)
      let ending = try await program.ending()
      #expect(ending.exitCode == 2)
      #expect(!ending.wasKilled)
      #expect(ending.output.contains("CRITICAL PING-21"))
      #expect(ending.output.contains("\n--- HER-ID 200: "))
      #expect(ending.output.contains("worst: CRITICAL"))
      #expect(!ending.output.contains("\u{1B}"))
    }
  }

  @Test("A watch in JSON: an object a line with its round; the summary is beside it")
  func watchJSON() async throws {
    try await PingerStage.with { stage, _ in
      let program = try stage.start("200", "--no-send", "--watch", "100ms", "--format", "json")
      try await Self.wait("three rounds", program) { $0.split(separator: "\n").count >= 3 }
      program.signal(SIGINT)
      let ending = try await program.ending()
      let rounds = try ending.output.split(separator: "\n").map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])["round"] as? Int
      }
      #expect(rounds == Array(1...rounds.count))
      #expect(ending.complaint.contains("--- HER-ID 200: "))
    }
  }

  /// Another process's output tells of nothing by itself: it is looked at until it is as it should be. A program that is not, is ended.
  private static func wait(_ what: String, _ program: ChildProgram, _ isMet: (String) -> Bool) async throws {
    let clock = ContinuousClock()
    let limit = clock.now + .seconds(60)
    while !isMet(program.outputSoFar) {
      if clock.now > limit { program.kill() }
      try #require(clock.now < limit, "waited for \(what); saw \(program.outputSoFar)")
      try await clock.sleep(for: .milliseconds(50))
    }
  }
}
