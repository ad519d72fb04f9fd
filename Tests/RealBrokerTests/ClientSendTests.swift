// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Foundation
import Testing
import TjenestebussClient

@Suite("TjenestebussClient against real brokers: sending", .serialized, .timeLimit(.minutes(10)))
struct ClientSendTests {
  @Test("A message goes to the bus that the address's host names, and arrives as it was sent", arguments: RealBroker.all)
  func byHost(_ broker: RealBroker) async throws {
    let buses = try ClientBuses()
    let bus = broker.dialect == .rabbitMQ3 ? ClientBuses.source : ClientBuses.target
    try await buses.declare(on: broker)
    buses.lay(buses.peer, cached: bus)
    let client = try TjenestebussClient(ClientBuses.configuration(target: broker.asTarget), routes: buses.routes)
    let inbox = Inbox()
    let sent = buses.message("m-1")
    try await client.withClient { client in
      let result = await client.send(sent)
      #expect(result.outcome == .accepted)
      #expect(result.route?.bus == bus)
      #expect(result.attempts.count == 1)
      #expect(result.acceptance == (broker.dialect == .rabbitMQ3 ? .provesNothingOfTheQueue : .queueHasIt))
      try await client.whileReceiving(for: buses.peer, handler: { inbox.put($0) }) { await inbox.wait(for: 1) }
    }
    let received = try #require(inbox.messages.first)
    #expect(received.bus == bus)
    #expect(received.queue == buses.queue)
    #expect(received.replyTo == buses.queue)
    #expect(received.enqueued != nil)
    var expected = sent
    expected.correlationID = sent.messageID
    expected.properties["tjenestebussVersion"] = TjenestebussVersion.current
    expected.properties["tjenestebussProduct"] = "real-broker-tests"
    #expect(received.message == expected)
  }

  @Test("The queue is gone from the bus that the cache names: the register is asked, and the message goes to the other bus")
  func moved() async throws {
    let buses = try ClientBuses()
    try await buses.declare(on: .rabbitMQ3)
    buses.lay(buses.peer, cached: ClientBuses.target, register: ClientBuses.source)
    let client = try TjenestebussClient(ClientBuses.configuration(), routes: buses.routes)
    try await client.withClient { client in
      let result = await client.send(buses.message("m-1"))
      #expect(result.outcome == .accepted)
      #expect(result.attempts.map(\.route.bus) == [ClientBuses.target, ClientBuses.source])
      guard case .notSent(.notSent(_, let cause)) = result.attempts.first?.outcome else {
        Issue.record("\(result.attempts)")
        return
      }
      #expect(cause.code == "AMQP-301")
      // The cache has learnt: the next goes straight there.
      #expect(await client.send(buses.message("m-2")).attempts.map(\.route.bus) == [ClientBuses.source])
    }
  }

  @Test("Released by an exchange that routes nowhere: the same, with the same message id")
  func released() async throws {
    let buses = try ClientBuses()
    try await buses.declare(on: .rabbitMQ3)
    buses.lay(buses.peer, cached: ClientBuses.target, register: ClientBuses.source)
    let endpoints = [try ClientBuses.endpoint(.rabbitMQ3), try ClientBuses.endpoint(.rabbitMQ4, path: "amq.direct")]
    let client = try TjenestebussClient(ClientBuses.configuration(endpoints), routes: buses.routes)
    let inbox = Inbox()
    try await client.withClient { client in
      let result = await client.send(buses.message("m-1"))
      #expect(result.attempts.map(\.outcome) == [.released, .accepted])
      #expect(result.outcome == .accepted)
      try await client.whileReceiving(for: buses.peer, handler: { inbox.put($0) }) { await inbox.wait(for: 1) }
    }
    #expect(inbox.ids == ["m-1"])
  }

  @Test("Not moved: what came back stays as it was told, and is not tried again")
  func notMoved() async throws {
    let buses = try ClientBuses()
    buses.lay(buses.peer, cached: ClientBuses.target)
    let client = try TjenestebussClient(ClientBuses.configuration(), routes: buses.routes)
    try await client.withClient { client in
      let result = await client.send(buses.message("m-1"))
      #expect(result.attempts.count == 1)
      let error = #expect(throws: TjenestebussError.self) { try result.requireAccepted() }
      #expect(error?.stableCode == "TB-402")
      #expect("\(error as Any)".contains("AMQP-301"))
    }
  }

  @Test("RabbitMQ 3 says accepted for a queue that is not there; the result says what that is worth")
  func acceptsAndLoses() async throws {
    let buses = try ClientBuses()
    buses.lay(buses.peer, cached: ClientBuses.source)
    let client = try TjenestebussClient(ClientBuses.configuration(), routes: buses.routes)
    try await client.withClient { client in
      let result = await client.send(buses.message("m-1"))
      #expect(result.outcome == .accepted)
      #expect(result.acceptance == .provesNothingOfTheQueue)
    }
  }

  @Test("A wrong password on one bus is told by its code, and does not stop the other")
  func wrongPassword() async throws {
    let buses = try ClientBuses()
    try await buses.declare(on: .rabbitMQ3)
    let other = try HerID(text: "300")
    buses.lay(buses.peer, cached: ClientBuses.target)
    buses.lay(other, cached: ClientBuses.source)
    let endpoints = [try ClientBuses.endpoint(.rabbitMQ3), try ClientBuses.endpoint(.rabbitMQ4, password: "Sup3rS3cret")]
    let client = try TjenestebussClient(ClientBuses.configuration(endpoints), routes: buses.routes)
    try await client.withClient { client in
      let refused = await client.send(buses.message("m-1"))
      guard case .notSent(let error) = refused.outcome else {
        Issue.record("\(refused.outcome)")
        return
      }
      #expect("\(error)".contains("AMQP-105"))
      #expect(!"\(error)\(refused)".contains("Sup3rS3cret"))
      #expect(await client.send(buses.message("m-2", to: other)).outcome == .accepted)
    }
  }

  @Test("A thousand messages to both buses at once, each accepted, each received once")
  func many() async throws {
    let buses = try ClientBuses()
    let other = try HerID(text: "300")
    for broker in RealBroker.all { try await buses.declare(on: broker) }
    buses.lay(buses.peer, cached: ClientBuses.target)
    buses.lay(other, cached: ClientBuses.source)
    let client = try TjenestebussClient(ClientBuses.configuration(concurrency: 50), routes: buses.routes)
    let inbox = Inbox()
    let ids = (0..<1_000).map { "m-\($0)" }
    try await client.withClient { client in
      await withDiscardingTaskGroup { group in
        for (index, id) in ids.enumerated() {
          group.addTask {
            let result = await client.send(buses.message(id, to: index % 2 == 0 ? buses.peer : other))
            #expect(result.outcome == .accepted)
          }
        }
      }
      try await client.whileReceiving(for: buses.peer, handler: { inbox.put($0) }) { await inbox.wait(for: 1_000) }
    }
    #expect(inbox.ids.sorted() == ids.sorted())
    #expect(Set(inbox.messages.map(\.bus)) == [ClientBuses.source, ClientBuses.target])
  }
}
