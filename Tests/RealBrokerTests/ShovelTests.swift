// SPDX-License-Identifier: Apache-2.0

import AMQP
import AsyncHTTPClient
import BusModel
import Disclosure
import Forwarding
import Foundation
import Testing
import TjenestebussClient

@Suite("Shovels from RabbitMQ 3 to RabbitMQ 4", .serialized, .timeLimit(.minutes(10)))
struct ShovelTests {
  private func management(_ broker: RealBroker, _ http: HTTPClient) throws -> ShovelManagement {
    try ShovelManagement(
      http: http, url: try broker.variable("MANAGEMENT_URL"), user: "guest", password: Secret("guest"), timeout: .seconds(60))
  }

  private func address(_ broker: RealBroker) throws -> Secret {
    let url = try #require(URL(string: try broker.variable("URL")))
    return Secret("amqp://migrator:migrator@\(url.host ?? ""):\(url.port ?? 0)/%2F")
  }

  private func carrier(_ target: RealBroker, _ http: HTTPClient, owner: String) throws -> ShovelCarrier {
    ShovelCarrier(
      target: try self.management(target, http), source: try self.management(.rabbitMQ3, http), owner: owner)
  }

  private func shovel(
    from queue: String, to target: RealBroker, _ targetQueue: String, owner: String, mode: ForwardingRules.Mode = .fast
  ) throws -> ShovelDefinition {
    var rules = ForwardingRules()
    rules.mode = mode
    return ShovelDefinition(
      name: ShovelDefinition.name(owner: owner, source: "a", queue: queue, target: "b"), sourceQueue: queue,
      targetQueue: targetQueue, source: try self.address(.rabbitMQ3), target: try self.address(target), rules: rules)
  }

  private var owner: String { "t" + UUID().uuidString.prefix(8).lowercased() }

  @Test(
    "messages arrive in order, each field and the body as sent; what it leaves behind is found and removed",
    arguments: RealBroker.fours)
  func carries(_ target: RealBroker) async throws {
    let (from, to) = (try await RealBroker.rabbitMQ3.declareQueue(), try await target.declareQueue("quorum"))
    let sent = (0..<50).map { number in
      AMQPMessage(
        properties: AMQPProperties(
          messageID: .string("m-\(number)"), subject: "APPREC", replyTo: "host/NHN/7_async",
          correlationID: .uuid(AMQPUUID(high: 0x1234, low: UInt64(number))),
          contentType: "application/xml", groupID: "g"),
        applicationProperties: ["fromHerId": .int(7), "text": .string("\u{E6}\u{F8}\u{E5}"), "flag": .boolean(true)],
        body: .data([0, 1, 255, UInt8(number)]))
    }
    try await AMQPConnection.withConnection(try RealBroker.rabbitMQ3.configuration()) { connection in
      try await connection.withSender(to: RealBroker.rabbitMQ3.sending(to: from)) { sender in
        for message in sent {
          let outcome = try await sender.send(message)
          #expect(outcome == .accepted)
        }
      }
    }
    let owner = self.owner
    try await HTTPClient.withHTTPClient { http in
      let carrier = try self.carrier(target, http, owner: owner)
      let shovel = try self.shovel(from: from, to: target, to, owner: owner)
      try await carrier.begin(shovel)
      // Begun twice, as after a crash: one shovel.
      try await carrier.begin(shovel)
      #expect(try await Array(carrier.states().keys) == [shovel.name])
      let arrived = try await AMQPConnection.withConnection(try target.configuration()) { connection in
        try await connection.withReceiver(from: target.receiving(from: to)) { receiver in
          let deliveries = try await receiver.next(sent.count)
          for delivery in deliveries { try delivery.accept() }
          return try deliveries.map { try $0.message() }
        }
      }
      for (message, original) in zip(arrived, sent) {
        #expect(message.properties.messageID == original.properties.messageID)
        #expect(message.properties.correlationID == original.properties.correlationID)
        #expect(message.properties.subject == "APPREC" && message.properties.replyTo == original.properties.replyTo)
        #expect(message.properties.contentType == "application/xml" && message.properties.groupID == "g")
        #expect(message.applicationProperties["text"] == original.applicationProperties["text"])
        #expect(message.applicationProperties["flag"] == .boolean(true))
        #expect(message.applicationProperties["fromHerId"]?.integer == 7)
        #expect(message.body == original.body)
      }
      // vitess#13999: the run that declared it is dead; the next one finds it, though it was never told of it.
      let next = try self.carrier(target, http, owner: owner)
      #expect(try await self.carrier(target, http, owner: self.owner).ours() == [])
      #expect(try await next.ours() == [shovel.name])
      try await next.end(shovel.name)
      #expect(try await next.states() == [:])
      try await next.end(shovel.name)
    }
    try await RealBroker.rabbitMQ3.deleteQueue(from)
    try await target.deleteQueue(to)
  }

  @Test("no target queue: refused, and none is made; another shovel on the queue: refused; nothing shows a password")
  func refused() async throws {
    let target = RealBroker.rabbitMQ4
    let (from, to) = (try await RealBroker.rabbitMQ3.declareQueue(), try await target.declareQueue())
    let (ours, theirs) = (self.owner, self.owner)
    try await HTTPClient.withHTTPClient { http in
      let carrier = try self.carrier(target, http, owner: ours)
      await #expect(throws: ShovelError.queueMissing(queue: "no-such-queue", role: "target")) {
        try await carrier.begin(try self.shovel(from: from, to: target, "no-such-queue", owner: ours))
      }
      await #expect(throws: ShovelError.queueMissing(queue: "no-such-queue", role: "source")) {
        try await carrier.begin(try self.shovel(from: "no-such-queue", to: target, to, owner: ours))
      }
      #expect(try await !self.management(target, http).hasQueue("no-such-queue"))
      let foreign = try self.shovel(from: from, to: target, to, owner: theirs)
      try await self.carrier(target, http, owner: theirs).begin(foreign)
      // The broker names a shovel's queue once it runs.
      while try await self.carrier(target, http, owner: theirs).states()[foreign.name] != "running" {
        try await Task.sleep(for: .milliseconds(50))
      }
      await #expect(throws: ShovelError.anotherShovel(queue: from, name: foreign.name)) {
        try await carrier.begin(try self.shovel(from: from, to: target, to, owner: ours))
      }
      #expect(try await carrier.states() == [:])
      try await self.carrier(target, http, owner: theirs).end(foreign.name)
      let wrong = try ShovelManagement(
        http: http, url: try target.variable("MANAGEMENT_URL"), user: "guest", password: Secret("a-secret"), timeout: .seconds(60)
      )
      do throws(ShovelError) {
        try await wrong.declare(foreign)
        Issue.record("declared with a wrong password")
      } catch {
        #expect(error.stableCode == "SHOVEL-002" && !"\(error)".contains("a-secret") && !"\(error)".contains("migrator"))
      }
    }
    try await RealBroker.rabbitMQ3.deleteQueue(from)
    try await target.deleteQueue(to)
  }
}
