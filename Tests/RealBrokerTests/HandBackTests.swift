// SPDX-License-Identifier: Apache-2.0

import AMQP
import Foundation
import Testing

@Suite("What a leaving receiver hands back, with a real broker that counts it", .serialized, .timeLimit(.minutes(5)))
struct HandBackTests {
  @Test("RabbitMQ 4.0 counts it once for each leaving, however much lies behind it: nothing came to the same link again")
  func once() async throws {
    let broker = RealBroker.rabbitMQ4
    let queue = "test_handback_\(UUID().uuidString.prefix(8).lowercased())"
    try await broker.management(
      "PUT", "/api/queues/%2F/\(queue)", ["durable": true, "arguments": ["x-queue-type": "quorum"]])
    let address = broker.receiving(from: queue)
    let leavings: UInt64 = 3
    let held = 5
    try await AMQPClient(try broker.configuration()).withClient { client in
      for number in 0..<30 {
        let message = AMQPMessage(properties: AMQPProperties(messageID: .string("m\(number)")), body: .data([1]))
        let outcome = try await client.send(message, to: broker.sending(to: queue))
        #expect(outcome == .accepted)
      }
    }
    for _ in 0..<leavings {
      let configuration = try broker.configuration()
      try await AMQPClient(configuration).withClient { client in
        let policy = AMQPProcessPolicy(prefetch: held - 1, stopWithin: .milliseconds(10))
        let work = Task {
          // Ends when it is cancelled, so that its message is handed back with the others.
          try await client.process(from: address, maxConcurrent: 1, policy: policy) { _ in
            try await Task.sleep(for: .seconds(3_600))
          }
        }
        while await !client.statistics().contains(where: { $0.links.contains { $0.unsettled + $0.buffered == held } }) {
          await Task.yield()
        }
        await client.shutdown()
        _ = try await work.value
      }
    }
    var returns: [UInt64] = []
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await connection.withReceiver(from: address, credit: 30) { receiver in
        while returns.count < 30, let batch = try await receiver.nextBatch() {
          for delivery in batch {
            returns.append(try delivery.redelivery().attemptsTowardsLimit)
            try delivery.accept()
          }
        }
      }
    }
    #expect(returns.filter { $0 > 0 } == Array(repeating: leavings, count: held))
    try await broker.management("DELETE", "/api/queues/%2F/\(queue)")
  }
}
