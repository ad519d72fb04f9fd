// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Testing
import TjenestebussTesting

@Suite("Who may enter the in-memory broker, and for what")
struct LoginTests {
  private func configuration(_ dialect: Dialect = .rabbitMQ4AddressV2) -> InMemoryBroker.Configuration {
    InMemoryBroker.Configuration(
      dialect: dialect, path: "bus",
      users: [
        BrokerUser("app", password: Secret("right")),
        BrokerUser("reader", password: Secret("r"), mayRead: ["1_*"], mayWrite: []),
        BrokerUser("writer", password: Secret("w"), mayRead: [], mayWrite: ["bus", "1_*"]),
      ], queues: ["1_async", "2_async"])
  }

  @Test("a wrong password, an unknown user", arguments: Dialect.allCases)
  func wrongPassword(_ dialect: Dialect) async throws {
    try await InMemoryBroker.withBroker(self.configuration(dialect)) { broker in
      for (user, password) in [("app", "wrong"), ("nobody", "right")] {
        let client = try broker.clientConfiguration(user: user, password: Secret(password))
        let error = await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(client) }
        #expect(error?.code == .loginRefused)
      }
      let snapshot = try await broker.snapshot()
      #expect(snapshot.counters.loginsRefused == 2)
      #expect(snapshot.connections == [])
    }
  }

  @Test("without a name: turned away, unless there is an anonymous user")
  func anonymous() async throws {
    for anonymous in [nil, "guest"] {
      var configuration = self.configuration(.rabbitMQ3)
      configuration.anonymousUser = anonymous
      try await InMemoryBroker.withBroker(configuration) { broker in
        var client = try broker.clientConfiguration()
        client.credentials = .login(.anonymous)
        if anonymous == nil {
          let nameless = client
          let error = await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(nameless) }
          #expect(error?.code == .mechanismNotOffered)
        } else {
          try await AMQPConnection.withConnection(client) { _ in
            let users = try await broker.snapshot().connections.map(\.user)
            #expect(users == ["guest"])
          }
          // Our client with a password does not take the first mechanism offered.
          try await AMQPConnection.withConnection(broker.clientConfiguration()) { _ in
            let user = try await broker.snapshot().connections.last?.user
            #expect(user == "app")
          }
        }
      }
    }
  }

  @Test("reading what one may not read", arguments: [Dialect.rabbitMQ4AddressV2, .serviceBusWindowsServer, .rabbitMQ3])
  func reading(_ dialect: Dialect) async throws {
    try await InMemoryBroker.withBroker(self.configuration(dialect)) { broker in
      try await AMQPConnection.withConnection(broker.clientConfiguration(user: "reader")) { connection in
        try await connection.withReceiver(from: broker.receivingAddress("1_async")) { _ in }
        let error = await #expect(throws: AMQPError.self) {
          _ = try await connection.openReceiver(from: broker.receivingAddress("2_async"))
        }
        #expect(error?.code == .unauthorized)
      }
    }
  }

  @Test("writing what one may not write is told at the attach; on RabbitMQ 3 at the first message", arguments: Dialect.allCases)
  func writing(_ dialect: Dialect) async throws {
    try await InMemoryBroker.withBroker(self.configuration(dialect)) { broker in
      try await AMQPConnection.withConnection(broker.clientConfiguration(user: "writer")) { connection in
        try await connection.withSender(to: broker.sendingAddress("1_async")) { sender in
          let outcome = try await sender.send(.test("a"))
          #expect(outcome == .accepted)
        }
      }
      try await AMQPConnection.withConnection(broker.clientConfiguration(user: "reader")) { connection in
        let address = broker.sendingAddress("1_async")
        if dialect == .rabbitMQ3 {
          let sender = try await connection.openSender(to: address)
          guard case .unknown(.lost(let error)) = try await sender.send(.test("b")) else {
            Issue.record("an outcome came")
            return
          }
          #expect(error.condition?.name == AMQPCondition.unauthorizedAccess)
        } else {
          let error = await #expect(throws: AMQPError.self) { _ = try await connection.openSender(to: address) }
          #expect(error?.code == .unauthorized)
        }
        #expect(try await broker.depth(of: "1_async") == 1)
      }
    }
  }

  @Test("another virtual host than the broker's")
  func virtualHost() async throws {
    for dialect in [Dialect.rabbitMQ3, .rabbitMQ4AddressV2] {
      try await InMemoryBroker.withBroker(self.configuration(dialect)) { broker in
        var client = try broker.clientConfiguration()
        client.virtualHost = "vhost:/"
        try await AMQPConnection.withConnection(client) { _ in }
        client.virtualHost = "vhost:other"
        let wrong = client
        await #expect(throws: AMQPError.self) {
          let connection = try await AMQPConnection.open(wrong)
          // RabbitMQ 3 answers the Open, and closes when the first session begins.
          _ = try await connection.openSender(to: "1_async")
        }
      }
    }
  }
}
