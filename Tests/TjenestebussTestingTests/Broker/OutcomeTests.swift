// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@Suite("Outcomes at the in-memory broker")
struct OutcomeTests {
  @Test("released, a message comes again in its old place, and is no longer a first delivery")
  func released() async throws {
    try await withTestBroker { broker, connection in
      try await connection.send(["a", "b"], to: "q", of: broker)
      try await connection.withReceiver(from: broker.receivingAddress("q"), credit: 1) { receiver in
        let first = try #require(try await receiver.first())
        #expect(try first.id() == "a")
        try first.release()
      }
      try await broker.waitUntil("nothing held") { $0.queues["q"]?.locked == 0 && $0.consumers(of: "q") == 0 }
      try await connection.withReceiver(from: broker.receivingAddress("q")) { receiver in
        let again = try await receiver.first(2)
        #expect(try again.map { try $0.id() } == ["a", "b"])
        #expect(try again[0].message().header?.firstAcquirer == false)
        try receiver.settle(again, as: .accepted)
      }
    }
  }

  @Test(
    "rejected, a message lies with the dead letters, whole, and says why",
    arguments: [
      (Dialect.rabbitMQ4AddressV2, "1_dl"), (.rabbitMQ4AddressV1, "1_dl"), (.rabbitMQ3, "1_dl"), (.activeMQ, "1_dl"),
      (.serviceBusWindowsServer, "1_async/$DeadLetterQueue"), (.azureServiceBus, "1_async/$DeadLetterQueue"),
    ])
  func rejected(_ dialect: Dialect, _ deadLetters: String) async throws {
    try await withTestBroker(dialect, queues: ["1_async"]) { broker, connection in
      try await connection.send(["a"], to: "1_async", of: broker)
      try await connection.withReceiver(from: broker.receivingAddress("1_async")) { receiver in
        let delivery = try #require(try await receiver.first())
        try delivery.reject(AMQPCondition("x:bad", text: "not for us"))
        try await broker.waitUntil("a dead letter") { $0.depth(of: deadLetters) == 1 && $0.depth(of: "1_async") == 0 }
      }
      try await connection.withReceiver(from: broker.receivingAddress(deadLetters)) { receiver in
        let message = try #require(try await receiver.first()).message()
        #expect(message.properties.messageID == "a")
        #expect(message.body == .data(Array("content of a".utf8)))
        switch dialect {
        case .rabbitMQ4AddressV1, .rabbitMQ4AddressV2:
          #expect(message.messageAnnotations["x-first-death-queue"] == "1_async")
          #expect(message.messageAnnotations["x-first-death-reason"] == "rejected")
        // They say nothing of it that AMQP 1.0 could see.
        case .rabbitMQ3, .activeMQ: #expect(message.messageAnnotations["x-first-death-queue"] == nil)
        case .serviceBusWindowsServer, .azureServiceBus:
          #expect(message.applicationProperties["DeadLetterReason"] == "Rejected")
          #expect(message.messageAnnotations["x-opt-deadletter-source"] == "1_async")
        }
      }
      #expect(try await broker.counters().deadLettered == 1)
    }
  }

  @Test("modified: failed comes again counted, undeliverable is a dead letter")
  func modified() async throws {
    try await withTestBroker { broker, connection in
      try await connection.send(["a"], to: "q", of: broker)
      try await connection.withReceiver(from: broker.receivingAddress("q"), credit: 1) { receiver in
        let first = try #require(try await receiver.first())
        try first.modify(deliveryFailed: true, undeliverableHere: false)
        let again = try #require(try await receiver.first())
        #expect(try again.message().header?.deliveryCount == 1)
        try again.modify(deliveryFailed: true, undeliverableHere: true)
        try await broker.waitUntil("a dead letter") { $0.depth(of: "q_dl") == 1 }
      }
    }
  }

  @Test("RabbitMQ 3 does not know modified: the session ends, the message comes again")
  func modifiedUnknown() async throws {
    try await withTestBroker(.rabbitMQ3) { broker, connection in
      try await connection.send(["a"], to: "q", of: broker)
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("q"))
      let delivery = try #require(try await receiver.first())
      try delivery.modify(deliveryFailed: true, undeliverableHere: false)
      let error = await #expect(throws: AMQPError.self) { _ = try await receiver.first() }
      #expect(error?.condition?.name == AMQPCondition.invalidField)
      #expect(error?.scope == .session)
      #expect(try await broker.queue("q").locked == 0)
      #expect(try await broker.depth(of: "q") == 1)
      #expect(connection.closedReason == nil)
    }
  }

  @Test("the delivery limit of RabbitMQ 4: twenty-one deliveries, then a dead letter")
  func deliveryLimit() async throws {
    try await withTestBroker { broker, connection in
      try await connection.send(["a"], to: "q", of: broker)
      try await connection.withReceiver(from: broker.receivingAddress("q"), credit: 1) { receiver in
        for _ in 0..<21 { try #require(try await receiver.first()).release() }
        try await broker.waitUntil("a dead letter") { $0.depth(of: "q_dl") == 1 }
      }
      #expect(try await broker.counters().delivered == 21)
    }
  }

  @Test("Service Bus gives a message ten deliveries, and counts each release")
  func serviceBusLimit() async throws {
    try await withTestBroker(.serviceBusWindowsServer) { broker, connection in
      try await connection.send(["a"], to: "q", of: broker)
      try await connection.withReceiver(from: broker.receivingAddress("q"), credit: 1) { receiver in
        for number in UInt32(0)..<10 {
          let delivery = try #require(try await receiver.first())
          #expect(try delivery.message().header?.deliveryCount == number)
          try delivery.release()
        }
        try await broker.waitUntil("a dead letter") { $0.depth(of: "q/$DeadLetterQueue") == 1 }
      }
    }
  }

  @Test("no more than the credit is handed out until something is settled", arguments: [1, 5, 20])
  func credit(_ credit: Int) async throws {
    try await withTestBroker { broker, connection in
      try await connection.send((0..<20).map(String.init), to: "q", of: broker)
      try await connection.withReceiver(from: broker.receivingAddress("q"), credit: credit) { receiver in
        try await broker.waitUntil("all credit used") { $0.queues["q"]?.locked == credit }
        let some = try await receiver.first(credit)
        #expect(try some.map { try $0.id() } == (0..<credit).map { .string(String($0)) })
        #expect(try await broker.queue("q").locked == credit)
        try receiver.settle(some, as: .accepted)
        // The client grants new credit when half of it is used: no more than that may be out.
        let after = try await broker.waitUntil("settled, and new credit used") {
          $0.depth(of: "q") == 20 - credit && (credit == 20 || $0.counters.delivered > credit)
        }
        #expect(try #require(after.queues["q"]).locked <= credit)
      }
    }
  }

  @Test("two receivers share a queue")
  func shared() async throws {
    try await withTestBroker { broker, connection in
      let one = try await connection.openReceiver(from: broker.receivingAddress("q"), credit: 10)
      let two = try await connection.openReceiver(from: broker.receivingAddress("q"), credit: 10)
      try await broker.waitUntil("two consumers") { $0.consumers(of: "q") == 2 }
      try await connection.send((0..<10).map(String.init), to: "q", of: broker)
      let ids = try await (one.first(5) + two.first(5)).map { try $0.id() }
      #expect(Set(ids).count == 10)
      await one.close()
      await two.close()
    }
  }

  @Test("what a closed receiver held comes to the next one, in order")
  func closedReceiver() async throws {
    try await withTestBroker { broker, connection in
      try await connection.send(["a", "b", "c"], to: "q", of: broker)
      try await connection.withReceiver(from: broker.receivingAddress("q")) { receiver in
        let deliveries = try await receiver.first(3)
        try deliveries[1].accept()
      }
      try await broker.waitUntil("nothing held") { $0.queues["q"]?.locked == 0 && $0.depth(of: "q") == 2 }
      #expect(try await broker.messageIDs(in: "q") == ["a", "c"])
    }
  }

  @Test("a full queue refuses; RabbitMQ 3 says nothing", arguments: [Dialect.rabbitMQ4AddressV2, .rabbitMQ3, .azureServiceBus])
  func full(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect, queues: [BrokerQueue("q", maximumLength: 1)]) { broker, connection in
      try await connection.send(["a"], to: "q", of: broker)
      let sender = try await connection.openSender(to: broker.sendingAddress("q"))
      if dialect == .rabbitMQ3 {
        async let outcome = sender.send(.test("b"))
        try await broker.waitUntil("it came") { $0.counters.leftUnanswered == 1 }
        await connection.close()
        guard case .unknown = try await outcome else {
          Issue.record("an answer came")
          return
        }
      } else {
        let outcome = try await sender.send(.test("b"))
        #expect(outcome == .rejected(nil))
      }
      #expect(try await broker.depth(of: "q") == 1)
    }
  }
}
