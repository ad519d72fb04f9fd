// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import Disclosure
import Foundation
import Migration
import MigrationEngine
import NIOConcurrencyHelpers
import Synchronization
import Testing
import TjenestebussTesting

@testable import bus_migrator

/// Two in-memory buses, an address register over SOAP, parties whose systems fetch from both, and a folder: what a daemon needs.
struct Stage: Sendable {
  let folder: URL
  let source: InMemoryBroker
  let target: InMemoryBroker
  let register: AddressRegisterServer
  /// What the parties' systems have fetched from the target, by queue, in order.
  let fetched = NIOLockedValueBox<[String: [String]]>([:])
  private let daemons = Daemons()

  /// Daemons that a failed test left behind.
  private final class Daemons: Sendable {
    let all = Mutex<[ChildProgram]>([])
    deinit { for daemon in self.all.withLock({ $0 }) where daemon.process.isRunning { daemon.kill() } }
  }

  static let herIDs: [Int32] = [100, 101, 200, 300]
  /// 101 inherits from 100.
  static let owners: [Int32] = [100, 200, 300]

  static func record(_ value: Int32, queues: Int32? = nil, parent: Int32? = nil, on bus: String = "a") throws -> PartyRecord {
    PartyRecord(
      herID: try #require(HerID(value)), name: "Party \(value)", kind: parent == nil ? .organisation : .service,
      parent: parent.flatMap { HerID($0) }, active: true, valid: true,
      addresses: QueueKind.inRegister.map {
        PartyRecord.Address(
          typeCode: $0.registerCode ?? "", text: "\(bus).example/NHN/\(queues ?? value)_\($0.rawValue)", inherited: parent != nil)
      })
  }

  static func queues(of values: [Int32]) -> [String] {
    values.flatMap { value in QueueKind.inRegister.map { "\(value)_\($0.rawValue)" } }
  }

  /// Sets everything up, has the parties' systems fetch, runs `body`, and takes everything down.
  ///
  /// - Parameters:
  ///   - down: parties whose system does not come up on the target bus.
  ///   - management: the source bus has a management interface, and the configuration names it.
  ///   - isLeft: every party is on the target bus already, and its system fetches from there only.
  ///   - gone: parties whose system does not fetch from the source bus any more.
  ///   - source: what the source bus is.
  static func with(
    down: Set<Int32> = [], management: Bool = true, isLeft: Bool = false, gone: Set<Int32> = [],
    source dialect: Dialect = .rabbitMQ4AddressV2,
    _ body: @Sendable @escaping (Stage) async throws -> Void
  ) async throws {
    // A short path: a Unix socket's may have 103 bytes.
    let folder = URL(fileURLWithPath: "/tmp/bm-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let queues = Self.queues(of: Self.owners).map { BrokerQueue($0) }
    let source = InMemoryBroker.Configuration(
      dialect: dialect, path: "NHN", queues: queues, managementPort: management ? 0 : nil)
    // What receivers hold is counted there: else a bus that is left with somebody attached never counts as drained.
    let target = InMemoryBroker.Configuration(
      dialect: .rabbitMQ4AddressV2, path: "NHN", queues: queues, managementPort: management ? 0 : nil)
    let register = AddressRegisterServer.Configuration(
      credentials: RegisterCredentials(user: "u", password: Secret("p")), buses: Self.buses)
    let bus = isLeft ? "b" : "a"
    let records = [
      try Self.record(100, on: bus), try Self.record(101, queues: 100, parent: 100, on: bus), try Self.record(200, on: bus),
      try Self.record(300, on: bus),
    ]
    try await InMemoryBroker.withBroker(source) { source in
      try await InMemoryBroker.withBroker(target) { target in
        try await AddressRegisterServer.withServer(configuration: register, records: records) { register in
          let stage = Stage(folder: folder, source: source, target: target, register: register)
          try await stage.prepare()
          try await stage.fetching(down: down, isLeft: isLeft, gone: gone) { try await body(stage) }
        }
      }
    }
  }

  /// Messages as another party's system sends them, one after the other.
  func send(_ ids: [String], to queue: String, on broker: InMemoryBroker, from herID: Int32 = 300) async throws {
    try await AMQPConnection.withConnection(try broker.clientConfiguration()) { connection in
      try await connection.withSender(to: broker.sendingAddress(queue)) { sender in
        for id in ids {
          let message = AMQPMessage(
            properties: AMQPProperties(messageID: .string(id), subject: "APPREC", contentType: "application/xml"),
            applicationProperties: ["fromHerId": .int(herID), "toHerId": .int(200)], body: .data(Array("hemmelig".utf8)))
          let outcome = try await sender.send(message)
          #expect(outcome == .accepted)
        }
      }
    }
  }

  static let buses = [
    Bus(name: "a", dialect: .rabbitMQ4AddressV2, hosts: ["a.example"], path: "NHN"),
    Bus(name: "b", dialect: .rabbitMQ4AddressV2, hosts: ["b.example"], path: "NHN"),
  ]

  /// The parties' systems: they take whatever comes.
  private func fetching(
    down: Set<Int32>, isLeft: Bool, gone: Set<Int32>, _ body: @Sendable @escaping () async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (broker, isTarget) in [(self.source, false), (self.target, true)] where isTarget || !isLeft {
        let client = AMQPClient(try broker.clientConfiguration())
        group.addTask { try? await client.run() }
        for value in Self.owners where !(isTarget ? down : gone).contains(value) {
          for queue in Self.queues(of: [value]) {
            let address = broker.receivingAddress(queue)
            group.addTask {
              try? await client.withReceiver(from: address) { deliveries in
                for try await delivery in deliveries {
                  let id = (try? delivery.message())?.properties.messageID?.description
                  if isTarget, let id { self.fetched.withLockedValue { $0[queue, default: []].append(id) } }
                  try? delivery.accept()
                }
              }
            }
          }
        }
      }
      defer { group.cancelAll() }
      // Every one of them before anything is pinged: a party whose system comes up too late is held, and waits for a person.
      let atSource = isLeft ? [] : Self.owners.filter { !gone.contains($0) }
      for (broker, up) in [(self.source, atSource), (self.target, Self.owners.filter { !down.contains($0) })] {
        let queues = Self.queues(of: up)
        try await broker.waitUntil("all receivers", within: .seconds(120)) { broker in
          queues.allSatisfy { broker.consumers(of: $0) > 0 }
        }
      }
      try await body()
    }
  }

  // MARK: files

  var configuration: String { self.folder.appendingPathComponent("m.yaml").path }
  var pulje: String { self.folder.appendingPathComponent("p.yaml").path }
  var database: String { self.folder.appendingPathComponent("migration.sqlite").path }
  var cache: String { self.folder.appendingPathComponent("cache.sqlite").path }
  var socket: String { self.folder.appendingPathComponent("control.sock").path }

  private func prepare() async throws {
    let reader = try await self.register.readerEndpoint()
    let writer = try await self.register.writerConfiguration()
    func bus(_ name: String, _ broker: InMemoryBroker) -> String {
      """
        - name: \(name)
          dialect: \(broker.configuration.dialect.rawValue)
          hosts: [\(name).example]
          connection-string: amqp://guest:guest@127.0.0.1:\(broker.port ?? 0)/NHN
      """ + (broker.managementPort.map { "\n    management: { url: \"http://127.0.0.1:\($0)\" }" } ?? "")
    }
    func operation(_ key: String, _ operation: SOAPWriterConfiguration.Operation?, _ second: String) -> String {
      """
          \(key):
            name: \(operation?.name ?? "")
            parameters:
              - { name: herId, filling: her-id }
              - \(second)
      """
    }
    let text = """
      environment: test
      buses:
      \(bus("a", self.source))
      \(bus("b", self.target))
      ping:
        own-her-id: 900
        timeout: 60s
        party-interval: 0s
      register:
        url: \(reader.url)
        user: u
        password: p
        cache: cache.sqlite
        writer:
          kind: soap
          url: \(writer.endpoint.url)
          namespace: "\(writer.namespace)"
          action-prefix: "\(writer.actionPrefix)"
          operation-id-header: { name: \(writer.operationIDHeader?.name ?? ""), namespace: "\(writer.operationIDHeader?.namespace ?? "")" }
      \(operation("switch-to-bus", writer.switchToBus, "{ name: bus, filling: bus }"))
      \(operation("replace-addresses", writer.replaceAddresses, "{ name: electronicAddresses, filling: addresses }"))
      state-directory: .
      timings:
        retry-base: 50ms
        retry-cap: 200ms
      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: self.configuration))
    try self.write(pulje: "p1", Self.herIDs)
  }

  /// - Parameters:
  ///   - policy: lines of the policy beside those that let a test end.
  ///   - rest: lines at the file's end.
  func write(pulje name: String, _ herIDs: [Int32], policy: [String] = [], rest: [String] = []) throws {
    let text = """
      name: \(name)
      source: a
      target: b
      defaults: { vendor: Alfa, listens: both, start-confirmed: true }
      parties:
      \(herIDs.map { "  - her-id: \($0)" }.joined(separator: "\n"))
      policy:
        quiet-period: 1s
        look-interval: 200ms
        watch-period: 1s
        watch-look-interval: 200ms
        ping-interval: 100ms
      """ + (policy.map { "\n  \($0)" } + rest.map { "\n\($0)" }).joined()
    try Data(text.utf8).write(to: URL(fileURLWithPath: self.pulje))
  }

  // MARK: programs

  func command(_ arguments: [String]) async throws -> ChildProgram.Ending {
    try await ChildProgram.run("bus-migrator", arguments + ["--config", self.configuration], folder: self.folder)
  }

  /// A daemon that has said that it is ready, heard over its notification socket.
  func daemon(environment: [String: String] = [:]) async throws -> ChildProgram {
    let daemon = try ChildProgram(
      "bus-migrator", ["run", "--config", self.configuration], environment: environment, folder: self.folder)
    self.daemons.all.withLock { $0.append(daemon) }
    return daemon
  }

  /// Asks until the daemon says what is waited for; each question is answered when the daemon has it. The test's time limit bounds it.
  func status(until isThere: (ControlAPI.Status) -> Bool) async throws -> ControlAPI.Status {
    while true {
      try Task.checkCancellation()
      guard let status = try? await ControlClient(socket: self.socket).status() else {
        try await Task.sleep(for: .milliseconds(50))
        continue
      }
      if isThere(status) { return status }
      // Another process cannot wake us. A breath between two questions leaves it the processor.
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Gives a command again while it is refused with one of `codes`: no decision is taken on a look that is old, and on a loaded
  /// machine the last one may be.
  func command(_ arguments: [String], again codes: [String]) async throws -> ChildProgram.Ending {
    while true {
      let ending = try await self.command(arguments)
      guard ending.exitCode == 3, codes.contains(where: { ending.complaint.contains($0) }) else { return ending }
    }
  }

  /// Asks until it answers so. A look that is old on a busy machine shows nothing, so one answer may say only that.
  func command(_ arguments: [String], saying words: String...) async throws -> ChildProgram.Ending {
    while true {
      try Task.checkCancellation()
      let ending = try await self.command(arguments)
      if words.allSatisfy({ ending.output.contains($0) }) { return ending }
    }
  }

  /// As ``status(until:)``, of the drain.
  func drain(until isThere: (DrainStatus) -> Bool) async throws -> DrainStatus {
    while true {
      try Task.checkCancellation()
      guard let drain = try? await ControlClient(socket: self.socket).drain(of: nil, herIDs: []) else {
        try await Task.sleep(for: .milliseconds(50))
        continue
      }
      if isThere(drain) { return drain }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  func phases(_ status: ControlAPI.Status) -> [GroupPhase] { status.puljer.first?.groups.map(\.phase) ?? [] }
}
