// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

/// Values that tests share.
enum Fixture {
  static func herID(_ number: Int32) throws -> HerID { try HerID(text: String(number)) }

  static func message(
    id: String = "6f1b7c1e-0000-4000-8000-000000000001", ttl: UInt32? = nil, properties: [String: String] = [:],
    subject: String = "DIALOG_INNBYGGER_EKONTAKT", replyTo: String? = "100_async", body: [UInt8] = [1, 2, 3]
  ) throws -> HealthMessage {
    HealthMessage(
      messageID: id, from: try herID(100), to: try herID(200), subject: subject, contentType: "text/plain",
      timestamp: MessageTimestamp(secondsSinceEpoch: 1_763_700_000), replyTo: replyTo, timeToLiveMilliseconds: ttl,
      properties: properties, body: body)
  }

  /// A message from our counterpart (100) to us (200).
  static func incoming(
    id: String = "6f1b7c1e-0000-4000-8000-000000000002", subject: String = "DIALOG_INNBYGGER_EKONTAKT",
    correlationID: String? = nil, properties: [String: String] = [:], body: [UInt8] = [1, 2, 3]
  ) throws -> HealthMessage {
    HealthMessage(
      messageID: id, from: try herID(100), to: try herID(200), subject: subject, contentType: "text/plain",
      timestamp: MessageTimestamp(secondsSinceEpoch: 1_763_700_000), correlationID: correlationID, replyTo: "100_async",
      properties: properties, body: body)
  }

  static func endpoint(
    _ name: BusName, dialect: Dialect = .rabbitMQ4AddressV2, host: String, path: String = "", port: Int = 1
  ) -> BusEndpoint {
    BusEndpoint(
      bus: Bus(name: name, dialect: dialect, hosts: [host], path: "NHNTESTServiceBus"),
      connection: BusConnectionString(
        host: "127.0.0.1", port: port, encrypted: false, user: "app", password: Secret("app"), path: path))
  }
}

/// Routes that a test lays down; it writes down how it was asked.
final class LaidDownRoutes: RouteResolving {
  struct NoSuchParty: Error {}
  private struct Place: Hashable {
    var herID: HerID
    var kind: QueueKind
  }
  private struct State {
    var cached: [Place: QueueAddress] = [:]
    var register: [Place: QueueAddress] = [:]
    var lookUps: [RouteLookUp] = []
    var forgotten: [HerID] = []
  }
  private let state = NIOLockedValueBox(State())

  /// What the cache and the register say; the register's answer replaces the cache's.
  func lay(_ herID: HerID, _ kind: QueueKind = .asynchronous, cached: String, register: String? = nil) throws {
    let cachedAddress = try QueueAddress(text: cached)
    let registerAddress = try QueueAddress(text: register ?? cached)
    self.state.withLockedValue {
      $0.cached[Place(herID: herID, kind: kind)] = cachedAddress
      $0.register[Place(herID: herID, kind: kind)] = registerAddress
    }
  }

  var lookUps: [RouteLookUp] { self.state.withLockedValue { $0.lookUps } }
  var forgotten: [HerID] { self.state.withLockedValue { $0.forgotten } }

  func route(to herID: HerID, kind: QueueKind, buses: [Bus], lookUp: RouteLookUp) async throws -> Route {
    let place = Place(herID: herID, kind: kind)
    let address = self.state.withLockedValue { state -> QueueAddress? in
      state.lookUps.append(lookUp)
      if lookUp == .refreshed || state.cached[place] == nil { state.cached[place] = state.register[place] }
      return state.cached[place]
    }
    guard let address, let bus = buses.first(where: { $0.holds(address) }) else { throw NoSuchParty() }
    return Route(herID: herID, kind: kind, bus: bus.name, address: address)
  }

  func forget(_ herID: HerID) async {
    self.state.withLockedValue { state in
      state.forgotten.append(herID)
      state.cached = state.cached.filter { $0.key.herID != herID }
    }
  }
}

/// Two buses in memory, the source a Service Bus, the target a RabbitMQ 4, and a client of both.
///
/// We are HER-ID 200, our counterpart is 100. Queues exist on both buses unless a test deletes them.
struct TwoBuses {
  static let queues: [BrokerQueue] = [
    "100_async", "100_sync", "100_error", "100_syncreply", "200_async", "200_sync", "200_error", "200_syncreply", "events",
  ]

  let source: InMemoryBroker
  let target: InMemoryBroker
  let routes: LaidDownRoutes

  static func endpoint(_ name: BusName, _ broker: InMemoryBroker, host: String) throws -> BusEndpoint {
    let port: Int = try #require(broker.port)
    return BusEndpoint(
      bus: Bus(name: name, dialect: broker.configuration.dialect, hosts: [host], path: "NHN"),
      connection: BusConnectionString(
        host: "127.0.0.1", port: port, encrypted: false, user: "guest", password: Secret("guest"), path: "NHN"))
  }

  /// - Parameters:
  ///   - change: what is to differ in the client's configuration.
  ///   - targetDialect: RabbitMQ 4 unless given.
  static func withClient(
    targetDialect: Dialect = .rabbitMQ4AddressV2, protection: (any MessageProtection)? = nil,
    changes: [any AddressChangeSource] = [], _ change: (inout TjenestebussConfiguration) -> Void = { _ in },
    _ body: @Sendable @escaping (TjenestebussClient, TwoBuses) async throws -> Void
  ) async throws {
    try await InMemoryBroker.withBroker(.init(dialect: .serviceBusWindowsServer, path: "NHN", queues: Self.queues)) { source in
      try await InMemoryBroker.withBroker(.init(dialect: targetDialect, path: "NHN", queues: Self.queues)) { target in
        let routes = LaidDownRoutes()
        var configuration = TjenestebussConfiguration(
          buses: [try Self.endpoint("servicebus", source, host: "sb"), try Self.endpoint("tjenestebuss", target, host: "tb")],
          product: "EPJ", productVersion: "4.2", serve: ServeConfiguration(herIDs: [try Fixture.herID(200)]),
          sendTimeout: .seconds(30), redeliveryDelay: .milliseconds(10), missingQueueRetry: .milliseconds(100))
        change(&configuration)
        let client = try TjenestebussClient(configuration, routes: routes, protection: protection, changes: changes)
        let buses = TwoBuses(source: source, target: target, routes: routes)
        for kind in QueueKind.inRegister {
          try routes.lay(try Fixture.herID(100), kind, cached: "sb/NHN/100_\(kind.rawValue)")
          try routes.lay(try Fixture.herID(200), kind, cached: "sb/NHN/200_\(kind.rawValue)")
        }
        try await client.withClient { client in try await body(client, buses) }
      }
    }
  }

  /// Puts a message into a queue as another system would, through a connection of its own.
  static func put(_ message: AMQPMessage, into queue: String, of broker: InMemoryBroker) async throws {
    try await AMQPConnection.withConnection(try broker.clientConfiguration()) { connection in
      try await connection.withSender(to: broker.sendingAddress(queue)) { sender in
        let outcome = try await sender.send(message)
        #expect(outcome == .accepted)
      }
    }
  }

  /// Takes the one message out of a queue, waiting for it.
  static func take(from queue: String, of broker: InMemoryBroker) async throws -> AMQPMessage {
    try await AMQPConnection.withConnection(try broker.clientConfiguration()) { connection in
      try await connection.withReceiver(from: broker.receivingAddress(queue)) { receiver in
        let delivery = try #require(try await receiver.nextBatch()?.first)
        try delivery.accept()
        return try delivery.message()
      }
    }
  }
}

extension TjenestebussClient {
  /// Waits for a state; the suite's time limit bounds it.
  func wait(until isSo: (ClientStatus) -> Bool) async {
    for await status in self.statusChanges where isSo(status) { return }
  }

  /// Serves the configured HER-IDs for the time of `body`; body begins when every queue that exists is received from.
  func whileServing(_ handlers: MessageHandlers, _ body: @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.serve(handlers) }
      let count = self.configuration.serve.kinds.count * self.configuration.buses.count
      await self.wait { status in
        status.receivers.count { receiver in
          guard receiver.kind != .synchronousReply else { return false }
          if case .connecting = receiver.state { return false }
          return true
        } >= count
      }
      try await body()
      group.cancelAll()
      try await group.waitForAll()
    }
  }
}

/// A value that handlers change and tests read.
final class Shared<Value: Sendable>: Sendable {
  private let state: NIOLockedValueBox<Value>
  init(_ value: Value) { self.state = NIOLockedValueBox(value) }
  func withLock<Result: Sendable>(_ body: @Sendable (inout Value) -> Result) -> Result {
    self.state.withLockedValue { body(&$0) }
  }
}
