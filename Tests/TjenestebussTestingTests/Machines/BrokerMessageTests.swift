// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing

@testable import TjenestebussTesting

@Suite("A message as a broker keeps it")
struct BrokerMessageTests {
  private let original = AMQPMessage(
    header: AMQPHeader(durable: true, priority: 7, timeToLive: 1_000), deliveryAnnotations: ["x-hop": .int(1)],
    messageAnnotations: AMQPMap([.init(key: .symbol("x-a"), value: .int(2))]),
    properties: AMQPProperties(messageID: "m", subject: "S"), applicationProperties: ["k": "v"], body: .data([1, 2, 3]),
    footer: ["f": "g"])

  @Test("the bare message passes byte for byte; header counts, annotations for the hop are gone")
  func passes() throws {
    let payload = original.encoded()
    let kept = try BrokerMessage(payload)
    let out = kept.encoded(deliveryCount: 2, isFirst: false, expiresAt: 5_000, now: 4_400, durableByDefault: false)
    #expect(out.suffix(kept.bare.count) == kept.bare[...])
    #expect(payload.suffix(kept.bare.count) == kept.bare[...])
    let message = try AMQPMessage(decoding: out)
    #expect(message.header == AMQPHeader(durable: true, priority: 7, timeToLive: 600, firstAcquirer: false, deliveryCount: 2))
    #expect(message.deliveryAnnotations.isEmpty)
    #expect(message.messageAnnotations == original.messageAnnotations)
    #expect(message.footer == original.footer)
  }

  @Test("without a header the dialect says whether it is durable", arguments: [true, false])
  func withoutHeader(_ durable: Bool) throws {
    let kept = try BrokerMessage(AMQPMessage(header: nil, body: .data([])).encoded())
    let out = kept.encoded(deliveryCount: 0, isFirst: true, expiresAt: nil, now: 0, durableByDefault: durable)
    #expect(try AMQPMessage(decoding: out).header == AMQPHeader(durable: durable, firstAcquirer: true))
  }

  @Test("a death is written in annotations, the first one kept, and the time to live is over")
  func annotatedDeath() throws {
    var kept = try BrokerMessage(original.encoded())
    kept.die(.rejected, in: "1_async", exchange: "bus", dialect: .rabbitMQ4AddressV2)
    kept.die(.expired, in: "1_dl", exchange: "bus", dialect: .rabbitMQ4AddressV2)
    #expect(kept.header?.timeToLive == nil)
    #expect(kept.messageAnnotations["x-first-death-queue"] == "1_async")
    #expect(kept.messageAnnotations["x-first-death-reason"] == "rejected")
    #expect(kept.messageAnnotations["x-first-death-exchange"] == "bus")
    #expect(kept.messageAnnotations["x-last-death-queue"] == "1_dl")
    #expect(kept.messageAnnotations["x-last-death-reason"] == "expired")
  }

  @Test("Service Bus writes the reason into the application properties")
  func serviceBusDeath() throws {
    var kept = try BrokerMessage(original.encoded())
    kept.die(.deliveryLimit, in: "1_async", exchange: "ns", dialect: .serviceBusWindowsServer)
    let out = kept.encoded(deliveryCount: 0, isFirst: true, expiresAt: nil, now: 0, durableByDefault: true)
    let message = try AMQPMessage(decoding: out)
    #expect(message.applicationProperties["DeadLetterReason"] == "MaxDeliveryCountExceeded")
    #expect(message.applicationProperties["k"] == "v")
    #expect(message.body == original.body)
    #expect(message.footer == original.footer)
    #expect(message.messageAnnotations["x-opt-deadletter-source"] == "1_async")
  }

  @Test("its description has the id and nothing of the content")
  func description() throws {
    let kept = try BrokerMessage(
      AMQPMessage(properties: AMQPProperties(messageID: "m"), body: .data(Array("secret".utf8))).encoded())
    #expect(kept.description == "message m")
  }

  @Test("what is no message is refused")
  func malformed() {
    #expect(throws: AMQPDecodingError.self) { try BrokerMessage([1, 2, 3]) }
    #expect(throws: AMQPDecodingError.self) { try BrokerMessage(Array(original.encoded().dropLast())) }
  }
}
