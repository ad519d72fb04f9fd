// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Foundation
import Testing

@Suite("AMQP against real brokers: links", .serialized)
struct AMQPLinkTests {
  private func message(_ id: String, _ body: [UInt8] = [1, 2, 3]) -> AMQPMessage {
    AMQPMessage(properties: AMQPProperties(messageID: .string(id), subject: "TEST", contentType: "text/plain"), body: .data(body))
  }

  private func accepted(_ message: AMQPMessage, by sender: AMQPSender, sourceLocation: SourceLocation = #_sourceLocation)
    async throws
  {
    let outcome = try await sender.send(message, checks: .anyBody)
    #expect(outcome == .accepted, sourceLocation: sourceLocation)
  }

  private func receive(_ count: Int, from receiver: AMQPReceiver) async throws -> [AMQPDelivery] {
    var deliveries: [AMQPDelivery] = []
    while deliveries.count < count, let batch = try await receiver.nextBatch() { deliveries += batch }
    return deliveries
  }

  @Test("sent, accepted, received, accepted; nothing is left", arguments: RealBroker.proven)
  func roundTrip(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await connection.withSender(to: broker.sending(to: queue)) { sender in
        try await self.accepted(self.message("m-1"), by: sender)
      }
      try await connection.withReceiver(from: broker.receiving(from: queue)) { receiver in
        let delivery = try #require(try await self.receive(1, from: receiver).first)
        let message = try delivery.message()
        #expect(message.properties.messageID == .string("m-1"))
        #expect(message.body.bytes == [1, 2, 3])
        #expect(message.header?.durable == true)
        try delivery.accept()
      }
      try await connection.withReceiver(from: broker.receiving(from: queue)) { receiver in
        // Had the first been left, it would come before this one.
        try await connection.withSender(to: broker.sending(to: queue)) { sender in
          try await self.accepted(self.message("m-2"), by: sender)
        }
        let delivery = try #require(try await self.receive(1, from: receiver).first)
        #expect(try delivery.message().properties.messageID == .string("m-2"))
        try delivery.accept()
      }
    }
  }

  @Test("all sections of a message travel", arguments: RealBroker.proven)
  func allSections(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    var sent = self.message("m-1")
    sent.header?.timeToLive = 600_000
    sent.messageAnnotations = AMQPMap([.init(key: .symbol("x-test"), value: .string("a"))])
    sent.applicationProperties = [
      "text": "blåbær", "int": .int(-5), "long": .long(1 << 40), "flag": true, "when": .timestamp(1_700_000_000_000),
      "uuid": .uuid(AMQPUUID(high: 1, low: 2)), "none": .null, "double": .double(0.5), "binary": .binary([0, 255]),
    ]
    sent.properties.replyTo = "r"
    sent.properties.correlationID = .uuid(AMQPUUID(high: 3, low: 4))
    sent.properties.groupID = "g"
    sent.properties.groupSequence = 7
    sent.properties.creationTime = 5
    let original = sent
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await connection.withSender(to: broker.sending(to: queue)) { sender in
        try await self.accepted(original, by: sender)
      }
      try await connection.withReceiver(from: broker.receiving(from: queue)) { receiver in
        let delivery = try #require(try await self.receive(1, from: receiver).first)
        let message = try delivery.message()
        #expect(message.applicationProperties == original.applicationProperties)
        #expect(message.properties == original.properties)
        #expect(message.body == original.body)
        try delivery.accept()
      }
    }
  }

  @Test(
    "every kind of body travels",
    arguments: RealBroker.proven,
    [AMQPBody.data([]), .value(.string("v")), .value(.map(["k": .list([.int(1)])])), .sequence([[.int(1), .string("b")]])])
  func bodies(_ broker: RealBroker, _ body: AMQPBody) async throws {
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await connection.withSender(to: broker.sending(to: queue)) { sender in
        try await self.accepted(AMQPMessage(body: body), by: sender)
      }
      try await connection.withReceiver(from: broker.receiving(from: queue)) { receiver in
        let delivery = try #require(try await self.receive(1, from: receiver).first)
        #expect(try delivery.message().body == body)
        try delivery.accept()
      }
    }
  }

  @Test(
    "2,000 sends at once and a window of 100: each accepted once, received once, in order", arguments: RealBroker.proven,
    ["classic", "quorum"])
  func manyInFlight(_ broker: RealBroker, _ kind: String) async throws {
    let queue = try await broker.declareQueue(kind)
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue), credit: 100)
      async let outcomes = withThrowingTaskGroup(of: AMQPOutcome.self) { group in
        for number in 0..<2_000 { group.addTask { try await sender.send(self.message("m-\(number)")) } }
        return try await group.reduce(into: [AMQPOutcome]()) { $0.append($1) }
      }
      var ids: [String] = []
      while ids.count < 2_000, let batch = try await receiver.nextBatch() {
        // RabbitMQ 3 oversteps its credit when a grant crosses messages on their way; never by a whole window.
        #expect(batch.count <= (broker.dialect == .rabbitMQ3 ? 200 : 100))
        for delivery in batch { ids.append(try delivery.message().properties.messageID?.description ?? "") }
        try receiver.settle(batch, as: .accepted)
      }
      #expect(try await outcomes.allSatisfy(\.isAccepted))
      #expect(Set(ids).count == 2_000)
    }
  }

  @Test("released comes again; rejected goes to the dead letters", arguments: RealBroker.proven)
  func outcomesOfReceivers(_ broker: RealBroker) async throws {
    let (queue, dead) = try await broker.declareQueueWithDeadLetters()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue))
      try await self.accepted(self.message("again"), by: sender)
      try await self.receive(1, from: receiver).first?.release()
      let second = try #require(try await self.receive(1, from: receiver).first)
      #expect(try second.message().properties.messageID == .string("again"))
      try second.reject()
      let deadReceiver = try await connection.openReceiver(from: broker.receiving(from: dead))
      let third = try #require(try await self.receive(1, from: deadReceiver).first)
      #expect(try third.message().properties.messageID == .string("again"))
      try third.accept()
    }
  }

  @Test(
    "modified(failed) comes again with a higher delivery count; undeliverable goes to the dead letters",
    arguments: RealBroker.proven.filter(\.dialect.capabilities.knowsModified))
  func modified(_ broker: RealBroker) async throws {
    let (queue, dead) = try await broker.declareQueueWithDeadLetters("quorum")
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue))
      try await self.accepted(self.message("m"), by: sender)
      try await self.receive(1, from: receiver).first?.modify(deliveryFailed: true, undeliverableHere: false)
      let second = try #require(try await self.receive(1, from: receiver).first)
      #expect(try second.message().header?.deliveryCount == 1)
      try second.modify(deliveryFailed: true, undeliverableHere: true)
      let deadReceiver = try await connection.openReceiver(from: broker.receiving(from: dead))
      let third = try #require(try await self.receive(1, from: deadReceiver).first)
      try third.accept()
    }
  }

  @Test("modified is not known to RabbitMQ 3: it ends the session, and the link says so")
  func modifiedOnRabbitMQ3() async throws {
    let broker = RealBroker.rabbitMQ3
    #expect(broker.dialect.capabilities.knowsModified == false)
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue))
      try await self.accepted(self.message("m"), by: sender)
      try await self.receive(1, from: receiver).first?.modify(deliveryFailed: true, undeliverableHere: false)
      let error = await #expect(throws: AMQPError.self) { _ = try await receiver.nextBatch() }
      #expect(error?.scope == .session)
      // The sender has a session of its own, and lives.
      try await self.accepted(self.message("m-2"), by: sender)
    }
  }

  @Test(
    "a receiver of a queue that does not exist: not found, and its neighbours live",
    arguments: RealBroker.proven.filter { $0.dialect.capabilities.missingQueueForSender != .declaresQueue })
  func missingQueue(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let neighbour = try await connection.openSender(to: broker.sending(to: queue))
      let error = await #expect(throws: AMQPError.self) {
        try await connection.openReceiver(from: broker.receiving(from: "no_such_queue"))
      }
      #expect(error?.code == .notFound)
      #expect(error?.origin == .remote)
      try await self.accepted(self.message("m"), by: neighbour)
    }
  }

  @Test(
    "a hundred refused links, each followed by a good one, on one connection: every attach is answered",
    arguments: RealBroker.proven.filter { $0.dialect.capabilities.missingQueueForSender != .declaresQueue })
  func refusedInARow(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      for _ in 0..<100 {
        let error = await #expect(throws: AMQPError.self) {
          try await connection.openReceiver(from: broker.receiving(from: "no_such_queue"), within: .seconds(60))
        }
        #expect(error?.code == .notFound)
        let sender = try await connection.openSender(to: broker.sending(to: queue), within: .seconds(60))
        try await self.accepted(self.message("m"), by: sender)
        await sender.close()
      }
    }
  }

  @Test(
    "a sender to a queue that does not exist: refused, accepted and lost, or made, as the capabilities state",
    arguments: RealBroker.proven)
  func missingTarget(_ broker: RealBroker) async throws {
    let queue = "missing_\(UUID().uuidString.prefix(8).lowercased())"
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      switch broker.dialect.capabilities.missingQueueForSender {
      case .refusesAttach:
        let error = await #expect(throws: AMQPError.self) { try await connection.openSender(to: broker.sending(to: queue)) }
        #expect(error?.code == .notFound)
      case .acceptsAndLoses, .releases:
        let sender = try await connection.openSender(to: broker.sending(to: queue))
        try await self.accepted(self.message("m"), by: sender)
        let error = await #expect(throws: AMQPError.self) {
          try await connection.openReceiver(from: broker.receiving(from: queue))
        }
        #expect(error?.code == .notFound, "the queue is not there: what was accepted is lost")
      case .declaresQueue:
        let sender = try await connection.openSender(to: broker.sending(to: queue))
        try await self.accepted(self.message("m"), by: sender)
        let receiver = try await connection.openReceiver(from: broker.receiving(from: queue))
        try await self.receive(1, from: receiver).first?.accept()
      }
    }
  }

  @Test("an exchange that routes nowhere: released, or accepted and lost, as the capabilities state", arguments: RealBroker.all)
  func unroutable(_ broker: RealBroker) async throws {
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let address = LinkAddress.sending(to: "no_such_key", path: "amq.direct", dialect: broker.dialect).text
      let sender = try await connection.openSender(to: address)
      let expected: AMQPOutcome = broker.dialect.capabilities.unroutableMessage == .releases ? .released : .accepted
      #expect(try await sender.send(self.message("m")) == expected)
    }
  }

  @Test("no permission to read: unauthorized, at the attach", arguments: RealBroker.proven)
  func unauthorizedReceiver(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    let configuration = try broker.configuration(user: "limited", password: "limited")
    try await AMQPConnection.withConnection(configuration) { connection in
      let error = await #expect(throws: AMQPError.self) {
        try await connection.openReceiver(from: broker.receiving(from: queue))
      }
      #expect(error?.code == .unauthorized)
    }
  }

  @Test("no permission to write: unauthorized, at the attach or at the first message", arguments: RealBroker.proven)
  func unauthorizedSender(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    let configuration = try broker.configuration(user: "limited", password: "limited")
    try await AMQPConnection.withConnection(configuration) { connection in
      if broker.dialect.capabilities.refusesSenderAtAttach {
        let error = await #expect(throws: AMQPError.self) { try await connection.openSender(to: broker.sending(to: queue)) }
        #expect(error?.code == .unauthorized)
      } else {
        let sender = try await connection.openSender(to: broker.sending(to: queue))
        guard case .unknown(.lost(let error)) = try await sender.send(self.message("m")) else {
          Issue.record("an outcome came")
          return
        }
        #expect(error.code == .unauthorized)
      }
    }
  }

  @Test(
    "a receiver that waits ends when its task is cancelled, and the message it did not take is not lost",
    arguments: RealBroker.proven)
  func cancellation(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue))
      let waiting = Task { try await receiver.nextBatch() }
      waiting.cancel()
      #expect(try await waiting.value == nil)
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      try await self.accepted(self.message("m"), by: sender)
      try await self.receive(1, from: receiver).first?.accept()
    }
  }

  @Test("requests to /management are answered: a queue's exact depth (RabbitMQ 4)")
  func management() async throws {
    let broker = RealBroker.rabbitMQ4
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      for number in 0..<3 { try await self.accepted(self.message("m-\(number)"), by: sender) }
      try await connection.withRequestReply(to: "/management") { management in
        let request = AMQPMessage(
          header: nil, properties: AMQPProperties(to: "/queues/\(queue)", subject: "GET"), body: .value(.null))
        let answer = try await management.request(request, within: .seconds(60))
        #expect(answer.properties.subject == "200")
        guard case .value(.map(let map)) = answer.body else {
          Issue.record("no map in the answer")
          return
        }
        #expect(map["message_count"]?.integer == 3)
      }
    }
  }

  @Test("settling after the connection is gone throws settlementLost; the message comes again", arguments: RealBroker.proven)
  func settlementLost(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    let first = try await AMQPConnection.open(try broker.configuration())
    let sender = try await first.openSender(to: broker.sending(to: queue))
    try await self.accepted(self.message("m"), by: sender)
    let receiver = try await first.openReceiver(from: broker.receiving(from: queue))
    let delivery = try #require(try await self.receive(1, from: receiver).first)
    await first.close()
    let error = #expect(throws: AMQPError.self) { try delivery.accept() }
    #expect(error?.code == .settlementLost)
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let again = try await connection.openReceiver(from: broker.receiving(from: queue))
      try await self.receive(1, from: again).first?.accept()
    }
  }
}
