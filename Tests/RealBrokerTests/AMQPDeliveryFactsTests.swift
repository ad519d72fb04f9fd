// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing

/// Messages really given back and dead-lettered, and what each broker tells of it.
@Suite("Redelivery and dead-lettering, by real brokers")
struct AMQPDeliveryFactsTests {
  /// What a queue's deliveries and its dead letter told.
  private struct Told {
    var first: AMQPRedelivery
    var released: AMQPRedelivery
    var failed: AMQPRedelivery?
    var deadLetter: AMQPDeadLetter?
    var deadRedelivery: AMQPRedelivery
    var queue: String
  }

  /// Sends one message; releases it, gives it back as failed where the broker knows that, rejects it, reads the dead letter.
  private func tell(_ broker: RealBroker, _ kind: String) async throws -> Told {
    let dead = try await broker.declareQueue(kind)
    let queue = try await broker.declareQueue(
      kind, arguments: ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead])
    let told = try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      let outcome = try await sender.send(AMQPMessage(properties: AMQPProperties(messageID: "m"), body: .data([1])))
      #expect(outcome == .accepted)
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue), credit: 1)
      var iterator = receiver.makeAsyncIterator()
      func next() async throws -> AMQPDelivery { try #require(try await iterator.next(isolation: #isolation)) }
      var delivery = try await next()
      let first = try delivery.redelivery()
      #expect(try delivery.deadLetter() == nil)
      try delivery.release()
      delivery = try await next()
      let released = try delivery.redelivery()
      var failed: AMQPRedelivery?
      if broker.dialect.capabilities.knowsModified {
        try delivery.modify(deliveryFailed: true, undeliverableHere: false)
        delivery = try await next()
        failed = try delivery.redelivery()
      }
      try delivery.reject()
      let deadReceiver = try await connection.openReceiver(from: broker.receiving(from: dead), credit: 1)
      var letters = deadReceiver.makeAsyncIterator()
      let letter = try #require(try await letters.next(isolation: #isolation))
      let told = Told(
        first: first, released: released, failed: failed, deadLetter: try letter.deadLetter(),
        deadRedelivery: try letter.redelivery(), queue: queue)
      #expect(try letter.message().deadLetter == told.deadLetter)
      try letter.accept()
      return told
    }
    for name in [queue, dead] { try await broker.management("DELETE", "/api/queues/%2F/\(name)") }
    return told
  }

  @Test(
    "a first delivery is one everywhere; a second is told apart by first-acquirer", arguments: RealBroker.all,
    ["classic", "quorum"])
  func acquirer(_ broker: RealBroker, _ kind: String) async throws {
    let told = try await self.tell(broker, kind)
    #expect(told.first.firstAcquirer)
    #expect(!told.first.isRedelivered)
    #expect(!told.released.firstAcquirer)
    #expect(!told.released.isNearDeliveryLimit())
    switch (broker.dialect, kind) {
    case (.rabbitMQ3, _):
      // It tells no counts, and of dead letters nothing at all: a stated lack.
      #expect(told.released.attemptsTowardsLimit == 0)
      #expect(told.deadLetter == nil)
    case (_, "quorum"):
      #expect(told.released.isRedelivered)
      #expect(told.failed?.deliveryCount == 1)
    default:
      #expect(told.failed != nil)
    }
  }

  @Test("quorum queues of RabbitMQ 4.0 count a release towards the limit, those of 4.3 do not", arguments: RealBroker.fours)
  func limit(_ broker: RealBroker) async throws {
    let told = try await self.tell(broker, "quorum")
    if broker.name.contains("4.3") {
      #expect(told.released.attemptsTowardsLimit == 0)
      #expect(told.released.acquiredCount == 1)
      #expect(told.failed?.attemptsTowardsLimit == 1)
      #expect(told.failed?.acquiredCount == 2)
    } else {
      #expect(told.released.attemptsTowardsLimit == 1)
      #expect(told.failed?.attemptsTowardsLimit == 2)
      #expect(told.failed?.isNearDeliveryLimit(of: 4, margin: 2) == true)
    }
  }

  @Test("a rejected message: reason, queue, and the list of deaths", arguments: RealBroker.fours, ["classic", "quorum"])
  func deadLetter(_ broker: RealBroker, _ kind: String) async throws {
    let told = try await self.tell(broker, kind)
    let facts = try #require(told.deadLetter)
    #expect(facts.reason == .rejected)
    #expect(facts.queue == told.queue)
    #expect(facts.exchange == "")
    #expect(facts.lastReason == .rejected)
    #expect(facts.lastQueue == told.queue)
    let death = try #require(facts.deaths.first)
    #expect(facts.deaths.count == 1)
    #expect(death.queue == told.queue)
    #expect(death.reason == .rejected)
    #expect(death.count == 1)
    #expect(death.routingKeys == [told.queue])
    #expect(death.exchange == "")
    #expect(death.firstTime.map { $0 > 1_600_000_000_000 } == true)
    #expect(death.lastTime == death.firstTime)
  }

  @Test("a message whose time ran out says so", arguments: RealBroker.fours)
  func expired(_ broker: RealBroker) async throws {
    let dead = try await broker.declareQueue()
    let queue = try await broker.declareQueue(
      arguments: ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead, "x-message-ttl": 1])
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      let outcome = try await sender.send(AMQPMessage(body: .data([1])))
      #expect(outcome == .accepted)
      try await connection.withReceiver(from: broker.receiving(from: dead)) { receiver in
        var iterator = receiver.makeAsyncIterator()
        let letter = try #require(try await iterator.next(isolation: #isolation))
        #expect(try letter.deadLetter()?.reason == .expired)
        try letter.accept()
      }
    }
    for name in [queue, dead] { try await broker.management("DELETE", "/api/queues/%2F/\(name)") }
  }
}
