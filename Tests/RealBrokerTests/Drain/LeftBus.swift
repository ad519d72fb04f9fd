// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import AsyncHTTPClient
import BusModel
import BusProbe
import Disclosure
import Foundation
import Migration
import MigrationEngine
import MigrationSimulation
import Testing
import TjenestebussClient
import TjenestebussTesting

/// A bus that a party has left: a real one, or one in memory where there is no real one to be had.
struct LeftBus: Sendable, CustomTestStringConvertible {
  enum Kind: Sendable {
    case real(RealBroker)
    case inMemory(Dialect)
  }

  let kind: Kind

  static let all: [LeftBus] =
    RealBroker.proven.map { LeftBus(kind: .real($0)) }
    + [Dialect.azureServiceBus, .serviceBusWindowsServer].map { LeftBus(kind: .inMemory($0)) }

  var testDescription: String {
    switch self.kind {
    case .real(let broker): broker.testDescription
    case .inMemory(let dialect): "\(dialect.rawValue), in memory"
    }
  }

  var dialect: Dialect {
    switch self.kind {
    case .real(let broker): broker.dialect
    case .inMemory(let dialect): dialect
    }
  }

  /// Whether there is a user who may not ask the management interface.
  var asksLeave: Bool { self.dialect == .rabbitMQ3 || self.dialect == .serviceBusWindowsServer }

  /// How the management interface is reached.
  enum Management { case asUsual, down, forbidden }

  /// A party with three queues on this bus, from which it has been moved.
  func withParty(_ management: Management = .asUsual, _ body: (inout LeftParty) async throws -> Void) async throws {
    let name = "test_\(UUID().uuidString.prefix(8).lowercased())"
    switch self.kind {
    case .real(let broker):
      let queues = LeftParty.Queues(
        declare: { queue, deadLetters in
          guard broker.dialect != .activeMQ else {
            try await AMQPConnection.withConnection(try broker.configuration()) { connection in
              await (try await connection.openSender(to: broker.sending(to: queue))).close()
            }
            return
          }
          let arguments = deadLetters.map { ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": $0] } ?? [:]
          try await broker.management("PUT", "/api/queues/%2F/\(queue)", ["durable": true, "arguments": arguments])
        }, delete: { try await broker.deleteQueue($0) })
      let at = try broker.configuration()
      let endpoint = BusEndpoint(
        bus: Bus(name: "left", dialect: broker.dialect, hosts: ["left.example"], path: "NHN"),
        connection: BusConnectionString(
          host: at.host, port: at.port, encrypted: false, user: "app", password: Secret("app"), path: ""))
      let url = broker.dialect == .activeMQ ? "" : try broker.variable("MANAGEMENT_URL")
      try await self.withParty(name, queues, endpoint, url, management, body)
    case .inMemory(let dialect):
      let configuration = InMemoryBroker.Configuration(
        dialect: dialect, path: dialect == .serviceBusWindowsServer ? "NHN" : "",
        users: [BrokerUser("guest", password: Secret("guest")), BrokerUser("app", password: Secret("app"))], managementPort: 0)
      try await InMemoryBroker.withBroker(configuration) { broker in
        let queues = LeftParty.Queues(
          declare: { queue, _ in try await broker.declare(BrokerQueue(queue)) }, delete: { _ = try await broker.delete($0) })
        let endpoint = BusEndpoint(
          bus: Bus(name: "left", dialect: dialect, hosts: ["left.example"], path: "NHN"),
          connection: BusConnectionString(
            host: "127.0.0.1", port: broker.port ?? 0, encrypted: false, user: "app", password: Secret("app"),
            path: configuration.path))
        let port: Int = try #require(broker.managementPort)
        try await self.withParty(name, queues, endpoint, "http://127.0.0.1:\(port)", management, body)
      }
    }
  }

  private func withParty(
    _ name: String, _ queues: LeftParty.Queues, _ endpoint: BusEndpoint, _ url: String, _ management: Management,
    _ body: (inout LeftParty) async throws -> Void
  ) async throws {
    let user = self.dialect == .serviceBusWindowsServer ? "app" : "guest"
    try await HTTPClient.withHTTPClient(configuration: RegisterHTTP.configuration()) { http in
      let overHTTP = try OwnWays.overHTTP(
        self.dialect, http: http,
        // Nobody listens on port 1.
        url: management == .down ? "http://127.0.0.1:1" : url.isEmpty ? "http://127.0.0.1" : url, user: user,
        password: Secret(management == .forbidden ? "another" : user), namespace: endpoint.connection.path, timeout: .seconds(30))
      let probe = BusProbe(
        endpoint, replyQueue: nil, counting: overHTTP,
        settings: ProbeSettings(ownHerID: try HerID(text: "100"), timeout: .seconds(30), echoTimeout: .seconds(30)))
      let running = Task { try? await probe.run() }
      defer { running.cancel() }
      try await AMQPConnection.withConnection(endpoint.amqpConfiguration(role: "test", operationTimeout: .seconds(60))) {
        connection in
        for kind in QueueKind.inRegister {
          try await queues.declare("\(name)_\(kind.rawValue)", kind == .asynchronous ? "\(name)_dl" : nil)
        }
        let ownsDeadLetters = self.dialect == .rabbitMQ3 || self.dialect == .rabbitMQ4AddressV2
        if ownsDeadLetters { try await queues.declare("\(name)_dl", nil) }
        var party = LeftParty(
          name: name, queues: queues, endpoint: endpoint, connection: connection, buses: ProbedBuses([probe]),
          course: try #require(DrainCourse(dialect: self.dialect, party: name)))
        try await body(&party)
        if case .real(let broker) = self.kind, broker.dialect != .activeMQ {
          for kind in ["async", "sync", "error", "dl"] { try? await queues.delete("\(name)_\(kind)") }
        }
      }
    }
  }
}

/// The party's queues on the bus it left, and the course of its drain.
struct LeftParty {
  struct Queues: Sendable {
    /// With the queue to which its dead letters go, where that is a queue of its own.
    let declare: @Sendable (String, String?) async throws -> Void
    let delete: @Sendable (String) async throws -> Void
  }

  let name: String
  let queues: Queues
  let endpoint: BusEndpoint
  let connection: AMQPConnection
  let buses: ProbedBuses
  var course: DrainCourse

  func queue(_ kind: QueueKind = .asynchronous) -> String { "\(self.name)_\(kind.rawValue)" }

  func send(_ count: Int = 1, to kind: QueueKind = .asynchronous, annotations: AMQPMap = [:]) async throws {
    try await self.connection.withSender(to: self.endpoint.sendingAddress(ofQueue: self.queue(kind)).text) { sender in
      for number in 0..<count {
        let outcome = try await sender.send(
          AMQPMessage(
            messageAnnotations: annotations, properties: AMQPProperties(messageID: .string("m\(number)"), subject: "APPREC"),
            applicationProperties: ["fromHerId": "900", "toHerId": "200"], body: .data([1])))
        #expect(outcome == .accepted)
      }
    }
  }

  /// The party fetches a message, or holds it while `body` runs.
  func fetch<Result>(_ body: (AMQPDelivery) async throws -> Result) async throws -> Result {
    let receiver = try await self.connection.openReceiver(
      from: self.endpoint.receivingAddress(ofQueue: self.queue()).text, credit: 1, within: .seconds(60))
    let result = try await body(try #require(try await receiver.nextBatch()?.first))
    await receiver.close(within: self.endpoint.dialect.capabilities.answersCloseOfLink ? .seconds(3) : .milliseconds(200))
    return result
  }

  // MARK: Looks

  /// What the bus says now.
  func readings() async -> [QueueReading] { await self.buses.look(at: self.course.queues, on: "left") }

  /// Real looks, a second of the course between them.
  mutating func look(times: Int = 1) async { for _ in 0..<times { self.course.look(await self.readings()) } }

  /// Asks the bus until its counters show it, since some are seconds late, and takes that as one look.
  mutating func look(until isSo: ([QueueReading]) -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    var readings = await self.readings()
    while !isSo(readings) {
      guard ContinuousClock.now < deadline else {
        Issue.record("the bus does not show it: \(readings)")
        return
      }
      // Nobody tells when a late counter has moved.
      try await Task.sleep(for: .milliseconds(200))
      readings = await self.readings()
    }
    self.course.look(readings)
  }

  /// Until all counters are there: those of a queue that was just made are not.
  mutating func begin() async throws {
    let waitsForArrivals = self.endpoint.dialect.capabilities.countsArrivals
    try await self.look { readings in
      readings.allSatisfy { $0.isReadable }
        && (!waitsForArrivals || readings.allSatisfy { $0.count == .absent || $0.arrivals != nil })
    }
  }
}

extension [QueueReading] {
  func depth(_ kind: QueueKind) -> Int64 { self.first { $0.kind == kind }?.lying ?? 0 }
  func arrivals(_ kind: QueueKind) -> Int64 { self.first { $0.kind == kind }?.arrivals ?? 0 }
}
