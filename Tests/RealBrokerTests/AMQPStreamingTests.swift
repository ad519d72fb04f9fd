// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing

@Suite("AMQP against real brokers: large bodies, sent and received as they come", .serialized, .timeLimit(.minutes(10)))
struct AMQPStreamingTests {
  private static let megabyte = 1 << 20

  private func message(_ id: String) -> AMQPMessage {
    AMQPMessage(
      properties: AMQPProperties(messageID: .string(id), contentType: "application/octet-stream"),
      applicationProperties: ["k": "v"], body: .absent)
  }

  /// Reads one message of that body, and nothing more.
  private func read(_ id: String, _ expected: [UInt8], from queue: String, _ broker: RealBroker) async throws {
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue), credit: 2, bodies: .streamed)
      let delivery = try #require(try await receiver.nextBatch()?.first)
      // The sections before the body are there while the body still comes.
      let head = try delivery.message()
      #expect(head.properties.messageID == .string(id))
      #expect(head.applicationProperties["k"] == "v")
      var check = BodyCheck(expected)
      for try await piece in delivery.body { check.take(piece) }
      #expect(check.isWhole, "\(check.place) bytes of \(expected.count), the same: \(check.isSame)")
      try delivery.accept()
      await receiver.close()
    }
  }

  @Test("12 MB in pieces, both ways", arguments: RealBroker.proven)
  func bothWays(_ broker: RealBroker) async throws {
    let bytes = BodySource.bytes(12 * Self.megabyte + 5)
    for kind in broker.queueKinds {
      let queue = try await broker.declareQueue(kind)
      try await AMQPConnection.withConnection(try broker.configuration()) { connection in
        let sender = try await connection.openSender(to: broker.sending(to: queue))
        let outcome = try await sender.send(
          self.message("large"), bodyLength: bytes.count, body: BodySource(bytes: bytes), within: .seconds(300))
        try #require(outcome == .accepted, "\(kind)")
      }
      try await self.read("large", bytes, from: queue, broker)
    }
  }

  @Test("5 MB in one piece, both ways", arguments: RealBroker.proven)
  func whole(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    let bytes = BodySource.bytes(5 * Self.megabyte)
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      var message = self.message("whole")
      message.body = .data(bytes)
      let outcome = try await sender.send(message)
      #expect(outcome == .accepted)
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue))
      let delivery = try #require(try await receiver.next(1).first)
      #expect(try delivery.message().body.bytes == bytes)
      try delivery.accept()
    }
  }

  @Test(
    "more than the broker says it takes is refused before a byte of it is asked for; where it says nothing, it goes",
    arguments: RealBroker.proven)
  func tooLarge(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    let source = BodySource(bytes: BodySource.bytes(17 * Self.megabyte))
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      let limit = broker.dialect.capabilities.statedMessageLimit
      #expect(sender.maximumMessageSize == limit)
      guard let limit else {
        let outcome = try await sender.send(
          self.message("17 MB"), bodyLength: source.bytes.count, body: source, within: .seconds(120))
        try #require(outcome == .accepted)
        try await self.read("17 MB", source.bytes, from: queue, broker)
        return
      }
      let streamed = await #expect(throws: AMQPError.self) {
        try await sender.send(self.message("17 MB"), bodyLength: source.bytes.count, body: source)
      }
      var whole = self.message("17 MB")
      whole.body = .data(source.bytes)
      let message = whole
      let atOnce = await #expect(throws: AMQPError.self) { try await sender.send(message) }
      for error in [streamed, atOnce] {
        #expect(error?.code == .messageTooLarge)
        #expect(error?.seen.contains("\(limit)") == true, "\(String(describing: error))")
        #expect(error?.isRetriable == false)
      }
      #expect(source.asked.withLockedValue { $0 } == 0)
      // The link has not noticed.
      try await broker.send(0..<1, to: queue, on: connection)
      let outcome = try await sender.send(.numbered(1))
      #expect(outcome == .accepted)
    }
  }

  @Test(
    "a body that breaks off midway: nothing is delivered, the link is ended, the connection goes on", arguments: RealBroker.proven
  )
  func brokenOff(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    let bytes = BodySource.bytes(4 * Self.megabyte)
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      let source = BodySource(bytes: bytes, ending: .broken(after: 2 * Self.megabyte))
      let error = await #expect(throws: AMQPError.self) {
        try await sender.send(self.message("broken"), bodyLength: bytes.count, body: source)
      }
      #expect(error?.code == .bodyIncomplete)
      let next = await #expect(throws: AMQPError.self) { try await sender.send(.numbered(0)) }
      #expect([.linkDetached, .linkClosed].contains(next?.code))
      try await self.expectNothing(in: queue, broker, on: connection)
    }
  }

  @Test("a task that is cancelled midway: nothing is delivered, the connection goes on", arguments: RealBroker.proven)
  func cancelled(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    let bytes = BodySource.bytes(4 * Self.megabyte)
    let isMidway = OneShot<Void>()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let sender = try await connection.openSender(to: broker.sending(to: queue))
      let source = BodySource(bytes: bytes, ending: .stuck(after: 2 * Self.megabyte) { isMidway.fulfil(()) })
      let sending = Task { try await sender.send(self.message("cancelled"), bodyLength: bytes.count, body: source) }
      try await isMidway.wait()
      sending.cancel()
      let error = await #expect(throws: AMQPError.self) { try await sending.value }
      // Cancelled with its task, or by its source, which the cancellation reaches first.
      #expect([.cancelled, .bodyIncomplete].contains(error?.code))
      try await self.expectNothing(in: queue, broker, on: connection)
    }
  }

  /// What is sent now, over a link of its own, is alone in the queue.
  private func expectNothing(in queue: String, _ broker: RealBroker, on connection: AMQPConnection) async throws {
    try await broker.send(1..<2, to: queue, on: connection)
    try await connection.withReceiver(from: broker.receiving(from: queue)) { receiver in
      for number in 1..<3 {
        let delivery = try #require(try await receiver.next(1).first)
        #expect(try delivery.messageID() == "m-\(number)")
        try delivery.accept()
        // Behind all that could have come of the other.
        if number == 1 { try await broker.send(2..<3, to: queue, on: connection) }
      }
    }
    #expect(connection.closedReason == nil)
  }
}
