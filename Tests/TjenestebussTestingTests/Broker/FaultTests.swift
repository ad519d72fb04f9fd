// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@Suite("Faults on order")
struct FaultTests {
  @Test("cut off, a receiver's messages come again in order, counted; a send in flight is unknown")
  func cut() async throws {
    try await withTestBroker { broker, connection in
      try await connection.send(["a", "b", "c"], to: "q", of: broker)
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("q"))
      _ = try await receiver.first(3)
      try await broker.holdOutcomes()
      let sender = try await connection.openSender(to: broker.sendingAddress("q"))
      async let outcome = sender.send(.test("d"))
      try await broker.waitUntil("d came") { $0.depth(of: "q") == 4 }
      try await broker.cutAllConnections()
      guard case .unknown(.lost) = try await outcome else {
        Issue.record("an outcome came")
        return
      }
      // d may have reached the receiver before the cut.
      await #expect(throws: AMQPError.self) { while try await receiver.nextBatch() != nil {} }
      try await broker.releaseOutcomes()
      try await AMQPConnection.withConnection(broker.clientConfiguration()) { again in
        try await again.withReceiver(from: broker.receivingAddress("q")) { receiver in
          let deliveries = try await receiver.first(4)
          #expect(try deliveries.map { try $0.id() } == ["a", "b", "c", "d"])
          // d had been on its way, too.
          #expect(try deliveries.map { try $0.message().header?.deliveryCount } == [1, 1, 1, 1])
        }
      }
    }
  }

  @Test("an outcome that is held back comes when it is let go")
  func held() async throws {
    try await withTestBroker { broker, connection in
      try await broker.holdOutcomes()
      let sender = try await connection.openSender(to: broker.sendingAddress("q"))
      async let outcome = sender.send(.test("a"))
      try await broker.waitUntil("a came") { $0.depth(of: "q") == 1 }
      try await broker.releaseOutcomes()
      #expect(try await outcome == .accepted)
    }
  }

  @Test("dropped: answered accepted, and nowhere")
  func dropped() async throws {
    try await withTestBroker(queues: ["q", "other"]) { broker, connection in
      try await broker.dropNext(1, to: "q")
      try await connection.send(["x"], to: "other", of: broker)
      try await connection.send(["a", "b"], to: "q", of: broker)
      #expect(try await broker.messageIDs(in: "q") == ["b"])
      #expect(try await broker.messageIDs(in: "other") == ["x"])
      #expect(try await broker.counters().droppedOnPurpose == 1)
    }
  }

  @Test("duplicated: there twice")
  func duplicated() async throws {
    try await withTestBroker { broker, connection in
      try await broker.duplicateNext(2)
      try await connection.send(["a", "b", "c"], to: "q", of: broker)
      #expect(try await broker.messageIDs(in: "q") == ["a", "a", "b", "b", "c"])
      #expect(try await broker.counters().duplicatedOnPurpose == 2)
    }
  }

  @Test("withheld: it stays, and counts")
  func withheld() async throws {
    try await withTestBroker { broker, connection in
      try await broker.withholdNext()
      try await connection.send(["a", "b"], to: "q", of: broker)
      try await connection.withReceiver(from: broker.receivingAddress("q")) { receiver in
        let delivery = try #require(try await receiver.first())
        #expect(try delivery.id() == "b")
        try delivery.accept()
        try await broker.waitUntil("one left") { $0.depth(of: "q") == 1 }
        try await broker.releaseWithheld()
        #expect(try #require(try await receiver.first()).id() == "a")
      }
    }
  }

  @Test("without credit a send waits, and goes when credit comes")
  func noCredit() async throws {
    try await withTestBroker(change: { $0.creditWindow = 2 }) { broker, connection in
      let sender = try await connection.openSender(to: broker.sendingAddress("q"))
      try await broker.stopGrantingCredit()
      for id in ["a", "b"] { _ = try await sender.send(.test(id)) }
      let error = await #expect(throws: AMQPError.self) {
        _ = try await sender.send(.test("late"), within: .milliseconds(50))
      }
      #expect(error?.code == .noCredit)
      async let outcome = sender.send(.test("c"))
      try await broker.grantCredit()
      #expect(try await outcome == .accepted)
      #expect(try await broker.messageIDs(in: "q") == ["a", "b", "c"])
    }
  }

  @Test("a paused queue takes messages and hands out none")
  func paused() async throws {
    try await withTestBroker { broker, connection in
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("q"))
      try await broker.pauseDeliveries(of: "q")
      try await connection.send(["a"], to: "q", of: broker)
      #expect(try await broker.queue("q").locked == 0)
      #expect(try await broker.queue("q").isPaused)
      try await broker.resumeDeliveries(of: "q")
      #expect(try #require(try await receiver.first()).id() == "a")
      await #expect(throws: InMemoryBrokerError.self) { try await broker.pauseDeliveries(of: "none") }
    }
  }

  @Test("closed by force, with the broker's words")
  func closed() async throws {
    try await withTestBroker { broker, connection in
      try await broker.closeAllConnections(AMQPCondition(AMQPCondition.connectionForced, text: "maintenance"))
      let error = try await connection.waitUntilClosed()
      #expect(error.condition == AMQPCondition(AMQPCondition.connectionForced, text: "maintenance"))
      #expect(error.code == .connectionClosedByPeer)
    }
  }

  @Test(
    "a detached link, with a reason and without", arguments: [AMQPCondition?.none, AMQPCondition(AMQPCondition.linkDetachForced)])
  func detached(_ condition: AMQPCondition?) async throws {
    try await withTestBroker { broker, connection in
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("q"))
      try await broker.detachLinks(of: "q", condition)
      let error = await #expect(throws: AMQPError.self) { _ = try await receiver.first() }
      #expect(error?.code == .linkDetached)
      #expect(error?.condition == condition)
      try await connection.withReceiver(from: broker.receivingAddress("q")) { _ in }
      #expect(connection.closedReason == nil)
    }
  }

  @Test("every session ended")
  func sessions() async throws {
    try await withTestBroker { broker, connection in
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("q"))
      try await broker.endAllSessions(AMQPCondition(AMQPCondition.internalError, text: "shutdown"))
      let error = await #expect(throws: AMQPError.self) { _ = try await receiver.first() }
      #expect(error?.scope == .session)
      #expect(try await broker.consumers(of: "q") == 0)
    }
  }

  @Test("down for new connections, then up again on the same port")
  func refused() async throws {
    try await withTestBroker { broker, connection in
      let client = try broker.clientConfiguration()
      try await broker.refuseNewConnections()
      let error = await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(client) }
      #expect(error?.code == .unreachable)
      #expect(connection.closedReason == nil)
      try await broker.acceptNewConnections()
      try await AMQPConnection.withConnection(client) { _ in }
    }
  }

  @Test("a queue deleted under its receiver: a Detach; on RabbitMQ 3 nothing, and 3 s later the connection breaks")
  func deleted() async throws {
    try await withTestBroker(.rabbitMQ4AddressV2) { broker, connection in
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("q"))
      try await connection.send(["a"], to: "q", of: broker)
      _ = try #require(try await receiver.first())
      #expect(try await broker.delete("q") == 1)
      let error = await #expect(throws: AMQPError.self) { _ = try await receiver.first() }
      #expect(error?.condition?.name == AMQPCondition.resourceDeleted)
      #expect(connection.closedReason == nil)
    }
    let clock = VirtualClock()
    try await withTestBroker(.rabbitMQ3, change: { $0.clock = clock }) { broker, connection in
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("q"))
      try await broker.delete("q")
      clock.advance(by: .milliseconds(2_999))
      #expect(try await broker.snapshot().connections.count == 1)
      clock.advance(by: .milliseconds(1))
      let error = await #expect(throws: AMQPError.self) { _ = try await receiver.first() }
      #expect(error?.code == .connectionLost)
    }
  }

  @Test("stopped, the broker says so and is gone; it can be stopped twice")
  func stopped() async throws {
    let broker = InMemoryBroker(.init(dialect: .rabbitMQ4AddressV2, queues: ["q"]))
    try await broker.start()
    await #expect(throws: InMemoryBrokerError.self) { try await broker.start() }
    let connection = try await AMQPConnection.open(broker.clientConfiguration())
    await broker.stop()
    await broker.stop()
    #expect(try await connection.waitUntilClosed().condition?.name == AMQPCondition.internalError)
    #expect(broker.port == nil)
    await #expect(throws: InMemoryBrokerError.self) { try await broker.depth(of: "q") }
  }

  @Test("a port that is taken is told")
  func portTaken() async throws {
    try await withTestBroker { broker, _ in
      let other = InMemoryBroker(.init(dialect: .rabbitMQ3, port: try #require(broker.port)))
      let error = await #expect(throws: InMemoryBrokerError.self) { try await other.start() }
      #expect(error?.code == .portTaken)
    }
  }

  @Test("waiting for what does not come ends with how things stand")
  func waitTimesOut() async throws {
    try await withTestBroker { broker, _ in
      let error = await #expect(throws: InMemoryBrokerError.self) {
        try await broker.waitUntil("the impossible", within: .milliseconds(20)) { _ in false }
      }
      #expect(error?.code == .waitTimedOut)
      #expect(error?.seen.contains("q: 0 messages") == true)
    }
  }
}
