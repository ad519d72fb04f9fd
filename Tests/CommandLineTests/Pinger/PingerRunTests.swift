// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Testing
import TjenestebussTesting

/// The program itself, as support staff and Nagios run it, against a broker in memory.
@Suite("bus-pinger: the program", .timeLimit(.minutes(10)))
struct PingerRunTests {
  struct Run {
    var code: Int32
    var out: String
    var err: String
  }

  private static func pinger(_ arguments: String...) async throws -> Run {
    let process = Process()
    process.executableURL = ChildProgram.path("bus-pinger")
    process.arguments = arguments
    // The words are in the locale's language.
    process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C"]) { $1 }
    let (out, err) = (Pipe(), Pipe())
    process.standardOutput = out
    process.standardError = err
    let code = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    // What it prints is far less than a pipe holds.
    return Run(
      code: code, out: String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self),
      err: String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
  }

  /// A folder with a cache of one party and a configuration for the broker.
  private func withSetting(
    password: String = "guest", host: String = "127.0.0.1",
    _ body: @Sendable @escaping (_ configuration: String, URL) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pinger-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = try await AddressCache.open(path: folder.appendingPathComponent("registry.sqlite").path, access: .readWrite)
    let party = PartyRecord(
      herID: try HerID(text: "200"), name: "Legekontoret", kind: .service, parent: nil, active: true, valid: true,
      addresses: [.init(typeCode: "E_SB_ASYNC", text: "tb.test/NHN/200_async", inherited: false)])
    let now = SystemRegistryClock().now
    try await cache.save(party, source: .file, readAt: now, now: now)
    try await cache.close()
    try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, path: "NHN", queues: ["200_async"])) { broker in
      let port: Int = try #require(broker.port)
      let file = folder.appendingPathComponent("pinger.yaml")
      try """
      own-her-id: 100
      ping: {timeout-seconds: 60, party-interval-seconds: 0}
      registry: {cache: registry.sqlite}
      buses:
        - name: tjenestebuss
          dialect: rabbitmq-4-v2
          hosts: [tb.test]
          allow-password-in-clear: true
          connection-string: amqp://guest:\(password)@\(host):\(port)/NHN
      """.write(to: file, atomically: true, encoding: .utf8)
      try await body(file.path, folder)
    }
  }

  @Test("All good as far as it was asked: exit code 0, and each format")
  func good() async throws {
    try await self.withSetting { configuration, _ in
      let text = try await Self.pinger("200", "--config", configuration, "--quit-after", "30")
      #expect(text.code == 0, "\(text)")
      #expect(text.out.contains("29 outcome") && text.out.contains("OK: HER-ID 200 async on tjenestebuss"))
      let nagios = try await Self.pinger("200", "--config", configuration, "--quit-after", "attach", "--format", "nagios")
      #expect(nagios.code == 0)
      #expect(nagios.out.hasPrefix("BUS OK - 200"))
      let json = try await Self.pinger("200", "--config", configuration, "--no-send", "--format", "json")
      let object = try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: Any]
      #expect(object?["schema"] as? String == "bus-pinger/1")
      // Nobody listens.
      #expect(json.code == 2)
    }
  }

  @Test("Nobody listens, unknown HER-ID, no HER-ID: critical, or the step's own code")
  func critical() async throws {
    try await self.withSetting { configuration, _ in
      #expect(try await Self.pinger("200", "--config", configuration).code == 2)
      #expect(try await Self.pinger("200", "--config", configuration, "--exit", "step").code == 31)
      let unknown = try await Self.pinger("201", "--config", configuration, "--exit", "step")
      #expect(unknown.code == 13)
      #expect(unknown.out.contains("HER-ID 201 is not in the cache"))
      #expect(try await Self.pinger("2x", "--config", configuration, "--exit", "step").code == 10)
    }
  }

  @Test("A wrong password and an unknown host: the rung's code, the reason, and no password anywhere")
  func refused() async throws {
    try await self.withSetting(password: "Sup3rS3cret") { configuration, _ in
      let run = try await Self.pinger("200", "--config", configuration, "--exit", "step")
      #expect(run.code == 23)
      #expect(run.out.contains("the password is wrong"))
      #expect(!"\(run)".contains("Sup3rS3cret"))
    }
    try await self.withSetting(host: "no-such-host.invalid") { configuration, _ in
      let run = try await Self.pinger("200", "--config", configuration, "--exit", "step")
      #expect(run.code == 20)
      #expect(run.out.contains("PING-20"))
    }
  }

  @Test("What keeps it from beginning: exit code 3 with a code, for Nagios on standard output")
  func unknown() async throws {
    try await self.withSetting { configuration, folder in
      let none = try await Self.pinger("200", "--config", folder.appendingPathComponent("none.yaml").path)
      #expect(none.code == 3)
      #expect(none.err.contains("PING-101"))
      let broken = folder.appendingPathComponent("broken.yaml")
      try "own-her-id: [".write(to: broken, atomically: true, encoding: .utf8)
      let nagios = try await Self.pinger("200", "--config", broken.path, "--format", "nagios")
      #expect(nagios.code == 3)
      #expect(nagios.out.hasPrefix("BUS UNKNOWN - [PING-102]"))
      try FileManager.default.removeItem(at: folder.appendingPathComponent("registry.sqlite"))
      let registry = try await Self.pinger("200", "--config", configuration)
      #expect(registry.code == 3)
      #expect(registry.err.contains("AR-101"))
    }
  }

  @Test("explain needs nothing; a step that does not exist is wrong usage")
  func explain() async throws {
    let run = try await Self.pinger("explain", "29")
    #expect(run.code == 0)
    #expect(run.out.hasPrefix("PING-29 outcome"))
    #expect(try await Self.pinger("explain", "14").code == 64)
  }
}
