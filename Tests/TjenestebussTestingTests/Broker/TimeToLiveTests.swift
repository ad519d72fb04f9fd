// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@Suite("Time to live, on a clock that tests move")
struct TimeToLiveTests {
  @Test(
    "a message dies at its time and lies with the dead letters, where it lives on",
    arguments: [Dialect.rabbitMQ4AddressV2, .azureServiceBus])
  func dies(_ dialect: Dialect) async throws {
    let clock = VirtualClock()
    try await withTestBroker(dialect, change: { $0.clock = clock }) { broker, connection in
      let deadLetters = dialect == .azureServiceBus ? "q/$DeadLetterQueue" : "q_dl"
      try await connection.withSender(to: broker.sendingAddress("q")) { sender in
        for (id, milliseconds) in [("long", UInt32(60_000)), ("short", 1_000), ("never", nil)] as [(String, UInt32?)] {
          var message = AMQPMessage.test(id)
          message.header?.timeToLive = milliseconds
          _ = try await sender.send(message)
        }
      }
      clock.advance(by: .milliseconds(999))
      #expect(try await broker.depth(of: "q") == 3)
      clock.advance(by: .milliseconds(1))
      try await broker.waitUntil("one dead") { $0.depth(of: "q") == 2 && $0.depth(of: deadLetters) == 1 }
      clock.advance(by: .seconds(600))
      try await broker.waitUntil("two dead") { $0.depth(of: "q") == 1 && $0.depth(of: deadLetters) == 2 }
      #expect(try await broker.messageIDs(in: "q") == ["never"])
      #expect(try await broker.messageIDs(in: deadLetters) == ["short", "long"])
    }
  }

  @Test("the queue's own time counts, and what is delivered states what is left of it")
  func queueTime() async throws {
    let clock = VirtualClock()
    let queue = BrokerQueue("q", timeToLive: .seconds(10), deadLetter: .none)
    try await withTestBroker(queues: [queue], change: { $0.clock = clock }) { broker, connection in
      try await connection.withSender(to: broker.sendingAddress("q")) { sender in
        var message = AMQPMessage.test("a")
        message.header?.timeToLive = 5_000
        _ = try await sender.send(message)
        _ = try await sender.send(.test("b"))
      }
      clock.advance(by: .seconds(2))
      try await connection.withReceiver(from: broker.receivingAddress("q")) { receiver in
        let deliveries = try await receiver.first(2)
        #expect(try deliveries.map { try $0.message().header?.timeToLive } == [3_000, nil])
        clock.advance(by: .seconds(60))
        #expect(try await broker.depth(of: "q") == 2)
        try deliveries[0].release()
        try deliveries[1].accept()
        try await broker.waitUntil("both gone") { $0.depth(of: "q") == 0 }
      }
      #expect(try await broker.counters().diedWithoutTrace == 1)
    }
  }
}
