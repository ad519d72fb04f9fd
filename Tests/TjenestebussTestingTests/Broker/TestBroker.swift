// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

/// A broker with some queues, and a connection of our client to it.
func withTestBroker(
  _ dialect: Dialect = .rabbitMQ4AddressV2, queues: [BrokerQueue] = ["q"],
  change: (inout InMemoryBroker.Configuration) -> Void = { _ in },
  _ body: (InMemoryBroker, AMQPConnection) async throws -> Void
) async throws {
  var configuration = InMemoryBroker.Configuration(dialect: dialect, path: "NHNTESTServiceBus", queues: queues)
  change(&configuration)
  try await InMemoryBroker.withBroker(configuration) { broker in
    try await AMQPConnection.withConnection(broker.clientConfiguration()) { connection in try await body(broker, connection) }
  }
}

extension AMQPReceiver {
  /// The next delivery; nil when the receiver was closed.
  func first() async throws -> AMQPDelivery? {
    for try await delivery in self { return delivery }
    return nil
  }

  /// The next `count` deliveries.
  func first(_ count: Int) async throws -> [AMQPDelivery] {
    var deliveries: [AMQPDelivery] = []
    while deliveries.count < count, let batch = try await self.nextBatch() { deliveries += batch }
    return deliveries
  }
}

extension AMQPDelivery {
  func id() throws -> AMQPMessageID? { try self.message().properties.messageID }
}

extension AMQPMessage {
  /// A durable message with an id, and a content that names it.
  static func test(_ id: String) -> AMQPMessage {
    AMQPMessage(properties: AMQPProperties(messageID: .string(id)), body: .data(Array("content of \(id)".utf8)))
  }
}

extension AMQPConnection {
  /// Sends one after the other; all must be accepted.
  func send(_ ids: [String], to queue: String, of broker: InMemoryBroker) async throws {
    try await self.withSender(to: broker.sendingAddress(queue)) { sender in
      for id in ids {
        let outcome = try await sender.send(.test(id))
        #expect(outcome == .accepted)
      }
    }
  }
}
