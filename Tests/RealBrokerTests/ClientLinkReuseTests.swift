// SPDX-License-Identifier: Apache-2.0

import AMQP
import Foundation
import Testing

/// A session is used for link after link. What a broker had on its way to a link that was closed must come again on the next.
@Suite("Links one after the other on one connection", .serialized, .timeLimit(.minutes(10)))
struct ClientLinkReuseTests {
  @Test(
    "Receivers closed in mid-stream leave nothing behind on the session: all comes to the last one", arguments: RealBroker.all)
  func closedInMidStream(_ broker: RealBroker) async throws {
    for kind in ["classic", "quorum"] {
      // No delivery limit: every closing counts as a return on RabbitMQ 4.0.
      let arguments: [String: Any] = kind == "quorum" && broker.dialect != .rabbitMQ3 ? ["x-delivery-limit": -1] : [:]
      let queue = try await broker.declareQueue(kind, arguments: arguments)
      try await AMQPConnection.withConnection(try broker.configuration()) { connection in
        let ids = (0..<200).map { "m-\($0)" }
        try await connection.withSender(to: broker.sending(to: queue)) { sender in
          try await withThrowingTaskGroup(of: AMQPOutcome.self) { group in
            for id in ids {
              group.addTask { try await sender.send(AMQPMessage(properties: .init(messageID: .string(id)), body: .data([1]))) }
            }
            for try await outcome in group { #expect(outcome == .accepted) }
          }
        }
        for round in 0..<20 {
          let receiver = try await connection.openReceiver(from: broker.receiving(from: queue), credit: 50, within: .seconds(60))
          // Closed at once, or with some taken and not settled.
          if round % 2 == 1 { _ = try await receiver.nextBatch() }
          await receiver.close()
        }
        var got: Set<String> = []
        try await connection.withReceiver(from: broker.receiving(from: queue), credit: 50) { receiver in
          while got.count < ids.count, let batch = try await receiver.nextBatch() {
            for delivery in batch { got.insert(try delivery.message().properties.messageID?.description ?? "") }
            try receiver.settle(batch, as: .accepted)
          }
        }
        #expect(got == Set(ids), "\(kind)")
      }
    }
  }
}
