// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Foundation
import Synchronization
import Testing
import TjenestebussClient

@Suite("TjenestebussClient against real brokers: receiving", .serialized, .timeLimit(.minutes(10)))
struct ClientReceiveTests {
  @Test("A queue that is missing on one bus is shown, not fatal; once it is there, its messages come")
  func missingQueue() async throws {
    let buses = try ClientBuses()
    try await buses.declare(on: .rabbitMQ3)
    buses.lay(buses.peer, cached: ClientBuses.source)
    let client = try TjenestebussClient(ClientBuses.configuration(), routes: buses.routes)
    let inbox = Inbox()
    try await client.withClient { client in
      try await client.whileReceiving(for: buses.peer, handler: { inbox.put($0) }) {
        await client.wait { status in
          guard case .queueMissing = status[ClientBuses.target, buses.queue] else { return false }
          return status[ClientBuses.source, buses.queue] == .receiving
        }
        #expect(await client.send(buses.message("m-1")).outcome == .accepted)
        await inbox.wait(for: 1)
        try await buses.declare(on: .rabbitMQ4)
        await client.wait { $0[ClientBuses.target, buses.queue] == .receiving }
        buses.lay(buses.peer, cached: ClientBuses.target)
        #expect(await client.send(buses.message("m-2")).outcome == .accepted)
        await inbox.wait(for: 2)
      }
      #expect(client.status.receivers.isEmpty, "leaving takes the receivers off the board")
    }
    #expect(inbox.ids == ["m-1", "m-2"])
    #expect(inbox.messages.map(\.bus) == [ClientBuses.source, ClientBuses.target])
  }

  @Test(
    "A handler that throws gets the message again; one that refuses does not, and it is dead-lettered", arguments: RealBroker.all)
  func throwing(_ broker: RealBroker) async throws {
    let buses = try ClientBuses()
    let deadLetters = buses.queue + "_dl"
    try await buses.declare(on: broker, deadLetters)
    try await buses.declare(
      on: broker, arguments: ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": deadLetters])
    buses.lay(buses.peer, cached: broker.dialect == .rabbitMQ3 ? ClientBuses.source : ClientBuses.target)
    let client = try TjenestebussClient(ClientBuses.configuration([ClientBuses.endpoint(broker)]), routes: buses.routes)
    let inbox = Inbox()
    let dead = Inbox()
    struct DatabaseIsDown: Error {}
    try await client.withClient { client in
      for id in ["again", "never"] { #expect(await client.send(buses.message(id)).outcome == .accepted) }
      let handler: @Sendable (ReceivedMessage) async throws -> Void = { message in
        inbox.put(message)
        if message.message.messageID == "never" { throw Refuse(condition: "transport:unsupported-message") }
        if inbox.ids.count(where: { $0 == "again" }) < 3 { throw DatabaseIsDown() }
      }
      try await client.whileReceiving(for: buses.peer, handler: handler) { await inbox.wait(for: 4) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.receive(from: [OwnQueue(name: deadLetters, kind: .deadLetter)]) { dead.put($0) } }
        await dead.wait(for: 1)
        group.cancelAll()
        try await group.waitForAll()
      }
      let counters = client.status.counters
      #expect(counters.released == 2)
      #expect(counters.refused == 1)
      #expect(counters.handled == 2, "one of the queue, one dead letter")
    }
    #expect(inbox.ids.sorted() == ["again", "again", "again", "never"])
    #expect(dead.ids == ["never"])
  }

  @Test("A message that cannot be read is rejected and counted, and those behind it come", arguments: RealBroker.all)
  func malformed(_ broker: RealBroker) async throws {
    let buses = try ClientBuses()
    try await buses.declare(on: broker)
    buses.lay(buses.peer, cached: broker.dialect == .rabbitMQ3 ? ClientBuses.source : ClientBuses.target)
    let queue = broker.sending(to: buses.queue)
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await connection.withSender(to: queue) { sender in
        let outcome = try await sender.send(AMQPMessage(body: .data([1])))
        #expect(outcome == .accepted)
      }
    }
    let client = try TjenestebussClient(ClientBuses.configuration([ClientBuses.endpoint(broker)]), routes: buses.routes)
    let inbox = Inbox()
    try await client.withClient { client in
      #expect(await client.send(buses.message("m-1")).outcome == .accepted)
      try await client.whileReceiving(for: buses.peer, handler: { inbox.put($0) }) { await inbox.wait(for: 1) }
      #expect(client.status.counters.malformed == 1)
    }
    #expect(inbox.ids == ["m-1"])
  }

  @Test(
    "A ping is answered on the bus it came by, and the handler does not see it; the echo is swallowed too",
    arguments: RealBroker.all)
  func ping(_ broker: RealBroker) async throws {
    let buses = try ClientBuses()
    let replyQueue = buses.queue + "_pingreply"
    let bus = broker.dialect == .rabbitMQ3 ? ClientBuses.source : ClientBuses.target
    for name in [buses.queue, replyQueue] { try await buses.declare(on: broker, name) }
    buses.lay(buses.peer, cached: bus)
    let client = try TjenestebussClient(ClientBuses.configuration([ClientBuses.endpoint(broker)]), routes: buses.routes)
    let inbox = Inbox()
    let request = PingForm.request(from: buses.me, to: buses.peer, replyTo: replyQueue, timeToLive: .seconds(30))
    try await client.withClient { client in
      try await client.whileReceiving(for: buses.peer, handler: { inbox.put($0) }) {
        #expect(await client.send(request).outcome == .accepted)
        #expect(await client.send(buses.message("m-1")).outcome == .accepted)
        await inbox.wait(for: 1)
        await client.wait { $0.counters.echoes == 1 }
      }
    }
    #expect(inbox.ids == ["m-1"])

    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await connection.withReceiver(from: broker.receiving(from: replyQueue)) { receiver in
        let delivery = try #require(try await receiver.nextBatch()?.first)
        let echo = try delivery.message()
        #expect(echo.properties.correlationID?.description == request.messageID)
        #expect(echo.applicationProperties["originalMessageId"]?.text == request.messageID)
        #expect(echo.applicationProperties["tjenestebussVersion"]?.text == TjenestebussVersion.current)
        #expect(echo.applicationProperties["tjenestebussPing"]?.text == "echo")
        #expect(throws: Never.self) { try HealthMessage(reading: echo) }
        try delivery.accept()
      }
    }
  }

  @Test("Leaving gives back what no handler has finished: nothing is lost, all comes again", arguments: RealBroker.all)
  func leaving(_ broker: RealBroker) async throws {
    let buses = try ClientBuses()
    try await buses.declare(on: broker)
    buses.lay(buses.peer, cached: broker.dialect == .rabbitMQ3 ? ClientBuses.source : ClientBuses.target)
    let client = try TjenestebussClient(
      ClientBuses.configuration([ClientBuses.endpoint(broker)], concurrency: 3), routes: buses.routes)
    let ids = (0..<20).map { "m-\($0)" }
    let begun = Inbox()
    let again = Inbox()
    try await client.withClient { client in
      for id in ids { #expect(await client.send(buses.message(id)).outcome == .accepted) }
      let stuck: @Sendable (ReceivedMessage) async throws -> Void = { message in
        begun.put(message)
        try await Task.sleep(for: .seconds(3_600))
      }
      try await client.whileReceiving(for: buses.peer, handler: stuck) { await begun.wait(for: 3) }
      #expect(begun.ids.count == 3, "no more than the concurrency")
      #expect(client.status.counters.handled == 0)
      try await client.whileReceiving(for: buses.peer, handler: { again.put($0) }) { await again.wait(for: 20) }
      #expect(client.status.counters.handled == 20)
    }
    #expect(again.ids.sorted() == ids.sorted())
  }

  @Test("The connection is cut by the broker: receiving goes on by itself, each message comes at least once")
  func reconnects() async throws {
    try await RealBroker.rabbitMQ4.withVirtualHost { try await self.reconnects(in: $0) }
  }

  private func reconnects(in virtualHost: String) async throws {
    let buses = try ClientBuses()
    try await buses.declare(on: .rabbitMQ4, virtualHost: virtualHost)
    buses.lay(buses.peer, cached: ClientBuses.target)
    let client = try TjenestebussClient(
      ClientBuses.configuration([ClientBuses.endpoint(.rabbitMQ4, virtualHost: virtualHost)]), routes: buses.routes)
    let inbox = Inbox()
    try await client.withClient { client in
      try await client.whileReceiving(for: buses.peer, handler: { inbox.put($0) }) {
        #expect(await client.send(buses.message("m-1")).outcome == .accepted)
        await inbox.wait(for: 1)
        try await RealBroker.rabbitMQ4.control("close_all_connections", "--vhost", virtualHost, "a test")
        // A send that meets the end of the old connection is unknown, and ours to repeat.
        while await client.send(buses.message("m-2")).outcome != .accepted {}
        await inbox.wait(forAll: ["m-1", "m-2"])
      }
    }
    #expect(Set(inbox.ids) == ["m-1", "m-2"])
  }
}
