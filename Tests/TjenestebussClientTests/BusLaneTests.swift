// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Logging
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

@Suite("One connection to send and one to receive for each bus", .timeLimit(.minutes(5)))
struct BusLaneTests {
  @Test("Whatever is received from, a bus sees two connections of ours; none is left after it")
  func connections() async throws {
    let brokers = Shared<[InMemoryBroker]>([])
    try await TwoBuses.withClient {
      $0.serve.replyQueue = "200_syncreply"
      $0.serve.registryEvents = RegistryEventQueue(bus: "tjenestebuss", queue: "events")
    } _: { client, buses in
      brokers.withLock { $0 = [buses.source, buses.target] }
      try await client.whileServing(MessageHandlers(messages: { _ in }, errorReports: { _ in })) {
        #expect(await client.send(try Fixture.answer(id: "m")).outcome == .accepted)
        await client.wait { $0.receivers.count { $0.state == .receiving } == 9 }
        for broker in [buses.source, buses.target] {
          let connections = try await broker.snapshot().connections
          #expect(connections.count == 2)
          #expect(Set(connections.map(\.containerID)).count == 2)
        }
      }
      try await buses.source.waitUntil("no receiver") { $0.connections.reduce(0) { $0 + $1.links } <= 2 }
    }
  }

  @Test("Beyond forty queues there is a further connection; places that were given back are taken again")
  func places() throws {
    let endpoint = Fixture.endpoint("a", host: "h")
    let lane = BusLane(
      endpoint, configuration: TjenestebussConfiguration(buses: [endpoint]), on: nil,
      logger: .init(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    let places = (0..<81).map { _ in lane.takePlace() }
    #expect(lane.clients.count == 3)
    #expect(places.prefix(40).allSatisfy { $0.client === lane.client && $0.use == .receiving })
    #expect(places[40].client !== lane.client && places[40].client === places[79].client)
    #expect(places[40].use == .sending, "it is for receiving only: one connection")
    #expect(places[80].client !== places[79].client)
    lane.giveBack(places[3])
    #expect(lane.takePlace().client === lane.client)
    #expect(lane.clients.count == 3)
  }

  private func link(_ phase: AMQPClientState.Phase, _ cause: AMQPError? = nil, _ wait: Duration? = nil) -> AMQPClientState {
    AMQPClientState(subject: .receiver("q", number: 1), phase: phase, tier: .link, cause: cause, nextAttemptIn: wait)
  }

  private func connection(_ phase: AMQPClientState.Phase, _ cause: AMQPError? = nil, _ wait: Duration? = nil) -> AMQPClientState {
    AMQPClientState(subject: .connection(.receiving), phase: phase, tier: .connection, cause: cause, nextAttemptIn: wait)
  }

  @Test("A queue's trouble stays on show while it is tried again; without a connection the connection's is shown")
  func states() {
    let refused = AMQPError(.loginRefused, .connection, .remote, tried: "log in", seen: "refused")
    let missing = AMQPError(.notFound, .link, .remote, tried: "attach", seen: "")
    let lost = AMQPError(.linkDetached, .link, .remote, tried: "receive", seen: "")
    var states = ReceptionStates()
    #expect(states.state == .connecting)
    states.note(self.connection(.waiting, refused, .seconds(60)))
    #expect(states.state == .waiting(.seconds(60), because: refused))
    states.note(self.connection(.connecting, refused))
    states.note(self.link(.connecting))
    #expect(states.state == .waiting(.zero, because: refused))
    states.note(self.connection(.open))
    #expect(states.state == .connecting)
    states.note(self.link(.waiting, missing, .seconds(30)))
    #expect(states.state == .queueMissing(retryIn: .seconds(30)))
    states.note(self.link(.connecting, missing))
    #expect(states.state == .queueMissing(retryIn: .zero))
    states.note(self.link(.open))
    #expect(states.state == .receiving)
    states.note(self.link(.waiting, lost, .seconds(1)))
    #expect(states.state == .waiting(.seconds(1), because: lost))
    states.note(self.link(.ended, lost))
    #expect(states.state == nil)
  }

  @Test("A ping is answered while every handler of the queue is stuck, and messages wait behind them")
  func pingsPassBy() async throws {
    try await TwoBuses.withClient {
      $0.serve.concurrency = [.asynchronous: 1]
    } _: { client, buses in
      let stuck = OneShot<Bool>()
      let handlers = MessageHandlers(messages: { _ in _ = try await stuck.wait() }, errorReports: { _ in })
      try await client.whileServing(handlers) {
        for broker in [buses.source, buses.target] {
          // One for each bus: a copy would not reach a handler.
          let id = broker === buses.source ? "stuck-1" : "stuck-2"
          try await TwoBuses.put(
            try Fixture.incoming(id: id).amqpMessage(toQueue: "200_async", enqueued: .now), into: "200_async", of: broker)
          try await broker.waitUntil("with us") { $0.queues["200_async"]?.locked == 1 }
        }
        let results = try await client.pingSelf(try Fixture.herID(200), timeout: .seconds(60))
        #expect(results.map(\.cameBack) == [true, true])
        stuck.fulfil(true)
        await client.wait { $0.counters.handled == 2 }
      }
    }
  }

  @Test("A bus that is reached at several places: where the first does not answer the next does, for sending and receiving")
  func severalPlaces() async throws {
    try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, path: "NHN", queues: ["200_async"])) { broker in
      var endpoint = try TwoBuses.endpoint("bus", broker, host: "b")
      endpoint.alternatives = [endpoint.connection]
      endpoint.connection.port = 1
      let routes = LaidDownRoutes()
      try routes.lay(try Fixture.herID(200), cached: "b/NHN/200_async")
      let client = try TjenestebussClient(TjenestebussConfiguration(buses: [endpoint]), routes: routes)
      try await client.withClient { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await client.receive(from: [OwnQueue(name: "200_async", kind: .asynchronous)]) { _ in } }
          #expect(await client.send(try Fixture.message(id: "m")).outcome == .accepted)
          await client.wait { $0.counters.handled == 1 }
          group.cancelAll()
          try await group.waitForAll()
        }
      }
    }
  }
}
