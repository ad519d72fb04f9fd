// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Testing
import TjenestebussTesting

@Suite("What the dialects do differently")
struct DialectTests {
  @Test("a receiver of a queue that is not there", arguments: Dialect.allCases)
  func receiverOfMissing(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect, queues: ["q"]) { broker, connection in
      let address = broker.receivingAddress("missing")
      if dialect == .activeMQ {
        try await connection.withReceiver(from: address) { _ in }
        #expect(try await broker.depth(of: "missing") == 0)
        return
      }
      let error = await #expect(throws: AMQPError.self) { _ = try await connection.openReceiver(from: address) }
      #expect(error?.code == .notFound)
      #expect(error?.condition?.name == AMQPCondition.notFound)
      #expect(connection.closedReason == nil)
      // The connection lives: what is there can still be attached to.
      try await connection.withReceiver(from: broker.receivingAddress("q")) { _ in }
      #expect(try await broker.counters().attachesRefused == 1)
    }
  }

  @Test("a sender to a queue that is not there, through the bus's exchange or namespace", arguments: Dialect.allCases)
  func senderToMissing(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect) { broker, connection in
      let address = broker.sendingAddress("missing")
      switch dialect.capabilities.unroutableMessage {
      case .refusesAttach:
        let error = await #expect(throws: AMQPError.self) { _ = try await connection.openSender(to: address) }
        #expect(error?.code == .notFound)
      case .releases:
        try await connection.withSender(to: address) { sender in
          let outcome = try await sender.send(.test("a"))
          #expect(outcome == .released)
        }
      case .acceptsAndLoses:
        try await connection.withSender(to: address) { sender in
          let outcome = try await sender.send(.test("a"))
          #expect(outcome == .accepted)
        }
        #expect(try await broker.counters().acceptedAndLost == 1)
      case .declaresQueue:
        try await connection.withSender(to: address) { sender in
          let outcome = try await sender.send(.test("a"))
          #expect(outcome == .accepted)
        }
        #expect(try await broker.depth(of: "missing") == 1)
      }
    }
  }

  @Test("a sender straight to a queue that is not there", arguments: Dialect.allCases)
  func senderToMissingQueue(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect, change: { $0.path = "" }) { broker, connection in
      let address = broker.sendingAddress("missing")
      switch dialect.capabilities.missingQueueForSender {
      case .refusesAttach:
        let error = await #expect(throws: AMQPError.self) { _ = try await connection.openSender(to: address) }
        #expect(error?.code == .notFound)
      case .acceptsAndLoses, .declaresQueue, .releases:
        try await connection.withSender(to: address) { sender in
          let outcome = try await sender.send(.test("a"))
          #expect(outcome == .accepted)
        }
      }
    }
  }

  @Test(
    "what a refused link costs", arguments: [(Dialect.rabbitMQ3, true), (.rabbitMQ4AddressV2, true), (.azureServiceBus, false)])
  func refusal(_ dialect: Dialect, _ costsSession: Bool) async throws {
    try await withTestBroker(dialect) { broker, connection in
      let error = await #expect(throws: AMQPError.self) {
        _ = try await connection.openReceiver(from: broker.receivingAddress("missing"))
      }
      #expect(error?.scope == (costsSession ? .session : .link))
    }
  }

  @Test("an exchange that is not there")
  func missingExchange() async throws {
    for (dialect, address) in [(Dialect.rabbitMQ3, "/exchange/other/q"), (.rabbitMQ4AddressV2, "/exchanges/other/q")] {
      try await withTestBroker(dialect) { _, connection in
        let error = await #expect(throws: AMQPError.self) { _ = try await connection.openSender(to: address) }
        #expect(error?.code == .notFound)
      }
    }
  }

  @Test("the path's case counts")
  func pathCase() async throws {
    try await withTestBroker(.serviceBusWindowsServer) { _, connection in
      await #expect(throws: AMQPError.self) { _ = try await connection.openSender(to: "nhntestservicebus/q") }
    }
  }

  @Test("address v1 where only v2 is permitted")
  func addressForm() async throws {
    try await withTestBroker(.rabbitMQ4AddressV2, change: { $0.product = .rabbitMQ43 }) { _, connection in
      let error = await #expect(throws: AMQPError.self) { _ = try await connection.openReceiver(from: "/amq/queue/q") }
      #expect(error?.condition?.text == "amqp_address_v1_not_permitted")
      #expect(error?.code == .addressFormRefused)
    }
  }

  @Test("a bare name declares the queue on RabbitMQ 3")
  func bareName() async throws {
    try await withTestBroker(.rabbitMQ3) { broker, connection in
      try await connection.withReceiver(from: "made") { _ in }
      #expect(try await broker.depth(of: "made") == 0)
    }
  }

  @Test(
    "RabbitMQ 3 adds properties with the queue's name as subject where there were none; RabbitMQ 4 leaves the bare message alone")
  func subject() async throws {
    for (dialect, expected) in [(Dialect.rabbitMQ3, "q" as String?), (.rabbitMQ4AddressV2, nil)] {
      try await withTestBroker(dialect) { broker, connection in
        try await connection.withSender(to: broker.sendingAddress("q")) { sender in
          let outcome = try await sender.send(AMQPMessage(body: .data([1])))
          #expect(outcome == .accepted)
        }
        try await connection.withReceiver(from: broker.receivingAddress("q")) { receiver in
          let message = try #require(try await receiver.first()).message()
          #expect(message.properties.subject == expected)
          if dialect == .rabbitMQ4AddressV2 { #expect(message.messageAnnotations["x-routing-key"] == "q") }
        }
      }
    }
  }

  @Test("annotations whose keys RabbitMQ 4 keeps for itself end the session there, and pass on Service Bus")
  func reservedAnnotations() async throws {
    var message = AMQPMessage.test("a")
    message.messageAnnotations = AMQPMap([.init(key: .symbol("mine"), value: .int(1))])
    let sent = message
    try await withTestBroker(.rabbitMQ4AddressV2) { broker, connection in
      let sender = try await connection.openSender(to: broker.sendingAddress("q"))
      guard case .unknown(.lost(let error)) = try await sender.send(sent, checks: .none) else {
        Issue.record("an outcome came")
        return
      }
      #expect(error.scope == .session)
      #expect(try await broker.depth(of: "q") == 0)
    }
    try await withTestBroker(.serviceBusWindowsServer) { broker, connection in
      try await connection.withSender(to: broker.sendingAddress("q")) { sender in
        let outcome = try await sender.send(sent, checks: .none)
        #expect(outcome == .accepted)
      }
    }
  }

  @Test("a user-id that is not the login's", arguments: [Dialect.rabbitMQ3, .rabbitMQ4AddressV2, .activeMQ])
  func userID(_ dialect: Dialect) async throws {
    var message = AMQPMessage.test("a")
    message.properties.userID = Array("somebody".utf8)
    let sent = message
    try await withTestBroker(dialect) { broker, connection in
      let sender = try await connection.openSender(to: broker.sendingAddress("q"))
      let outcome = try await sender.send(sent, checks: .none)
      #expect(outcome.isAccepted == (dialect == .activeMQ))
      #expect(try await broker.depth(of: "q") == (dialect == .activeMQ ? 1 : 0))
    }
  }

  private static let limits: [(BrokerProduct, Dialect, UInt64?)] = [
    (.azureServiceBus, .azureServiceBus, 256 << 10), (.serviceBusWindowsServer, .serviceBusWindowsServer, 50 << 20),
    (.rabbitMQ310, .rabbitMQ3, nil), (.rabbitMQ40, .rabbitMQ4AddressV2, 16 << 20), (.rabbitMQ43, .rabbitMQ4AddressV2, 16 << 20),
    (.activeMQ, .activeMQ, nil),
  ]

  @Test("the largest message is stated in the attach, and more is not sent", arguments: limits)
  func messageSize(_ product: BrokerProduct, _ dialect: Dialect, _ limit: UInt64?) async throws {
    try await withTestBroker(dialect, change: { $0.product = product }) { broker, connection in
      let sender = try await connection.openSender(to: broker.sendingAddress("q"))
      #expect(sender.maximumMessageSize == limit)
      guard product == .azureServiceBus else { return }
      let large = AMQPMessage(body: .data([UInt8](repeating: 0, count: 300_000)))
      let error = await #expect(throws: AMQPError.self) { _ = try await sender.send(large) }
      #expect(error?.code == .messageTooLarge)
    }
  }
}
