// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Logging
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

@Suite("Which dialect is spoken with a bus, and what a bus is that refuses us", .timeLimit(.minutes(5)))
struct InMemoryDialectTests {
  /// Keeps what was logged.
  private struct Recorder: LogHandler {
    let lines: NIOLockedValueBox<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { self.metadata[key] }
      set { self.metadata[key] = newValue }
    }
    func log(event: LogEvent) {
      let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      self.lines.withLockedValue { $0.append("\(event.message) \(metadata.joined(separator: " "))") }
    }
  }

  /// A client of one bus that is served by `broker`.
  private func client(
    _ broker: InMemoryBroker, dialect: Dialect, learns: Bool = false, password: String = "guest",
    logger: Logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
  ) throws -> TjenestebussClient {
    var endpoint = try TwoBuses.endpoint("bus", broker, host: "b")
    endpoint.bus.dialect = dialect
    endpoint.learnsDialect = learns
    endpoint.connection.password = Secret(password)
    let routes = LaidDownRoutes()
    try routes.lay(try Fixture.herID(200), cached: "b/NHN/200_async")
    try routes.lay(try Fixture.herID(100), cached: "b/NHN/100_async")
    return try TjenestebussClient(
      TjenestebussConfiguration(
        buses: [endpoint], redeliveryDelay: .milliseconds(10), missingQueueRetry: .milliseconds(100),
        refusedBusRetry: .seconds(600)), routes: routes, logger: logger)
  }

  @Test(
    "Not configured: learnt from what the bus says of itself; sent and received in it, and its acceptance is worth what it is worth",
    arguments: [Dialect.rabbitMQ3, .rabbitMQ4AddressV2, .activeMQ])
  func learnt(_ dialect: Dialect) async throws {
    try await InMemoryBroker.withBroker(.init(dialect: dialect, path: "NHN", queues: ["100_async", "200_async"])) { broker in
      // The word that fills the place is a wrong one.
      let client = try self.client(broker, dialect: .serviceBusWindowsServer, learns: true)
      try await client.withClient { client in
        let result = await client.send(try Fixture.message(id: "m"))
        #expect(result.outcome == .accepted)
        #expect(result.acceptance == SendResult.Acceptance(dialect))
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await client.receive(from: [OwnQueue(name: "200_async", kind: .asynchronous)]) { _ in } }
          await client.wait { $0.counters.handled == 1 && $0.dialects["bus"] == .learnt(dialect) }
          group.cancelAll()
          try await group.waitForAll()
        }
        #expect(await client.diagnose().isWell)
      }
    }
  }

  @Test("A bus that does not say what it is: nothing is sent by a guess; one of our own queues tells the form of its addresses")
  func silent() async throws {
    let message = try Fixture.incoming(id: "m").amqpMessage(toQueue: "200_async", enqueued: .now)
    try await ObstinateBus.run(handingOut: message) { _, endpoint in
      var endpoint = endpoint
      endpoint.learnsDialect = true
      let routes = LaidDownRoutes()
      try routes.lay(try Fixture.herID(200), cached: "ob/NHN/200_async")
      let client = try TjenestebussClient(TjenestebussConfiguration(buses: [endpoint]), routes: routes)
      try await client.withClient { client in
        let result = await client.send(try Fixture.message(id: "x"))
        #expect(result.outcome == .notSent(.dialectUnknown("obstinate", product: nil)))
        #expect(client.status.dialects["obstinate"]?.spoken == nil)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await client.receive(from: [OwnQueue(name: "200_async", kind: .asynchronous)]) { _ in } }
          await client.wait { $0.counters.handled >= 1 }
          group.cancelAll()
          try await group.waitForAll()
        }
        #expect(await client.send(try Fixture.message(id: "x")).outcome == .accepted)
      }
    }
  }

  @Test("The bus says that it is another one than configured: logged, shown, and the diagnosis names both")
  func contradicted() async throws {
    let lines = NIOLockedValueBox<[String]>([])
    let logger = Logger(label: "test", factory: { _ in Recorder(lines: lines) })
    try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, path: "NHN", queues: ["200_async"])) { broker in
      let client = try self.client(broker, dialect: .rabbitMQ3, logger: logger)
      try await client.withClient { client in
        await client.wait { $0.dialects["bus"] == .contradicted(configured: .rabbitMQ3, seen: .rabbitMQ4AddressV2) }
        let diagnosis = await client.diagnose()
        #expect(!diagnosis.isWell)
        #expect(diagnosis.sentence.contains("rabbitmq-4-v2") && diagnosis.sentence.contains("rabbitmq-3"))
        #expect(diagnosis.findings.first?.owner == .caller)
      }
    }
    #expect(lines.withLockedValue { $0.count { $0.contains("TB-207") } } == 1)
  }

  @Test("Addresses of version 1 on RabbitMQ 4 contradict nothing; a Service Bus that says what only it says does not either")
  func noContradiction() {
    func dialect(_ configured: Dialect?, _ product: String?, _ version: String?) -> BusDialect {
      BusDialect(configured: configured, product: product, version: version)
    }
    #expect(dialect(.rabbitMQ4AddressV1, "RabbitMQ", "4.0.5") == .configured(.rabbitMQ4AddressV1))
    #expect(dialect(.serviceBusWindowsServer, "Service Bus", "1.1") == .configured(.serviceBusWindowsServer))
    #expect(dialect(.azureServiceBus, nil, nil) == .configured(.azureServiceBus))
    #expect(
      dialect(.serviceBusWindowsServer, "RabbitMQ", "4.0.5")
        == .contradicted(configured: .serviceBusWindowsServer, seen: .rabbitMQ4AddressV2))
    #expect(
      dialect(.rabbitMQ4AddressV1, "RabbitMQ", "3.10.8") == .contradicted(configured: .rabbitMQ4AddressV1, seen: .rabbitMQ3))
    #expect(dialect(nil, "RabbitMQ", "3.10.8") == .learnt(.rabbitMQ3))
    #expect(dialect(nil, "Something", nil) == .unknown)
  }

  @Test(
    "A password that the bus refuses: shown for sending and for each queue, sends are told at once, and it is asked again later")
  func refusedPassword() async throws {
    try await InMemoryBroker.withBroker(
      .init(dialect: .rabbitMQ4AddressV2, path: "NHN", queues: ["200_async"], refusalDelay: .zero)
    ) {
      broker in
      let client = try self.client(broker, dialect: .rabbitMQ4AddressV2, password: "wrong")
      try await client.withClient { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await client.receive(from: [OwnQueue(name: "200_async", kind: .asynchronous)]) { _ in } }
          await client.wait { status in
            guard case .waiting(let wait, let error)? = status.sending["bus"], error.code == .loginRefused else { return false }
            guard case .waiting(_, let cause)? = status["bus", "200_async"], cause.code == .loginRefused else { return false }
            return wait > .seconds(400)
          }
          guard case .notSent(.notSent(_, let cause)) = await client.send(try Fixture.message(id: "m")).outcome else {
            Issue.record("sent")
            return
          }
          #expect(cause.code == "AMQP-105")
          #expect(await client.diagnose().findings.allSatisfy { $0.weight == .standstill })
          group.cancelAll()
          try await group.waitForAll()
        }
      }
      #expect(client.status.receivers.isEmpty)
    }
  }
}
