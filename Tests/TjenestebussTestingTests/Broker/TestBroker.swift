// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import TjenestebussTesting

/// A broker with some queues, and a connection of our client to it.
func withTestBroker(
  _ dialect: Dialect = .rabbitMQ4AddressV2, queues: [BrokerQueue] = ["q"],
  _ change: (inout InMemoryBroker.Configuration) -> Void = { _ in },
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
