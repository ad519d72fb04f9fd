// SPDX-License-Identifier: Apache-2.0

import AMQP
import ForeignPrograms
import Foundation
import Testing

/// Our client at a server that shares no line with ours: python-qpid-proton, listening. What it does follows from the address;
/// `tools/foreign/listen.py` lists it.
@Suite("Our client at a foreign peer that listens", .timeLimit(.minutes(10)))
struct ForeignListenerTests {
  private func withPeer(
    _ arguments: [String] = [], _ body: (ForeignServer, AMQPConnection) async throws -> Void
  ) async throws {
    try await ForeignServer.withPython("listen.py", arguments) { server in
      try await AMQPConnection.withConnection(self.configuration(server)) { try await body(server, $0) }
    }
  }

  private func configuration(_ server: ForeignServer) -> AMQPConnectionConfiguration {
    AMQPConnectionConfiguration(
      host: "127.0.0.1", port: server.port, encryption: .none, login: .anonymous, containerID: "our-client",
      connectTimeout: .seconds(60), operationTimeout: .seconds(60))
  }

  private func message(_ id: String, _ body: AMQPBody = .data([1, 2, 3])) -> AMQPMessage {
    AMQPMessage(properties: AMQPProperties(messageID: .string(id)), body: body)
  }

  @Test("every kind of body and every section goes there and comes back as it was, and the peer reads them as we meant them")
  func thereAndBack() async throws {
    try await self.withPeer { server, connection in
      var whole = self.message("whole")
      whole.messageAnnotations = AMQPMap([.init(key: .symbol("x-test"), value: .string("a"))])
      whole.applicationProperties = ["text": "blåbær", "int": .int(-5), "long": .long(1 << 40), "flag": true, "none": .null]
      whole.properties.correlationID = .uuid(AMQPUUID(high: 3, low: 4))
      let messages = [
        whole, self.message("empty", .data([])), self.message("value", .value(.map(["k": .list([.int(1)])]))),
        self.message("sequence", .sequence([[.int(1), .string("b")]])),
      ]
      try await connection.withSender(to: "q") { sender in
        for message in messages {
          let outcome = try await sender.send(message, checks: .anyBody)
          #expect(outcome == .accepted)
        }
      }
      for message in messages {
        let line = try #require(await server.nextLine())
        #expect(line.contains(message.properties.messageID?.description ?? "no id"), "\(line)")
      }
      try await connection.withReceiver(from: "q") { receiver in
        var left = messages
        while left.count > 0, let batch = try await receiver.nextBatch() {
          for delivery in batch {
            let expected = left.removeFirst()
            let received = try delivery.message()
            #expect(received.body == expected.body)
            #expect(received.properties == expected.properties)
            #expect(received.applicationProperties == expected.applicationProperties)
            #expect(received.messageAnnotations == expected.messageAnnotations)
          }
          try receiver.settle(batch, as: .accepted)
        }
      }
    }
  }

  @Test("a message of 300 kB in many frames, both ways")
  func large() async throws {
    try await self.withPeer { _, connection in
      let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
      let sender = try await connection.openSender(to: "q")
      #expect(try await sender.send(self.message("large", .data(body))) == .accepted)
      let receiver = try await connection.openReceiver(from: "q")
      let delivery = try #require(try await receiver.nextBatch()?.first)
      #expect(try delivery.message().body.bytes == body)
      try delivery.accept()
    }
  }

  @Test("each outcome the peer can give is told as it is")
  func outcomes() async throws {
    try await self.withPeer { _, connection in
      let expected: [(String, AMQPOutcome)] = [
        ("rejecting", .rejected(AMQPCondition("x:refused", text: "on demand"))), ("releasing", .released),
        ("modifying", .modified(deliveryFailed: true, undeliverableHere: false)), ("accepting", .accepted),
      ]
      for (address, outcome) in expected {
        try await connection.withSender(to: address) { sender in
          let told = try await sender.send(self.message("m"))
          #expect(told == outcome)
        }
      }
    }
  }

  @Test("no outcome: unknown at the deadline, never a guess")
  func silent() async throws {
    try await self.withPeer { server, connection in
      let sender = try await connection.openSender(to: "silent")
      let waiting = Task { try await sender.send(self.message("m")) }
      _ = await server.nextLine()
      waiting.cancel()
      #expect(try await waiting.value == .unknown(.cancelled))
      // The first has shown that there is credit: this one leaves at once.
      #expect(try await sender.send(self.message("m-2"), within: .milliseconds(50)) == .unknown(.timedOut))
    }
  }

  @Test("500 sends at once through a credit of 5: each accepted once, and they come back in order")
  func credit() async throws {
    try await self.withPeer(["--credit", "5"]) { _, connection in
      let sender = try await connection.openSender(to: "q")
      let accepted = try await withThrowingTaskGroup(of: AMQPOutcome.self) { group in
        for number in 0..<500 { group.addTask { try await sender.send(self.message("m-\(number)")) } }
        return try await group.reduce(0) { $0 + ($1.isAccepted ? 1 : 0) }
      }
      #expect(accepted == 500)
      let receiver = try await connection.openReceiver(from: "q", credit: 20)
      var ids: Set<String> = []
      while ids.count < 500, let batch = try await receiver.nextBatch() {
        #expect(batch.count <= 20)
        for delivery in batch { ids.insert(try #require(try delivery.message().properties.messageID?.description)) }
        try receiver.settle(batch, as: .accepted)
      }
      #expect(ids.count == 500)
    }
  }

  @Test("released and modified come again; accepted and rejected do not")
  func settling() async throws {
    try await self.withPeer { _, connection in
      let sender = try await connection.openSender(to: "q")
      let receiver = try await connection.openReceiver(from: "q", credit: 1)
      var deliveries = receiver.makeAsyncIterator()
      func next() async throws -> AMQPDelivery { try #require(try await deliveries.next(isolation: nil)) }
      #expect(try await sender.send(self.message("a")) == .accepted)
      try await next().release()
      let again = try await next()
      #expect(try again.message().properties.messageID == "a")
      try again.modify(deliveryFailed: true, undeliverableHere: false)
      let third = try await next()
      #expect(try third.message().properties.messageID == "a")
      try third.reject()
      #expect(try await sender.send(self.message("b")) == .accepted)
      let other = try await next()
      #expect(try other.message().properties.messageID == "b")
      try other.accept()
    }
  }

  @Test("a refused attach is not found, and its neighbour lives")
  func refused() async throws {
    try await self.withPeer { _, connection in
      let neighbour = try await connection.openSender(to: "q")
      let error = await #expect(throws: AMQPError.self) { _ = try await connection.openReceiver(from: "missing-1") }
      #expect(error?.code == .notFound)
      let sending = await #expect(throws: AMQPError.self) { _ = try await connection.openSender(to: "missing-2") }
      #expect(sending?.code == .notFound)
      #expect(try await neighbour.send(self.message("m")) == .accepted)
    }
  }

  @Test(
    "link, session or connection closed by the peer under a send: the outcome is unknown, and says which and why",
    arguments: [
      ("detaching", AMQPError.Scope.link, "amqp:link:detach-forced"), ("ending", .session, "amqp:internal-error"),
      ("closing", .connection, "amqp:connection:forced"),
    ])
  func closedByPeer(_ address: String, _ scope: AMQPError.Scope, _ condition: String) async throws {
    try await self.withPeer { _, connection in
      let sender = try await connection.openSender(to: address)
      guard case .unknown(.lost(let error)) = try await sender.send(self.message("m")) else {
        Issue.record("an outcome came")
        return
      }
      #expect(error.scope == scope)
      #expect(error.condition?.name == condition)
      let isClosed = connection.closedReason != nil
      if scope == .connection {
        #expect(try await connection.waitUntilClosed().condition?.name == condition)
      } else {
        #expect(!isClosed)
        try await connection.withSender(to: "q") { sender in
          let outcome = try await sender.send(self.message("m-2"))
          #expect(outcome == .accepted)
        }
      }
    }
  }

  @Test("what was taken and not settled when the connection closed comes again on the next")
  func again() async throws {
    try await ForeignServer.withPython("listen.py") { server in
      try await AMQPConnection.withConnection(self.configuration(server)) { connection in
        try await connection.withSender(to: "q") { sender in
          let outcome = try await sender.send(self.message("m"))
          #expect(outcome == .accepted)
        }
        let receiver = try await connection.openReceiver(from: "q")
        _ = try await receiver.nextBatch()
      }
      try await AMQPConnection.withConnection(self.configuration(server)) { connection in
        let receiver = try await connection.openReceiver(from: "q")
        let delivery = try #require(try await receiver.nextBatch()?.first)
        #expect(try delivery.message().properties.messageID == "m")
        try delivery.accept()
      }
    }
  }
}
