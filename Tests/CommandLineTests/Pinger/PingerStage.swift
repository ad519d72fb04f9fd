// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Testing
import TjenestebussTesting

/// A broker in memory, a cache of parties, a configuration: what the program is run against. Pings live for a second.
struct PingerStage: Sendable {
  let broker: InMemoryBroker
  let folder: URL
  var configuration: String { self.folder.appendingPathComponent("pinger.yaml").path }

  static func with(
    parties: Range<Int> = 200..<201, settings: String = "timeout-seconds: 60, time-to-live-seconds: 1",
    through proxied: Bool = false,
    _ body: @Sendable @escaping (PingerStage, FaultProxy?) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pinger-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = try await AddressCache.open(path: folder.appendingPathComponent("registry.sqlite").path, access: .readWrite)
    let now = SystemRegistryClock().now
    for party in parties {
      let record = PartyRecord(
        herID: try HerID(text: String(party)), name: "Legekontoret", kind: .service, parent: nil, active: true, valid: true,
        addresses: [.init(typeCode: "E_SB_ASYNC", text: "tb.test/NHN/\(party)_async", inherited: false)])
      try await cache.save(record, source: .file, readAt: now, now: now)
    }
    try await cache.close()
    let queues = parties.map { BrokerQueue("\($0)_async", deadLetter: .none) }
    try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, path: "NHN", queues: queues)) { broker in
      let stage = PingerStage(broker: broker, folder: folder)
      let port: Int = try #require(broker.port)
      guard proxied else {
        try stage.configure(port: port, settings)
        return try await body(stage, nil)
      }
      try await FaultProxy.withProxy(to: "127.0.0.1", port: port) { proxy in
        try stage.configure(port: proxy.port, settings)
        try await body(stage, proxy)
      }
    }
  }

  private func configure(port: Int, _ settings: String) throws {
    try """
    own-her-id: 100
    ping: {\(settings)\(settings.contains("party-interval") ? "" : ", party-interval-seconds: 0")}
    registry: {cache: registry.sqlite}
    buses:
      - name: tjenestebuss
        dialect: rabbitmq-4-v2
        hosts: [tb.test]
        connection-string: amqp://guest:guest@127.0.0.1:\(port)/NHN
    """.write(toFile: self.configuration, atomically: true, encoding: .utf8)
  }

  func start(_ arguments: String...) throws -> ChildProgram {
    try ChildProgram(
      "bus-pinger", arguments + ["--config", self.configuration], environment: ["LC_ALL": "C"], folder: self.folder)
  }

  func run(_ arguments: [String]) async throws -> ChildProgram.Ending {
    try await ChildProgram.run(
      "bus-pinger", arguments + ["--config", self.configuration], environment: ["LC_ALL": "C"], folder: self.folder)
  }

  /// Runs a line of shell in which `pinger` is the program with its configuration.
  func shell(_ line: String) async throws -> ChildProgram.Ending {
    let program = ChildProgram.path("bus-pinger").path
    let script = "set -o pipefail; pinger() { '\(program)' \"$@\" --config '\(self.configuration)' --language en; }; \(line)"
    return try await ChildProgram.run(at: URL(fileURLWithPath: "/bin/bash"), ["-c", script], folder: self.folder)
  }

  /// Waits until pings that nobody fetched have died (these queues have no dead-letter queue, where they would go on): after their second, not before somebody looks.
  func waitUntilQueuesAreEmpty() async throws {
    try await self.broker.waitUntil("no ping lies there any more", within: .seconds(60)) { snapshot in
      snapshot.queues.values.allSatisfy { $0.depth == 0 }
    }
  }
}
