// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

@Suite("A message names the library and system that sent it", .timeLimit(.minutes(5)))
struct SenderNameTests {
  /// What lies on the queue after a send.
  private func sent(namesItself: Bool, properties: [String: String] = [:]) async throws -> AMQPMessage {
    try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, path: "NHN", queues: ["200_async"])) { broker in
      let routes = LaidDownRoutes()
      let client = try TjenestebussClient(
        TjenestebussConfiguration(
          buses: [try TwoBuses.endpoint("tjenestebuss", broker, host: "tb")], product: "an EPJ", namesItself: namesItself),
        routes: routes)
      return try await client.withClient { client in
        var message = try Fixture.message()
        message.properties = properties
        try routes.lay(message.to, cached: "tb/NHN/200_async")
        try await client.send(message).requireAccepted()
        return try await TwoBuses.take(from: "200_async", of: broker)
      }
    }
  }

  @Test("by itself with version and product")
  func names() async throws {
    let message = try await self.sent(namesItself: true)
    #expect(message.applicationProperties["tjenestebussVersion"]?.text == TjenestebussVersion.current)
    #expect(message.applicationProperties["tjenestebussProduct"]?.text == "an EPJ")
  }

  @Test("not when it shall not")
  func silent() async throws {
    let message = try await self.sent(namesItself: false)
    #expect(message.applicationProperties["tjenestebussVersion"] == nil)
    #expect(message.applicationProperties["tjenestebussProduct"] == nil)
  }

  @Test("and what the caller has written there stays")
  func own() async throws {
    let message = try await self.sent(namesItself: true, properties: ["tjenestebussProduct": "a bridge"])
    #expect(message.applicationProperties["tjenestebussProduct"]?.text == "a bridge")
  }
}
