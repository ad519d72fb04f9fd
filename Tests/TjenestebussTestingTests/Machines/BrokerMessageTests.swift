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

  private func handout(
    _ message: BrokerMessage, deliveryCount: UInt32 = 0, isFirst: Bool = true, expiresAt: Int64? = nil
  ) -> QueueMachine<BrokerMessage>.Handout {
    .init(
      consumer: .init(1), lock: nil, content: message, deliveryCount: deliveryCount, returns: 0, acquiredCount: 0,
      lockedUntil: nil,
      isFirst: isFirst, expiresAt: expiresAt)
  }

  private func out(
    _ message: BrokerMessage, _ product: BrokerProduct = .rabbitMQ43, deliveryCount: UInt32 = 0, isFirst: Bool = true,
    expiresAt: Int64? = nil, now: Int64 = 0
  ) -> [UInt8] {
    message.encoded(
      for: self.handout(message, deliveryCount: deliveryCount, isFirst: isFirst, expiresAt: expiresAt), now: now,
      rules: QueueRules(),
      manners: BrokerManners(product))
  }

  @Test("the bare message passes byte for byte; header counts, annotations for the hop are gone")
  func passes() throws {
    let payload = original.encoded()
    let kept = BrokerMessage(payload)
    let out = self.out(kept, deliveryCount: 2, isFirst: false, expiresAt: 5_000, now: 4_400)
    #expect(out.suffix(kept.bare.count) == kept.bare[...])
    #expect(payload.suffix(kept.bare.count) == kept.bare[...])
    let message = try AMQPMessage(decoding: out)
    #expect(message.header == AMQPHeader(durable: true, priority: 7, timeToLive: 600, firstAcquirer: false, deliveryCount: 2))
    #expect(message.deliveryAnnotations.isEmpty)
    #expect(message.messageAnnotations == original.messageAnnotations)
    #expect(message.footer == original.footer)
  }

  @Test(
    "without a header the broker says whether it is durable", arguments: [(BrokerProduct.rabbitMQ40, true), (.rabbitMQ43, false)])
  func withoutHeader(_ product: BrokerProduct, _ durable: Bool) throws {
    let kept = BrokerMessage(AMQPMessage(header: nil, body: .data([])).encoded())
    let out = self.out(kept, product)
    #expect(try AMQPMessage(decoding: out).header == AMQPHeader(durable: durable, firstAcquirer: true))
  }

  @Test("a death is written in annotations, the first one kept, and the time to live is over")
  func annotatedDeath() throws {
    var kept = BrokerMessage(original.encoded())
    kept.arrive(at: "1_async", exchange: "bus", key: "1_async", sequence: 1, now: 5, at: .rabbitMQ43)
    kept.die(.rejected, in: "1_async", now: 7, at: .rabbitMQ43)
    kept.die(.expired, in: "1_dl", now: 9, at: .rabbitMQ43)
    kept.die(.rejected, in: "1_async", now: 11, at: .rabbitMQ43)
    #expect(kept.header?.timeToLive == nil)
    #expect(kept.messageAnnotations["x-first-death-queue"] == "1_async")
    #expect(kept.messageAnnotations["x-first-death-reason"] == "rejected")
    #expect(kept.messageAnnotations["x-first-death-exchange"] == "bus")
    #expect(kept.messageAnnotations["x-last-death-queue"] == "1_async")
    #expect(kept.messageAnnotations["x-last-death-reason"] == "rejected")
    guard case .array(let deaths)? = kept.messageAnnotations["x-opt-deaths"], deaths.count == 2, case .map(let latest) = deaths[0]
    else {
      Issue.record("no deaths")
      return
    }
    #expect(latest["count"] == .ulong(2) && latest["first-time"] == .timestamp(7) && latest["last-time"] == .timestamp(11))
  }

  @Test("Service Bus writes the reason into the application properties")
  func serviceBusDeath() throws {
    var kept = BrokerMessage(original.encoded())
    kept.die(.deliveryLimit, in: "1_async", now: 0, at: .serviceBusWindowsServer)
    let out = self.out(kept, .serviceBusWindowsServer)
    let message = try AMQPMessage(decoding: out)
    #expect(message.applicationProperties["DeadLetterReason"] == "MaxDeliveryCountExceeded")
    #expect(message.applicationProperties["k"] == "v")
    #expect(message.body == original.body)
    #expect(message.footer == original.footer)
    #expect(message.messageAnnotations["x-opt-deadletter-source"] == "1_async")
  }

  @Test("its description has the id and nothing of the content")
  func description() throws {
    let kept = BrokerMessage(
      AMQPMessage(properties: AMQPProperties(messageID: "m"), body: .data(Array("secret".utf8))).encoded())
    #expect(kept.description == "message m")
  }

  @Test("what cannot be read is kept as it came, and judged by the product")
  func malformed() {
    for payload in [[1, 2, 3], Array(original.encoded().dropLast())] as [[UInt8]] {
      #expect(BrokerMessage(payload).original == payload)
      #expect(MessageForm.judge(payload, MessageSkim(payload), for: .rabbitMQ310) == .cuts)
      #expect(MessageForm.judge(payload, MessageSkim(payload), for: .activeMQ) == .taken)
      guard case .detachesLink = MessageForm.judge(payload, MessageSkim(payload), for: .rabbitMQ43) else {
        Issue.record("taken")
        continue
      }
    }
  }

  @Test("the skim never reads beyond the bytes, and covers them without a gap")
  func skim() {
    var random = SystemRandomNumberGenerator()
    let whole = original.encoded()
    for _ in 0..<2_000 {
      var payload = whole
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        payload[Int.random(in: 0..<payload.count, using: &random)] = .random(in: 0 ... .max, using: &random)
      }
      payload = Array(payload.prefix(Int.random(in: 0...payload.count, using: &random)))
      let skim = MessageSkim(payload)
      var end = 0
      for section in skim.sections {
        #expect(section.range.lowerBound == end)
        end = section.range.upperBound
      }
      #expect(end <= payload.count && skim.isWhole == (end == payload.count))
      for product in BrokerProduct.allCases { _ = MessageForm.judge(payload, skim, for: product) }
    }
  }
}
