// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TjenestebussTesting

/// Many pingers share a reply queue: the daemon reads it, and hands each its own echoes. All of them are processes.
@Suite("Echoes by the daemon", .serialized, .timeLimit(.minutes(10)))
struct EchoByDaemonTests {
  @Test("Six pingers and two batches at once, beside the daemon, in memory: each gets its own echoes, and none is left")
  func inMemory() async throws {
    try await EchoStage.inMemory(parties: Array(200..<226)) { stage, brokers in
      try await self.manyAtOnce(stage)
      for broker in brokers { #expect(try await broker.depth(of: stage.replyQueue) == 0) }
    }
  }

  @Test("The same on RabbitMQ 3.10 and 4.0")
  func real() async throws {
    try await EchoStage.real(parties: Array(200..<226)) { try await self.manyAtOnce($0) }
  }

  private func manyAtOnce(_ stage: EchoStage) async throws {
    let daemon = try await stage.daemon()
    try await stage.whileSystemsRun {
      let alone = Array(stage.parties.prefix(6))
      let batches = [Array(stage.parties.dropFirst(6).prefix(10)), Array(stage.parties.dropFirst(16))]
      let singles = try alone.map { (party: $0, program: try stage.start(String($0))) }
      let lists = try batches.enumerated().map { number, parties in
        let list = stage.file("list-\(number)")
        try parties.map(String.init).joined(separator: "\n").write(to: list, atomically: true, encoding: .utf8)
        return (parties: parties, program: try stage.start("--batch", list.path))
      }
      for single in singles { stage.expectOwnEchoes(try await stage.looks(single.program), of: [single.party]) }
      for list in lists { stage.expectOwnEchoes(try await stage.looks(list.program), of: list.parties) }
    }
    for bus in stage.buses { #expect(try await stage.answer(of: bus.name) { _ in true }.awaited == 0) }
    daemon.terminate()
    #expect(try await daemon.ending().exitCode == 0)
  }

  @Test("Nobody answers the socket: the step says so, and a shared queue is not read; one of our own is")
  func noDaemon() async throws {
    try await EchoStage.inMemory(parties: [200]) { stage, brokers in
      try stage.pinger("daemon-socket: echo.sock", reply: "reply-queue: \(stage.replyQueue)")
      try await stage.whileSystemsRun {
        let shared = try #require(try await stage.looks(try stage.start("200")).first?.echo)
        #expect(shared.finding == "echoDaemonUnable")
        #expect(shared.seen.contains("PROBE-121") && shared.seen.contains("we would have taken others' answers"), "\(shared)")
        try stage.pinger("daemon-socket: echo.sock")
        let none = try #require(try await stage.looks(try stage.start("200")).first?.echo)
        #expect(none.finding == "echoDaemonUnable" && none.seen.contains("no reply queue of ours alone"), "\(none)")
        #expect(try await brokers[0].depth(of: stage.replyQueue) == 0, "no echo was asked for")

        try stage.pinger("daemon-socket: echo.sock", reply: "reply-queue: \(stage.replyQueue)\n    reply-queue-shared: false")
        let own = try #require(try await stage.looks(try stage.start("200")).first?.echo)
        #expect(own.finding == "echoCame" && own.seen.contains("ours alone and the daemon gave none: [PROBE-121]"), "\(own)")
      }
    }
  }

  @Test("A pinger that is killed gives up its wait; a daemon that stops ends the wait, and the pinger says so")
  func deaths() async throws {
    try await EchoStage.inMemory(parties: [200, 202]) { stage, _ in
      let daemon = try await stage.daemon()
      // The parties' systems are down: nothing answers.
      let killed = try stage.start("200")
      try await stage.answer(of: "servicebus") { $0.awaited == 1 }
      killed.kill()
      #expect(try await killed.ending().wasKilled)
      try await stage.answer(of: "servicebus") { $0.awaited == 0 }

      let left = try stage.start("202")
      try await stage.answer(of: "servicebus") { $0.awaited == 1 }
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
      let echo = try #require(try await stage.looks(left).first?.echo)
      #expect(echo.finding == "echoLost" && echo.seen.contains("PROBE-126"), "\(echo)")
    }
  }

  @Test("A daemon that is killed in the middle: the wait is cut, and that is said")
  func killedDaemon() async throws {
    try await EchoStage.inMemory(parties: [200]) { stage, _ in
      let daemon = try await stage.daemon()
      let left = try stage.start("200")
      try await stage.answer(of: "servicebus") { $0.awaited == 1 }
      daemon.kill()
      let echo = try #require(try await stage.looks(left).first?.echo)
      #expect(echo.finding == "echoLost", "\(echo)")
    }
  }

  @Test("None in time is none in time, when the daemon listens and the party does not answer")
  func silence() async throws {
    try await EchoStage.inMemory(parties: [200]) { stage, _ in
      let daemon = try await stage.daemon()
      try stage.pinger("daemon-socket: echo.sock", echoSeconds: 1)
      let echo = try #require(try await stage.looks(try stage.start("200")).first?.echo)
      #expect(echo.finding == "echoNone" && echo.seen == "no answer in 1 s; the daemon reads the reply queue", "\(echo)")
      try await stage.answer(of: "servicebus") { $0.awaited == 0 }
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
    }
  }
}
