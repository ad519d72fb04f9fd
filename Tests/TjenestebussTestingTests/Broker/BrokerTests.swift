// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Testing
import TjenestebussTesting

@Suite("The in-memory broker and our client")
struct BrokerTests {
  static let dialects: [Dialect] = Dialect.allCases

  @Test("a message goes in, comes out and is gone when it is accepted", arguments: dialects)
  func thereAndBack(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect, queues: ["93238_async"]) { broker, connection in
      let message = AMQPMessage(
        properties: AMQPProperties(messageID: "m-1", subject: "APPREC"), applicationProperties: ["fromHerId": "91462"],
        body: .data([1, 2, 3]))
      try await connection.withSender(to: broker.sendingAddress("93238_async")) { sender in
        let outcome = try await sender.send(message)
        #expect(outcome == .accepted)
      }
      #expect(try await broker.depth(of: "93238_async") == 1)
      #expect(try await broker.messageIDs(in: "93238_async") == ["m-1"])
      try await connection.withReceiver(from: broker.receivingAddress("93238_async")) { receiver in
        let delivery = try #require(try await receiver.first())
        let received = try delivery.message()
        #expect(received.properties == message.properties)
        #expect(received.applicationProperties == message.applicationProperties)
        #expect(received.body == .data([1, 2, 3]))
        #expect(received.header?.durable == true)
        #expect(received.header?.firstAcquirer == (broker.configuration.product != .activeMQ))
        #expect(try await broker.queue("93238_async").locked == 1)
        try delivery.accept()
        try await broker.waitUntil("an empty queue") { $0.depth(of: "93238_async") == 0 }
      }
      try await broker.waitUntil("no consumer") { $0.consumers(of: "93238_async") == 0 }
    }
  }
}
