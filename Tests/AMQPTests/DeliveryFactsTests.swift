// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

@Suite("Redelivery and dead-lettering as typed facts")
struct DeliveryFactsTests {
  private func annotations(_ pairs: KeyValuePairs<String, AMQPValue>) -> AMQPMap {
    AMQPMap(pairs.map { AMQPMap.Entry(key: .symbol($0.key), value: $0.value) })
  }

  @Test("a first delivery tells nothing")
  func nothing() {
    let message = AMQPMessage(body: .data([]))
    #expect(message.redelivery.attemptsTowardsLimit == 0)
    #expect(!message.redelivery.isRedelivered)
    #expect(!message.redelivery.isNearDeliveryLimit())
    #expect(message.deadLetter == nil)
    #expect(message.deaths.isEmpty)
  }

  @Test("the larger of the two counts is what counts towards the limit")
  func limit() {
    func facts(deliveries: UInt32, counted: UInt32?) -> AMQPRedelivery {
      AMQPMessage(
        header: AMQPHeader(durable: true, deliveryCount: deliveries),
        messageAnnotations: counted.map {
          self.annotations(["x-delivery-count": .long(Int64($0)), "x-acquired-count": .ulong(99)])
        } ?? [:], body: .data([])
      ).redelivery
    }
    #expect(facts(deliveries: 16, counted: nil).isNearDeliveryLimit() == false)
    #expect(facts(deliveries: 17, counted: nil).isNearDeliveryLimit())
    #expect(facts(deliveries: 0, counted: 17).isNearDeliveryLimit())
    #expect(facts(deliveries: 7, counted: 2).isNearDeliveryLimit(of: 10))
    #expect(facts(deliveries: 6, counted: 2).isNearDeliveryLimit(of: 10) == false)
    #expect(facts(deliveries: 9, counted: 2).isNearDeliveryLimit(of: 10, margin: 1))
    #expect(facts(deliveries: .max, counted: .max).isNearDeliveryLimit())
  }

  @Test("Service Bus: lock, number, time; reason, description and source of a dead letter")
  func serviceBus() throws {
    let message = AMQPMessage(
      header: AMQPHeader(durable: true, deliveryCount: 9),
      messageAnnotations: self.annotations([
        "x-opt-locked-until": .timestamp(1_800_000_000_000), "x-opt-enqueued-time": .timestamp(1_700_000_000_000),
        "x-opt-sequence-number": .long(42), "x-opt-deadletter-source": "93238_async",
      ]),
      applicationProperties: ["DeadLetterReason": "MaxDeliveryCountExceeded", "DeadLetterErrorDescription": "ten times"],
      body: .data([]))
    #expect(message.redelivery.lockedUntil == 1_800_000_000_000)
    #expect(message.redelivery.enqueuedTime == 1_700_000_000_000)
    #expect(message.redelivery.sequenceNumber == 42)
    let facts = try #require(message.deadLetter)
    #expect(facts.reason == .maxDeliveryCountExceeded)
    #expect(facts.queue == "93238_async")
    #expect(facts.errorDescription == "ten times")
    #expect(facts.deaths.isEmpty)
  }

  @Test("RabbitMQ 4: the list of deaths, the first and the last")
  func rabbitMQ() throws {
    let death = AMQPValue.map(
      self.annotations([
        "queue": .string("1_async"), "reason": .symbol("delivery_limit"), "count": .ulong(2), "first-time": .timestamp(5),
        "last-time": .timestamp(6), "exchange": .string(""), "routing-keys": .array([.string("1_async")]),
      ]))
    let message = AMQPMessage(
      messageAnnotations: self.annotations([
        "x-opt-deaths": .array([death, death]), "x-first-death-queue": "1_async", "x-first-death-reason": "delivery_limit",
        "x-first-death-exchange": "",
      ]), body: .data([]))
    let facts = try #require(message.deadLetter)
    #expect(facts.reason == .deliveryLimit)
    #expect(facts.queue == "1_async")
    #expect(facts.lastReason == .deliveryLimit)
    #expect(
      message.deaths.first
        == AMQPDeath(
          queue: "1_async", reason: .deliveryLimit, count: 2, firstTime: 5, lastTime: 6, exchange: "", routingKeys: ["1_async"]))
  }

  @Test("annotations of any shape never trip it", arguments: 0..<20)
  func anyShape(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    let keys = [
      "x-opt-deaths", "x-first-death-queue", "x-delivery-count", "x-acquired-count", "x-opt-locked-until",
      "x-opt-deadletter-source",
    ]
    for _ in 0..<300 {
      var message = AMQPMessage(body: .data([]))
      for key in keys { message.messageAnnotations[key] = generator.flag() ? .array([.map(generator.map())]) : generator.value() }
      message.applicationProperties["DeadLetterReason"] = generator.value()
      _ = (message.deadLetter, message.redelivery.isNearDeliveryLimit(), message.deaths)
    }
  }

  @Test("the sections before the body are read without it, whatever the body is", arguments: 0..<20)
  func beforeBody(_ seed: UInt64) throws {
    var generator = SplitMix(seed: seed)
    for _ in 0..<100 {
      var whole = generator.message()
      let read = try AMQPMessage(decodingBeforeBody: whole.encoded())
      whole.body = .absent
      whole.footer = [:]
      #expect(read == whole)
    }
  }
}
