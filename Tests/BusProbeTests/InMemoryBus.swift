// SPDX-License-Identifier: Apache-2.0

import AMQP
import AsyncHTTPClient
import BusModel
import Disclosure
import Testing
import TjenestebussClient
import TjenestebussTesting

@testable import BusProbe

/// A bus in memory with a connection to it, for tests of counting and looking.
struct InMemoryBus: Sendable {
  let broker: InMemoryBroker
  let connection: AMQPConnection
  let http: HTTPClient

  static func with(
    _ dialect: Dialect, queues: [BrokerQueue], change: (inout InMemoryBroker.Configuration) -> Void = { _ in },
    user: String = "guest", _ body: @Sendable (InMemoryBus) async throws -> Void
  ) async throws {
    var configuration = InMemoryBroker.Configuration(
      dialect: dialect, path: dialect == .serviceBusWindowsServer ? "NHN" : "", queues: queues, managementPort: 0)
    change(&configuration)
    try await InMemoryBroker.withBroker(configuration) { broker in
      try await AMQPConnection.withConnection(broker.clientConfiguration(user: user, password: Secret("guest"))) { connection in
        try await HTTPClient.withHTTPClient { http in
          try await body(InMemoryBus(broker: broker, connection: connection, http: http))
        }
      }
    }
  }

  var dialect: Dialect { self.broker.configuration.dialect }

  func overHTTP(password: String = "guest") throws -> any QueueCounting & BusCensus {
    let port: Int = try #require(self.broker.managementPort)
    let counting = try OwnWays.overHTTP(
      self.dialect, http: self.http, url: "http://127.0.0.1:\(port)", user: "guest", password: Secret(password),
      namespace: self.broker.configuration.path, timeout: .seconds(60))
    return try #require(counting)
  }

  func send(_ messages: [AMQPMessage], to queue: String) async throws {
    try await self.connection.withSender(to: self.broker.sendingAddress(queue)) { sender in
      for message in messages {
        let outcome = try await sender.send(message)
        #expect(outcome == .accepted)
      }
    }
  }

  static func message(_ id: String, annotations: AMQPMap = [:], properties: AMQPMap = [:]) -> AMQPMessage {
    AMQPMessage(
      header: AMQPHeader(durable: true, timeToLive: 3_600_000), messageAnnotations: annotations,
      properties: AMQPProperties(messageID: .string(id), subject: "APPREC", correlationID: "c"),
      applicationProperties: properties, body: .data(Array("patient".utf8)))
  }
}
