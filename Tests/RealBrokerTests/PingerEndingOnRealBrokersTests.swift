// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import ForeignPrograms
import Foundation
import Testing
import TjenestebussTesting

/// The pinger's program with pings out to twelve parties of a real broker, when it is interrupted, killed, cut off or left by its reader: the
/// exit code that its manual names, and nothing on any queue when the pings' time is over. One party on a terminal is tools/tests' part.
@Suite("bus-pinger: how a batch ends, on real brokers", .timeLimit(.minutes(5)))
struct PingerEndingOnRealBrokersTests {
  private static let parties = 300..<312

  enum End: String, CaseIterable, CustomTestStringConvertible {
    case controlC = "Ctrl-C", terminated = "SIGTERM", hangUp = "the terminal is closed", killed = "killed", cut =
      "the network is cut"
    var testDescription: String { self.rawValue }
    /// As `waitpid` has it for a kill, else the exit code.
    var code: Int32 {
      switch self {
      case .controlC: 130
      case .terminated: 143
      case .hangUp: 129
      case .killed: SIGKILL
      // The bus had taken the pings: what came of them was not seen, and nothing speaks against the parties.
      case .cut: 1
      }
    }
  }

  private struct Stage {
    let broker: RealBroker
    let queues: [String]
    let folder: URL
    let proxy: FaultProxy
    var configuration: String { self.folder.appendingPathComponent("pinger.yaml").path }

    /// How many messages lie on all queues, by the broker's own count of what it can give.
    func lying() async throws -> Int {
      var sum = 0
      for queue in self.queues {
        let data = try await self.broker.management(
          "POST", "/api/queues/%2F/\(queue)/get", ["count": 10, "ackmode": "ack_requeue_true", "encoding": "base64"])
        sum += (try JSONSerialization.jsonObject(with: data) as? [Any])?.count ?? 0
      }
      return sum
    }

    func waitUntil(_ what: String, _ isSo: (Int) -> Bool) async throws {
      for _ in 0..<240 {
        if isSo(try await self.lying()) { return }
        try await Task.sleep(for: .milliseconds(250))
      }
      Issue.record("never: \(what); \(try await self.lying()) messages lie there")
    }
  }

  /// A queue for each party and one for answers, which nobody gives: so long the program waits with its pings out.
  private func withStage(_ broker: RealBroker, _ body: (Stage) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ending-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = try await AddressCache.open(path: folder.appendingPathComponent("registry.sqlite").path, access: .readWrite)
    let now = SystemRegistryClock().now
    var queues: [String] = []
    for party in Self.parties {
      let queue = try await broker.declareQueue("quorum")
      queues.append(queue)
      let record = PartyRecord(
        herID: try HerID(text: String(party)), name: "Legekontoret", kind: .service, parent: nil, active: true, valid: true,
        addresses: [.init(typeCode: "E_SB_ASYNC", text: "tb.test/NHN/\(queue)", inherited: false)])
      try await cache.save(record, source: .file, readAt: now, now: now)
    }
    try await cache.close()
    let replies = try await broker.declareQueue()
    let configuration = try broker.configuration()
    try Self.parties.map(String.init).joined(separator: "\n").write(
      to: folder.appendingPathComponent("list"), atomically: true, encoding: .utf8)
    try await FaultProxy.withProxy(to: configuration.host, port: configuration.port) { proxy in
      let stage = Stage(broker: broker, queues: queues + [replies], folder: folder, proxy: proxy)
      try """
      own-her-id: 100
      ping: {time-to-live-seconds: 20, echo-timeout-seconds: 60, timeout-seconds: 60, party-interval-seconds: 0}
      registry: {cache: registry.sqlite}
      buses:
        - name: tjenestebuss
          dialect: \(broker.dialect.rawValue)
          hosts: [tb.test]
          connection-string: amqp://app:app@127.0.0.1:\(proxy.port)
          path: NHN
          reply-queue: \(replies)
      """.write(toFile: stage.configuration, atomically: true, encoding: .utf8)
      try await body(stage)
    }
    for queue in queues + [replies] { try await broker.deleteQueue(queue) }
  }

  private func run(_ stage: Stage, _ command: [String], while body: (Process) async throws -> Void) async throws -> (
    code: Int32, wasKilled: Bool, output: String
  ) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let file = stage.folder.appendingPathComponent("out")
    try Data().write(to: file)
    process.standardOutput = try FileHandle(forWritingTo: file)
    process.standardError = process.standardOutput
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    process.terminationHandler = { _ in end.finish() }
    try process.run()
    do { try await body(process) } catch {
      kill(process.processIdentifier, SIGKILL)
      throw error
    }
    for await _ in ended {}
    return (
      process.terminationStatus, process.terminationReason == .uncaughtSignal, try String(contentsOf: file, encoding: .utf8)
    )
  }

  private static var program: String { ForeignProgram.root.appendingPathComponent(".build/debug/bus-pinger").path }

  @Test("Ended with pings out", arguments: RealBroker.all, End.allCases)
  func ended(broker: RealBroker, by end: End) async throws {
    try await self.withStage(broker) { stage in
      let command = [
        Self.program, "--batch", stage.folder.appendingPathComponent("list").path, "--config", stage.configuration, "--language",
        "en",
      ]
      let ending = try await self.run(stage, command) { process in
        try await stage.waitUntil("a ping on each queue") { $0 == Self.parties.count }
        switch end {
        case .controlC: kill(process.processIdentifier, SIGINT)
        case .terminated: kill(process.processIdentifier, SIGTERM)
        case .hangUp: kill(process.processIdentifier, SIGHUP)
        case .killed: kill(process.processIdentifier, SIGKILL)
        case .cut: try await stage.proxy.inject(.cut)
        }
      }
      #expect(ending.code == end.code, "\(ending)")
      #expect(ending.wasKilled == (end == .killed))
      try await stage.waitUntil("all queues empty") { $0 == 0 }
    }
  }

  @Test("Its reader goes away: 141, and nothing is left", arguments: RealBroker.all)
  func left(broker: RealBroker) async throws {
    try await self.withStage(broker) { stage in
      let list = stage.folder.appendingPathComponent("list").path
      let text = try String(contentsOfFile: stage.configuration, encoding: .utf8)
        .replacing("echo-timeout-seconds: 60", with: "echo-timeout-seconds: 0")
      try text.write(toFile: stage.configuration, atomically: true, encoding: .utf8)
      let line =
        "'\(Self.program)' --batch '\(list)' --config '\(stage.configuration)' --language en | true; echo ${PIPESTATUS[0]}"
      let ending = try await self.run(stage, ["/bin/bash", "-c", line]) { _ in }
      #expect(ending.output == "141\n")
      try await stage.waitUntil("all queues empty") { $0 == 0 }
    }
  }
}
