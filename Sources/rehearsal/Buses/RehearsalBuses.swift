// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import TjenestebussClient

/// A bus of the rehearsal: how to reach it, and where its queues can be counted.
struct BusSite: Sendable {
  var endpoint: BusEndpoint
  /// The base of its HTTP management interface, with a user who may read queues.
  var managementURL: String
  var managementUser: String
  var managementPassword: String
}

/// The two buses, whatever they are made of.
protocol RehearsalBuses: Sendable {
  var source: BusSite { get }
  var target: BusSite { get }
  /// Makes every queue, with its way from the exchange, on both buses.
  func declare(queues: [String]) async throws
}

extension RehearsalBuses {
  /// Reads the ids of all messages that lie on `queues`, and puts the messages back.
  ///
  /// - Parameter quiet: a queue counts as read when nothing came from it for this long. What is missed here is not taken
  ///   for well: it counts as lost.
  func leftovers(on queues: [String], quiet: Duration) async throws -> [(site: BusSite, queue: String, message: AMQPMessage)] {
    var found: [(site: BusSite, queue: String, message: AMQPMessage)] = []
    for site in [self.source, self.target] {
      for chunk in stride(from: 0, to: queues.count, by: 40).map({ queues[$0..<min($0 + 40, queues.count)] }) {
        let configuration = site.endpoint.amqpConfiguration(role: "leftovers", product: "rehearsal")
        let messages = try await AMQPConnection.withConnection(configuration) { connection in
          try await withThrowingTaskGroup(of: [(String, AMQPMessage)].self) { group in
            for queue in chunk {
              let address = site.endpoint.receivingAddress(ofQueue: queue).text
              group.addTask { try await read(address, connection, quiet: quiet).map { (queue, $0) } }
            }
            return try await group.reduce(into: []) { $0 += $1 }
          }
        }
        found += messages.map { (site, $0.0, $0.1) }
      }
    }
    return found
  }
}

private func read(_ address: String, _ connection: AMQPConnection, quiet: Duration) async throws -> [AMQPMessage] {
  let receiver = try await connection.openReceiver(from: address, credit: 1_000)
  var deliveries: [AMQPDelivery] = []
  while let batch = try await next(receiver, within: quiet) { deliveries += batch }
  let messages = try deliveries.map { try $0.message() }
  try receiver.settle(deliveries, as: .released)
  await receiver.close()
  return messages
}

private func next(_ receiver: AMQPReceiver, within limit: Duration) async throws -> [AMQPDelivery]? {
  try await withThrowingTaskGroup(of: [AMQPDelivery]?.self) { group in
    group.addTask { try await receiver.nextBatch() }
    group.addTask {
      try? await Task.sleep(for: limit)
      return nil
    }
    defer { group.cancelAll() }
    return try await group.next() ?? nil
  }
}
