// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusModel
import BusProbe
import Disclosure
import Foundation
import NIOConcurrencyHelpers
import Testing
import TjenestebussClient
import TjenestebussTesting

/// Two buses with a reply queue each that many share, a daemon that reads them, parties whose systems answer, and pingers as processes.
struct EchoStage: Sendable {
  struct OneBus: Sendable {
    var name: String
    var dialect: Dialect
    var host: String
    var port: Int
    var login: String
    var management: String?
  }

  let folder: URL
  let buses: [OneBus]
  let parties: [Int]
  /// New for every stage, so that none reads another's queues.
  let mark: String
  private let left = NIOLockedValueBox<[ChildProgram]>([])

  var replyQueue: String { "\(self.mark)_pingreply" }
  func queue(_ party: Int) -> String { "\(self.mark)_\(party)_async" }
  /// Every second party is on the second bus.
  func bus(of party: Int) -> OneBus { self.buses[party % 2] }
  var socket: String { self.folder.appendingPathComponent("echo.sock").path }

  // MARK: stages

  static func inMemory(parties: [Int], _ body: @Sendable @escaping (EchoStage, [InMemoryBroker]) async throws -> Void)
    async throws
  {
    let mark = "t\(UUID().uuidString.prefix(6).lowercased())"
    func configuration(_ number: Int) -> InMemoryBroker.Configuration {
      let names = parties.filter { $0 % 2 == number }.map { "\(mark)_\($0)_async" } + ["\(mark)_pingreply"]
      return .init(dialect: .rabbitMQ4AddressV2, path: "NHN", queues: names.map { BrokerQueue($0, deadLetter: .none) })
    }
    try await InMemoryBroker.withBroker(configuration(0)) { first in
      try await InMemoryBroker.withBroker(configuration(1)) { second in
        let buses = try [("servicebus", first), ("tjenestebuss", second)].map { name, broker in
          OneBus(
            name: name, dialect: broker.configuration.dialect, host: "127.0.0.1", port: try #require(broker.port),
            login: "guest:guest")
        }
        try await Self.with(buses, mark: mark, parties: parties) { try await body($0, [first, second]) }
      }
    }
  }

  /// RabbitMQ 3.10 and 4.0, as `scripts/with-brokers` starts them.
  static func real(parties: [Int], _ body: @Sendable @escaping (EchoStage) async throws -> Void) async throws {
    let mark = "t\(UUID().uuidString.prefix(6).lowercased())"
    let buses = try [("servicebus", "RABBITMQ3", Dialect.rabbitMQ3), ("tjenestebuss", "RABBITMQ4", .rabbitMQ4AddressV2)].map {
      name, prefix, dialect in
      func url(_ suffix: String) throws -> URL {
        try #require(
          ProcessInfo.processInfo.environment["TJENESTEBUSS_\(prefix)_\(suffix)"].flatMap { URL(string: $0) },
          "run the tests with `make test`, which starts the brokers")
      }
      let amqp = try url("URL")
      return OneBus(
        name: name, dialect: dialect, host: try #require(amqp.host), port: try #require(amqp.port), login: "guest:guest",
        management: try url("MANAGEMENT_URL").absoluteString)
    }
    try await Self.with(buses, mark: mark, parties: parties) { stage in
      for (number, bus) in buses.enumerated() {
        for queue in parties.filter({ $0 % 2 == number }).map({ stage.queue($0) }) + [stage.replyQueue] {
          try await stage.manage("PUT", bus, "queues/%2F/\(queue)", "{\"durable\":true}")
        }
      }
      try await body(stage)
      for (number, bus) in buses.enumerated() {
        for queue in parties.filter({ $0 % 2 == number }).map({ stage.queue($0) }) + [stage.replyQueue] {
          try await stage.manage("DELETE", bus, "queues/%2F/\(queue)", nil)
        }
      }
    }
  }

  private static func with(
    _ buses: [OneBus], mark: String, parties: [Int], _ body: (EchoStage) async throws -> Void
  ) async throws {
    let folder = URL(fileURLWithPath: "/tmp/\(mark)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let stage = EchoStage(folder: folder, buses: buses, parties: parties, mark: mark)
    defer { for program in stage.left.withLockedValue({ $0 }) where program.process.isRunning { program.kill() } }
    let cache = try await AddressCache.open(path: folder.appendingPathComponent("registry.sqlite").path, access: .readWrite)
    let now = SystemRegistryClock().now
    for party in parties { try await cache.save(stage.record(party), source: .file, readAt: now, now: now) }
    try await cache.close()
    try stage.write()
    try await body(stage)
  }

  func record(_ party: Int) throws -> PartyRecord {
    PartyRecord(
      herID: try HerID(text: String(party)), name: "Legekontoret", kind: .service, parent: nil, active: true, valid: true,
      addresses: [
        .init(typeCode: "E_SB_ASYNC", text: "\(self.bus(of: party).name).test/NHN/\(self.queue(party))", inherited: false)
      ])
  }

  private func write() throws {
    func bus(_ bus: OneBus, _ more: String) -> String {
      """
        - name: \(bus.name)
          dialect: \(bus.dialect.rawValue)
          hosts: [\(bus.name).test]
          path: NHN
          connection-string: amqp://\(bus.login)@\(bus.host):\(bus.port)
      \(more)
      """ + (bus.management.map { "\n    management: {url: \"\($0)\", user: guest, password: guest}" } ?? "")
    }
    let daemon = self.buses.map { bus($0, "    ping-reply-queue: \(self.replyQueue)") }.joined(separator: "\n")
    try """
    environment: test
    buses:
    \(daemon)
    ping: {own-her-id: 100, time-to-live: 60s, timeout: 60s, echo-timeout: 60s, party-interval: 0s}
    register: {url: "https://127.0.0.1:1/AR", user: ar, password: x, timeout: 2s, writer: {kind: manual}}
    state-directory: .
    echo-socket: echo.sock
    log-level: warning
    """.write(to: self.file("daemon.yaml"), atomically: true, encoding: .utf8)
    try self.pinger("daemon-socket: echo.sock")
  }

  func file(_ name: String) -> URL { self.folder.appendingPathComponent(name) }

  /// Writes the pingers' file.
  func pinger(_ first: String, reply: String? = nil, echoSeconds: Int = 60) throws {
    let buses = self.buses.map { bus in
      """
        - name: \(bus.name)
          dialect: \(bus.dialect.rawValue)
          hosts: [\(bus.name).test]
          path: NHN
          connection-string: amqp://\(bus.login)@\(bus.host):\(bus.port)
      """ + (reply.map { "\n    \($0)" } ?? "")
    }
    try """
    own-her-id: 100
    \(first)
    ping: {timeout-seconds: 60, time-to-live-seconds: 60, echo-timeout-seconds: \(echoSeconds), party-interval-seconds: 0}
    registry: {cache: registry.sqlite}
    buses:
    \(buses.joined(separator: "\n"))
    """.write(to: self.file("pinger.yaml"), atomically: true, encoding: .utf8)
  }

  func manage(_ method: String, _ bus: OneBus, _ path: String, _ body: String?) async throws {
    var request = HTTPClientRequest(url: "\(try #require(bus.management))/api/\(path)")
    request.method = .init(rawValue: method)
    request.setBasicAuth(username: "guest", password: "guest")
    if let body { request.body = .bytes(Array(body.utf8)) }
    let status = try await HTTPClient.shared.execute(request, timeout: .seconds(60)).status
    #expect((200..<300).contains(status.code), "\(method) \(path): \(status)")
  }

  // MARK: programs

  /// The parties' systems: our own client, so they answer. `body` runs once all receive.
  func whileSystemsRun(_ parties: [Int]? = nil, _ body: @Sendable @escaping () async throws -> Void) async throws {
    let parties = parties ?? self.parties
    let endpoints = try self.buses.map { bus in
      BusEndpoint(
        bus: Bus(name: BusName(bus.name), dialect: bus.dialect, hosts: ["\(bus.name).test"], path: "NHN"),
        connection: try BusConnectionString("amqp://\(bus.login)@\(bus.host):\(bus.port)"))
    }
    let cache = try await AddressCache.open(path: self.file("registry.sqlite").path, access: .readOnly)
    let client = try TjenestebussClient(
      TjenestebussConfiguration(buses: endpoints, product: "EPJ", missingQueueRetry: .seconds(600)),
      routes: AddressResolver(cache: cache, register: nil))
    try await client.withClient { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for party in parties {
          let herID = try HerID(text: String(party))
          group.addTask {
            try await client.receive(for: herID, kinds: [.asynchronous]) { _ in Issue.record("a ping reached the EPJ") }
          }
        }
        for await status in client.statusChanges
        where parties.allSatisfy({ status[BusName(self.bus(of: $0).name), self.queue($0)] == .receiving }) { break }
        try await body()
        group.cancelAll()
      }
    }
    try await cache.close()
  }

  /// A daemon that takes commands and listens on both reply queues.
  func daemon() async throws -> ChildProgram {
    let daemon = try ChildProgram("bus-migrator", ["run", "--config", self.file("daemon.yaml").path], folder: self.folder)
    self.left.withLockedValue { $0.append(daemon) }
    for bus in self.buses { try await self.answer(of: bus.name) { $0.replyQueue == self.replyQueue } }
    return daemon
  }

  /// Asks the daemon until its answer is so. The test's time limit bounds it.
  @discardableResult
  func answer(of bus: String, until isThere: (EchoQueueAnswer) -> Bool) async throws -> EchoQueueAnswer {
    let socket = try #require(self.socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    while true {
      try Task.checkCancellation()
      let request = HTTPClientRequest(url: "http+unix://\(socket)/v1/echoes?bus=\(bus)")
      if let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(20)), response.status == .ok {
        let data = Data(try await response.body.collect(upTo: 1 << 16).readableBytesView)
        let answer = try JSONDecoder().decode(EchoQueueAnswer.self, from: data)
        if isThere(answer) { return answer }
      }
      // Another process cannot wake us. A breath between two questions leaves it the processor.
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  func start(_ arguments: String...) throws -> ChildProgram {
    let program = try ChildProgram(
      "bus-pinger", arguments + ["--config", self.file("pinger.yaml").path, "--format", "json", "--language", "en"],
      folder: self.folder)
    self.left.withLockedValue { $0.append(program) }
    return program
  }

  /// What a pinger printed of a party.
  struct Look: Decodable {
    struct Step: Decodable {
      var code: Int
      var finding: String
      var seen: String
    }
    struct Echo: Decodable {
      var queue: String?
      var cache_age_seconds: Int?
      var hears: [String]?
    }
    var her_id: String
    var bus: String?
    /// What the party's system told of itself.
    var told: Echo?
    var steps: [Step]
    enum CodingKeys: String, CodingKey {
      case her_id, bus, steps
      case told = "echo"
    }
    var echo: Step? { self.steps.first { $0.code == 32 } }
  }

  func looks(_ program: ChildProgram) async throws -> [Look] {
    let ending = try await program.ending()
    return try ending.output.split(separator: "\n").map { try JSONDecoder().decode(Look.self, from: Data($0.utf8)) }
  }

  /// Every party was answered for by its own system: the echo names the queue that the ping was read from.
  func expectOwnEchoes(_ looks: [Look], of parties: [Int], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(looks.map(\.her_id).sorted() == parties.map(String.init).sorted(), sourceLocation: sourceLocation)
    for look in looks {
      let echo = look.echo
      #expect(
        echo?.finding == "echoCame" && echo?.seen.contains("read from \(self.mark)_\(look.her_id)_async;") == true
          && echo?.seen.contains("the daemon reads the reply queue") == true,
        "\(look.her_id): \(look.steps)", sourceLocation: sourceLocation)
      // Its copy of the register is the stage's, read a moment ago; it hears its queue on one bus.
      #expect(look.told?.queue == "\(self.mark)_\(look.her_id)_async", sourceLocation: sourceLocation)
      #expect(look.told?.cache_age_seconds.map { (0...600).contains($0) } == true, sourceLocation: sourceLocation)
      #expect(look.told?.hears == [look.bus ?? ""], sourceLocation: sourceLocation)
    }
  }
}
