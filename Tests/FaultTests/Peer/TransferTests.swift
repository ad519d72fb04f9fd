// SPDX-License-Identifier: Apache-2.0

import AMQP
import Testing
import TjenestebussTesting

@Suite("Credit, outcomes and transfers as a peer may have them", .timeLimit(.minutes(3)))
struct TransferTests {
  @Test("credit that dribbles: one at a time, and never a message without")
  func dribble() async throws {
    let one: [PeerStep] = [
      .expect(.transfer()), .respond(.disposition(.accepted)), .respond(.flow(credit: 0)), .respond(.flow(credit: 1)),
    ]
    try await withConnection([.opening(), .sender(credit: 1)] + one + one + one + one) { _, connection in
      let sender = try await connection.openSender(to: "/queues/q")
      try await withThrowingTaskGroup(of: AMQPOutcome.self) { group in
        for id in 1...4 { group.addTask { try await sender.send(.test("\(id)")) } }
        for try await outcome in group { #expect(outcome == .accepted) }
      }
    }
  }

  @Test("no credit: the send ends at its deadline, and the message has not left")
  func noCredit() async throws {
    try await withConnection([.opening(), .sender(credit: 0)], ignoring: unasked) { _, connection in
      let sender = try await connection.openSender(to: "/queues/q")
      let error = await failure { _ = try await sender.send(.test("a"), within: .milliseconds(50)) }
      #expect(error?.code == .noCredit)
    }
  }

  @Test("one disposition for many: first to last")
  func ranges() async throws {
    try await withConnection(
      [.opening(), .sender(credit: 10)] + Array(repeating: .expect(.transfer()), count: 6) + [
        .respond(.disposition(.accepted, first: 0, last: 2)), .respond(.disposition(.released, first: 3, last: 4)),
        .respond(.disposition(.rejected(AMQPCondition("amqp:precondition-failed")), first: 5)),
      ]
    ) { _, connection in
      let sender = try await connection.openSender(to: "/queues/q")
      let outcomes = try await withThrowingTaskGroup(of: AMQPOutcome.self) { group in
        for id in 0...5 { group.addTask { try await sender.send(.test("\(id)")) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.count { $0 == .accepted } == 3)
      #expect(outcomes.count { $0 == .released } == 2)
      #expect(outcomes.count { $0 == .rejected(AMQPCondition("amqp:precondition-failed")) } == 1)
    }
  }

  @Test("outcomes of deliveries that never were change nothing")
  func unknownDeliveries() async throws {
    try await withConnection([
      // credit comes last: with it a delivery 0 could be there before they are
      .opening(), .sender(credit: 0), .respond(.disposition(.rejected(), first: 0, last: 40)),
      .respond(.disposition(.rejected(), first: 0, last: 0x7fff_fffe)), .respond(.flow(credit: 100)), .expect(.transfer()),
      .respond(.disposition(.rejected(), first: 1_000, last: 1_002)), .respond(.withdrawal(first: 77)),
      .respond(.disposition(.accepted)),
    ]) { _, connection in
      let sender = try await connection.openSender(to: "/queues/q")
      #expect(try await sender.send(.test("a")) == .accepted)
    }
  }

  @Test("settled without an outcome: nobody knows, and it is not called accepted")
  func withoutOutcome() async throws {
    try await withConnection([.opening(), .sender(), .expect(.transfer()), .respond(.disposition(nil))]) { _, connection in
      let sender = try await connection.openSender(to: "/queues/q")
      #expect(try await sender.send(.test("a")) == .unknown(.settledWithoutOutcome))
    }
  }

  @Test("a receiver's progress is no outcome; the outcome is what comes after it")
  func progress() async throws {
    try await withConnection([
      .opening(), .sender(), .expect(.transfer()),
      .respond(.disposition(.received(section: 0, offset: 3), settled: false)),
      .respond(.disposition(.released)),
    ]) { _, connection in
      let sender = try await connection.openSender(to: "/queues/q")
      #expect(try await sender.send(.test("a")) == .released)
    }
  }

  @Test("no outcome before the deadline: unknown; one that comes late is nobody's")
  func late() async throws {
    try await withConnection([
      .opening(), .sender(), .expect(.transfer(messageID: "a")), .hold("late"), .respond(.disposition(.rejected(), first: 0)),
      .expect(.transfer(messageID: "b")), .respond(.disposition(.accepted)),
    ]) { peer, connection in
      let sender = try await connection.openSender(to: "/queues/q")
      #expect(try await sender.send(.test("a"), within: .milliseconds(100)) == .unknown(.timedOut))
      peer.release("late")
      #expect(try await sender.send(.test("b")) == .accepted)
    }
  }

  @Test("everything in slices of one byte, from the first header on")
  func slices() async throws {
    try await withConnection([
      .chunk(bytes: 1), .opening(), .receiver(), .respond(.transfer(.test("a", size: 300))), .expect(.disposition(.accepted)),
    ]) { _, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q")
      let delivery = try #require(try await receiver.first(1).first)
      #expect(try delivery.message() == .test("a", size: 300))
      try delivery.accept()
    }
  }

  @Test("a message in frames of one byte each")
  func tinyFrames() async throws {
    let bytes = AMQPMessage.test("a").encoded()
    let frames = bytes.indices.map { PeerStep.respond(.transfer(payload: [bytes[$0]], more: $0 != bytes.count - 1)) }
    try await withConnection(
      [.opening(), .receiver()] + frames + [.respond(.transfer(.test("b"))), .expect(.disposition(.accepted, first: 0))]
    ) { _, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q")
      let deliveries = try await receiver.first(2)
      #expect(try deliveries.map { try $0.id() } == ["a", "b"])
      #expect(try deliveries[0].message() == .test("a"))
      try deliveries[0].accept()
    }
  }

  @Test("a message larger than we take is rejected, and the next one comes")
  func oversized() async throws {
    let bytes = AMQPMessage.test("large", size: 5_000).encoded()
    let frames = stride(from: 0, to: bytes.count, by: 500).map {
      PeerStep.respond(.transfer(payload: Array(bytes[$0..<min($0 + 500, bytes.count)]), more: $0 + 500 < bytes.count))
    }
    try await withConnection(
      [.opening(), .receiver()] + frames + [
        .expect(.disposition(.rejected(), first: 0)), .respond(.transfer(.test("small"))),
        .expect(.disposition(.accepted, first: 1)),
      ], ignoring: [.flow, .detach, .end], change: { $0.maximumMessageSize = 2_000 }
    ) { peer, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q")
      let delivery = try #require(try await receiver.first(1).first)
      #expect(try delivery.id() == "small")
      try delivery.accept()
      try await peer.verify()
    }
  }

  @Test("a message that the sender gives up half-way is no message")
  func aborted() async throws {
    let bytes = AMQPMessage.test("a").encoded()
    try await withConnection(
      [
        .opening(), .receiver(), .respond(.transfer(payload: Array(bytes.prefix(20)), more: true)),
        .respond(.transfer(payload: []) { $0[.aborted] = true }), .respond(.transfer(.test("b"))),
        .expect(.disposition(.accepted, first: 1)),
      ], ignoring: [.flow, .detach, .end]
    ) { peer, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q")
      let delivery = try #require(try await receiver.first(1).first)
      #expect(try delivery.id() == "b")
      try delivery.accept()
      try await peer.verify()
    }
  }

  @Test("more messages than credit: a few are kept, as RabbitMQ 3 sends them; a peer that heeds no credit is told so")
  func beyondCredit() async throws {
    try await withConnection(
      [.opening(), .receiver(credit: 2)] + (0..<5).map { .respond(.transfer(.test("\($0)"))) } + [.expect(.close())]
    ) { _, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q", credit: 2)
      #expect(try await connection.waitUntilClosed().code == .protocolViolated)
      #expect(await failure { _ = try await receiver.first(6) }?.code == .protocolViolated)
    }
    try await withConnection(
      [.opening(), .receiver(credit: 2)] + (0..<3).map { .respond(.transfer(.test("\($0)"))) }
    ) { _, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q", credit: 2)
      #expect(try await receiver.first(3).map { try $0.id() } == ["0", "1", "2"])
    }
  }

  @Test("credit and transfers for handles that nobody attached end the connection, and nothing else")
  func unattached() async throws {
    for reply in [PeerReply.transfer(.test("a")) { $0[.handle] = .uint(9) }, .flow(credit: 3) { $0[.handle] = .uint(9) }] {
      try await withConnection([.opening(), .receiver(), .respond(reply), .expect(.close())]) { _, connection in
        _ = try await connection.openReceiver(from: "/queues/q")
        #expect(try await connection.waitUntilClosed().code == .protocolViolated)
      }
    }
  }
}
