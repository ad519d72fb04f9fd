// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Foundation
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

@Suite("Client against brokers in memory", .timeLimit(.minutes(10)))
struct InMemoryClientTests {
  private func endpoint(_ name: BusName, _ broker: InMemoryBroker, host: String) throws -> BusEndpoint {
    let port: Int = try #require(broker.port)
    return BusEndpoint(
      bus: Bus(name: name, dialect: broker.configuration.dialect, hosts: [host], path: "NHN"),
      connection: BusConnectionString(
        host: "127.0.0.1", port: port, encrypted: false, user: "guest", password: Secret("guest"), path: "NHN"))
  }

  /// A client on two buses: the source a Service Bus, the target a RabbitMQ 4.
  private func withClient(
    sendTimeout: Duration = .seconds(60), redeliveryDelay: Duration = .milliseconds(10),
    _ body:
      @Sendable @escaping (TjenestebussClient, LaidDownRoutes, _ source: InMemoryBroker, _ target: InMemoryBroker) async throws ->
      Void
  ) async throws {
    try await InMemoryBroker.withBroker(.init(dialect: .serviceBusWindowsServer, path: "NHN", queues: ["200_async"])) { source in
      try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, path: "NHN", queues: ["200_async"])) { target in
        let routes = LaidDownRoutes()
        let configuration = TjenestebussConfiguration(
          buses: [try self.endpoint("servicebus", source, host: "sb"), try self.endpoint("tjenestebuss", target, host: "tb")],
          sendTimeout: sendTimeout, redeliveryDelay: redeliveryDelay, duplicates: nil, missingQueueRetry: .milliseconds(100))
        let client = try TjenestebussClient(configuration, routes: routes)
        try await client.withClient { client in try await body(client, routes, source, target) }
      }
    }
  }

  @Test("An outcome that never came is unknown; the message is sent once, the register is not asked, and it lies there once")
  func unknownIsNeverResent() async throws {
    try await self.withClient { client, routes, _, target in
      let message = try Fixture.message()
      try routes.lay(message.to, cached: "tb/NHN/200_async", register: "sb/NHN/200_async")
      try await target.holdOutcomes()
      async let sent = client.send(message)
      try await target.waitUntil { ($0.queues["200_async"]?.depth ?? 0) > 0 }
      try await target.cutAllConnections()
      let result = await sent
      guard case .unknown(.lost) = result.outcome else {
        Issue.record("\(result.outcome)")
        return
      }
      #expect(result.attempts.count == 1)
      #expect(routes.lookUps == [.cached])
      #expect(try await target.depth(of: "200_async") == 1)
      #expect(throws: TjenestebussError.self) { try result.requireAccepted() }
    }
  }

  @Test("No credit in time: certainly not sent, with its code, and not sent elsewhere")
  func noCredit() async throws {
    try await self.withClient(sendTimeout: .seconds(15)) { client, routes, _, target in
      let message = try Fixture.message()
      try routes.lay(message.to, cached: "tb/NHN/200_async", register: "sb/NHN/200_async")
      try await target.stopGrantingCredit()
      for await status in client.statusChanges {
        if case .connected? = status.sending["tjenestebuss"] { break }
      }
      let result = await client.send(message)
      guard case .notSent(.notSent(_, let cause)) = result.outcome else {
        Issue.record("\(result.outcome)")
        return
      }
      #expect(cause.code == "AMQP-401")
      #expect(result.attempts.count == 1)
      #expect(try await target.depth(of: "200_async") == 0)
    }
  }

  @Test("A party moves while its system listens on both buses: before and after, every message comes")
  func bothBuses() async throws {
    try await self.withClient { client, routes, _, _ in
      let party = try Fixture.message().to
      try routes.lay(party, cached: "sb/NHN/200_async")
      let got = Shared<[String: BusName]>([:])
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await client.receive(for: party, kinds: [.asynchronous]) { received in
            got.withLock { $0[received.message.messageID] = received.bus }
          }
        }
        for await status in client.statusChanges
        where status["servicebus", "200_async"] == .receiving && status["tjenestebuss", "200_async"] == .receiving { break }
        #expect(await client.send(try Fixture.message(id: "before")).outcome == .accepted)
        try routes.lay(party, cached: "tb/NHN/200_async")
        #expect(await client.send(try Fixture.message(id: "after")).outcome == .accepted)
        for await status in client.statusChanges where status.counters.handled == 2 { break }
        group.cancelAll()
        try await group.waitForAll()
      }
      #expect(got.withLock { $0 } == ["before": "servicebus", "after": "tjenestebuss"])
    }
  }

  @Test("The link is lost while the handler works: the settlement is lost, counted, and the message comes again")
  func settlementLost() async throws {
    try await self.withClient { client, routes, _, target in
      let message = try Fixture.message()
      try routes.lay(message.to, cached: "tb/NHN/200_async")
      #expect(await client.send(message).outcome == .accepted)
      let deliveries = Shared(0)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await client.receive(for: message.to, kinds: [.asynchronous]) { _ in
            let number = deliveries.withLock { count in
              count += 1
              return count
            }
            guard number == 1 else { return }
            try await target.cutAllConnections()
            // Until this side has seen it, a settlement would still be taken for good. It has once it is back.
            try await target.waitUntil("the receiver back") { $0.consumers(of: "200_async") == 1 }
          }
        }
        for await status in client.statusChanges where status.counters.handled >= 1 { break }
        group.cancelAll()
        try await group.waitForAll()
      }
      #expect(deliveries.withLock { $0 } == 2)
      #expect(client.status.counters.settlementsLost == 1)
      #expect(try await target.depth(of: "200_async") == 0)
    }
  }

  @Test("The source is gone from under a cached address: refused, looked up anew, sent to the target with the same id")
  func serviceBusRefuses() async throws {
    try await self.withClient { client, routes, source, target in
      let message = try Fixture.message()
      _ = try await source.delete("200_async")
      try routes.lay(message.to, cached: "sb/NHN/200_async", register: "tb/NHN/200_async")
      let result = await client.send(message)
      #expect(result.outcome == .accepted)
      #expect(result.attempts.map(\.route.bus) == ["servicebus", "tjenestebuss"])
      #expect(routes.lookUps == [.cached, .refreshed])
      #expect(try await target.messageIDs(in: "200_async") == [.string(message.messageID)])
    }
  }
}
