// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@Suite("Service Bus ends what nobody uses, on a clock that tests move")
struct ServiceBusIdlenessTests {
  private static let dialects: [Dialect] = [.azureServiceBus, .serviceBusWindowsServer]

  private func withBus(
    _ dialect: Dialect, _ body: (InMemoryBroker, AMQPConnection, VirtualClock) async throws -> Void
  ) async throws {
    let clock = VirtualClock()
    try await withTestBroker(dialect, change: { $0.clock = clock }) { broker, connection in
      try await body(broker, connection, clock)
    }
  }

  @Test("a link on which nothing moves is detached after ten minutes, not before; the connection lives", arguments: dialects)
  func idleLink(_ dialect: Dialect) async throws {
    try await self.withBus(dialect) { broker, connection, clock in
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("q"))
      clock.advance(by: .milliseconds(599_999))
      #expect(try await broker.consumers(of: "q") == 1)
      clock.advance(by: .milliseconds(1))
      let error = await #expect(throws: AMQPError.self) { try await receiver.nextBatch() }
      #expect(error?.condition?.name == AMQPCondition.linkDetachForced)
      #expect(error?.isRetriable == true)
      #expect(connection.closedReason == nil)
      try await connection.withReceiver(from: broker.receivingAddress("q")) { _ in }
    }
  }

  @Test("what moves on a link counts anew", arguments: dialects)
  func usedLink(_ dialect: Dialect) async throws {
    try await self.withBus(dialect) { broker, connection, clock in
      let sender = try await connection.openSender(to: broker.sendingAddress("q"))
      for number in 0..<3 {
        clock.advance(by: .seconds(550))
        let outcome = try await sender.send(.test("m-\(number)"))
        #expect(outcome == .accepted)
      }
    }
  }

  @Test(
    "a connection without links is closed five minutes after its last one, one that never had any after one", arguments: dialects)
  func idleConnection(_ dialect: Dialect) async throws {
    try await self.withBus(dialect) { broker, connection, clock in
      try await connection.withReceiver(from: broker.receivingAddress("q")) { _ in }
      try await broker.waitUntil("the detach") { $0.connections.first?.links == 0 }
      clock.advance(by: .milliseconds(299_999))
      #expect(try await broker.snapshot().connections.count == 1)
      clock.advance(by: .milliseconds(1))
      let reason = try await connection.waitUntilClosed()
      #expect(reason.condition?.name == AMQPCondition.connectionForced)
    }
    try await self.withBus(dialect) { _, connection, clock in
      clock.advance(by: .seconds(60))
      let reason = try await connection.waitUntilClosed()
      #expect(reason.condition?.name == AMQPCondition.connectionForced)
    }
  }

  @Test("to a client that comes back the end of an idle link is no error: the next message comes", arguments: dialects)
  func client(_ dialect: Dialect) async throws {
    let clock = VirtualClock()
    let configuration = InMemoryBroker.Configuration(dialect: dialect, path: "NHNTESTServiceBus", queues: ["q"], clock: clock)
    try await InMemoryBroker.withBroker(configuration) { broker in
      let policy = AMQPRecoveryPolicy(AMQPBackOff(initial: .milliseconds(10), maximum: .milliseconds(100)))
      try await AMQPClient(broker.clientConfiguration(), recovery: policy).withClient { client in
        var states = client.states.makeAsyncIterator()
        func receiver(until isMet: (AMQPClientState) -> Bool) async {
          while let state = await states.next() {
            if case .receiver = state.subject, isMet(state) { return }
          }
        }
        try await client.withReceiver(from: broker.receivingAddress("q")) { deliveries in
          var iterator = deliveries.makeAsyncIterator()
          await receiver { $0.phase == .open }
          clock.advance(by: .seconds(600))
          await receiver { $0.cause?.condition?.name == AMQPCondition.linkDetachForced }
          await receiver { $0.phase == .open }
          let outcome = try await client.send(.test("m"), to: broker.sendingAddress("q"))
          #expect(outcome == .accepted)
          let delivery = try #require(try await iterator.next())
          #expect(try delivery.id() == .string("m"))
          try delivery.accept()
        }
      }
    }
  }

  @Test("who shows no token gets no link, and is sent away after 20 s: Azure")
  func noToken() async throws {
    let clock = VirtualClock()
    let configuration = InMemoryBroker.Configuration(dialect: .azureServiceBus, queues: ["q"], clock: clock)
    try await InMemoryBroker.withBroker(configuration) { broker in
      var client = try broker.clientConfiguration()
      client.credentials = .login(.anonymous)
      try await AMQPConnection.withConnection(client) { connection in
        let error = await #expect(throws: AMQPError.self) { try await connection.openReceiver(from: "q") }
        #expect(error?.code == .unauthorized)
        clock.advance(by: .milliseconds(19_999))
        let before = try await broker.snapshot().connections.count
        #expect(before == 1)
        clock.advance(by: .milliseconds(1))
        let reason = try await connection.waitUntilClosed()
        #expect(reason.condition?.name == AMQPCondition.connectionForced)
      }
    }
  }

  @Test("a disabled entity: its links are detached, new ones refused; enabled again, it serves", arguments: dialects)
  func disabled(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect, queues: ["q", "other"]) { broker, connection in
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("q"))
      let neighbour = try await connection.openSender(to: broker.sendingAddress("other"))
      try await broker.setDisabled(true, "q")
      let standing = await #expect(throws: AMQPError.self) { try await receiver.nextBatch() }
      let attaching = await #expect(throws: AMQPError.self) { try await connection.openSender(to: broker.sendingAddress("q")) }
      for error in [standing, attaching] { #expect(error?.condition?.name == "com.microsoft:entity-disabled") }
      let outcome = try await neighbour.send(.test("a"))
      #expect(outcome == .accepted)
      try await broker.setDisabled(false, "q")
      try await connection.send(["b"], to: "q", of: broker)
      await #expect(throws: InMemoryBrokerError.self) { try await broker.setDisabled(true, "none") }
    }
  }
}
