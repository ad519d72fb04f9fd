// SPDX-License-Identifier: Apache-2.0

import AMQP
import Testing

extension RealBroker {
  /// Sends messages with the ids `m-0`, `m-1` and so on, one after the other; all must be accepted.
  func send(_ numbers: Range<Int>, to queue: String, on connection: AMQPConnection) async throws {
    try await connection.withSender(to: self.sending(to: queue)) { sender in
      for number in numbers {
        let outcome = try await sender.send(.numbered(number))
        #expect(outcome == .accepted)
      }
    }
  }
}

extension AMQPMessage {
  static func numbered(_ number: Int) -> AMQPMessage {
    AMQPMessage(properties: AMQPProperties(messageID: .string("m-\(number)")), body: .data([UInt8(truncatingIfNeeded: number)]))
  }
}

extension AMQPDelivery {
  func messageID() throws -> String { try self.message().properties.messageID?.description ?? "" }
}

extension AMQPReceiver {
  /// The next `count` deliveries.
  func next(_ count: Int) async throws -> [AMQPDelivery] {
    var deliveries: [AMQPDelivery] = []
    while deliveries.count < count, let batch = try await self.nextBatch() { deliveries += batch }
    return deliveries
  }
}
