// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import ForeignPrograms
import NIOCore
import NIOPosix
import Testing

@testable import TjenestebussTesting

@Suite("A recorder between client and broker")
struct FrameRecorderTests {
  private func withRecorder(
    _ dialect: Dialect = .rabbitMQ4AddressV2,
    _ body: (InMemoryBroker, FrameRecorder, AMQPConnectionConfiguration) async throws -> Void
  ) async throws {
    try await InMemoryBroker.withBroker(.init(dialect: dialect, path: "bus", queues: ["q"])) { broker in
      try await FrameRecorder.withRecorder(to: "127.0.0.1", port: try #require(broker.port)) { recorder in
        var client = try broker.clientConfiguration()
        client.port = recorder.port
        try await body(broker, recorder, client)
      }
    }
  }

  @Test("our client keeps the rules, with the broker's answers late", arguments: Dialect.allCases)
  func ours(_ dialect: Dialect) async throws {
    try await self.withRecorder(dialect) { broker, recorder, client in
      // Whatever the client sends before it has an answer is in the log before that answer.
      try await recorder.delay(.milliseconds(30), .toClient)
      try await AMQPConnection.withConnection(client) { connection in
        try await connection.send(["a", "b"], to: "q", of: broker)
        try await connection.withSender(to: broker.sendingAddress("q")) { sender in
          let large = AMQPMessage(body: .data([UInt8](repeating: 7, count: 200_000)))
          let outcome = try await sender.send(large)
          #expect(outcome == .accepted)
        }
        try await connection.withReceiver(from: broker.receivingAddress("q")) { receiver in
          try receiver.settle(try await receiver.first(3), as: .accepted)
        }
        if dialect.capabilities.countsBy.contains(.managementAMQP) {
          try await connection.withRequestReply(to: "/management") { node in
            _ = try await node.request(
              AMQPMessage(properties: AMQPProperties(to: "/queues/q", subject: "GET"), body: .value(.null)), within: .seconds(60))
          }
        }
        if dialect != .activeMQ {
          await #expect(throws: AMQPError.self) {
            _ = try await connection.openReceiver(from: broker.receivingAddress("missing"))
          }
        }
      }
      #expect(try await recorder.violations() == [])
      let frames = try await recorder.frames()
      #expect(frames.count > 20)
      #expect(FrameRules.violations(in: frames) == [])
      #expect(try await recorder.connectionCount() == 1)
    }
  }

  @Test("Proton's Python client is read, too")
  func foreign() async throws {
    try await self.withRecorder { broker, recorder, _ in
      let result = try await ForeignProgram.python(
        "send.py",
        [
          "--url", "amqp://127.0.0.1:\(recorder.port)", "--user", "guest", "--password", "guest", "--address",
          broker.sendingAddress("q"), "--shape", "all",
        ])
      #expect(result.exitCode == 0, "\(result.errors)")
      #expect(try await recorder.violations() == [])
      #expect(try await recorder.frames().count > 25)
    }
  }

  @Test("a client that grants credit too early is found out on the wire")
  func eager() async throws {
    try await self.withRecorder { _, recorder, client in
      try await recorder.delay(.milliseconds(30), .toClient)
      let raw = try await RawClient.connect(port: client.port)
      try await recorder.waitForFrame { _, violations in
        violations.contains { $0.rule == .creditBeforeAttach }
      } after: {
        // Proton itself, driven wrongly: session, link and credit in one breath.
        try await raw.attach(credit: 10)
      }
      try await raw.close()
    }
  }

  @Test("a receiver that drains gets what there is and its credit back")
  func drain() async throws {
    try await self.withRecorder { broker, recorder, client in
      let raw = try await RawClient.connect(port: client.port)
      try await raw.attach(credit: 0)
      try await broker.waitUntil("the consumer") { $0.consumers(of: "q") == 1 }
      try await AMQPConnection.withConnection(broker.clientConfiguration()) {
        try await $0.send(["a", "b"], to: "q", of: broker)
      }
      // The sender's FLOW: delivery-count moved on by all ten, credit 0.
      try await recorder.waitForFrame { recorded, _ in
        guard recorded.direction == .toClient,
          case .performative(_, false, AMQPFrame.Code.flow, let fields, _) = recorded.frame, fields.count > 6
        else { return false }
        return fields[5] == .uint(10) && fields[6] == .uint(0)
      } after: {
        try await raw.drain(10)
      }
      #expect(try await broker.queue("q").locked == 2)
      #expect(try await recorder.violations() == [])
      try await raw.close()
    }
  }

  @Test("cut after so many frames: the rest does not get there", arguments: [1, 4, 7])
  func cutAfterFrames(_ count: Int) async throws {
    try await self.withRecorder { broker, recorder, client in
      try await recorder.cut(afterFrames: count, .toServer)
      await #expect(throws: (any Error).self) {
        try await AMQPConnection.withConnection(client) { connection in
          let sender = try await connection.openSender(to: broker.sendingAddress("q"))
          _ = try await sender.send(.test("a"))
          throw try await connection.waitUntilClosed()
        }
      }
      #expect(try await recorder.frames().count { $0.direction == .toServer } == count)
    }
  }

  @Test("cut in the middle of a message: the broker has not got it, and the send is unknown or not sent")
  func cutAfterBytes() async throws {
    try await self.withRecorder { broker, recorder, client in
      try await AMQPConnection.withConnection(client) { connection in
        let sender = try await connection.openSender(to: broker.sendingAddress("q"))
        try await recorder.cut(afterBytes: 50_000, .toServer)
        let outcome = try await sender.send(AMQPMessage(body: .data([UInt8](repeating: 1, count: 200_000))))
        guard case .unknown(.lost) = outcome else {
          Issue.record("\(outcome)")
          return
        }
      }
      try await broker.waitUntil("the client gone") { $0.connections.isEmpty }
      #expect(try await broker.depth(of: "q") == 0)
    }
  }

  @Test("swallowed answers: the message is there, the outcome unknown")
  func swallowed() async throws {
    try await self.withRecorder { broker, recorder, client in
      try await AMQPConnection.withConnection(client) { connection in
        let sender = try await connection.openSender(to: broker.sendingAddress("q"))
        try await recorder.swallow(.toClient)
        async let outcome = sender.send(.test("a"))
        try await broker.waitUntil("it came") { $0.depth(of: "q") == 1 }
        try await recorder.cutAll()
        guard case .unknown(.lost) = try await outcome else {
          Issue.record("an outcome came")
          return
        }
      }
      try await recorder.clearFaults()
      try await AMQPConnection.withConnection(client) { connection in try await connection.send(["b"], to: "q", of: broker) }
      #expect(try await broker.messageIDs(in: "q") == ["a", "b"])
    }
  }

  @Test("no server behind it: the client is turned away")
  func noServer() async throws {
    try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ3)) { broker in
      try await FrameRecorder.withRecorder(to: "127.0.0.1", port: try #require(broker.port)) { recorder in
        try await broker.refuseNewConnections()
        var client = try broker.clientConfiguration()
        client.port = recorder.port
        let unreachable = client
        await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(unreachable) }
      }
    }
  }

  @Test("a stream is cut into the same frames however it comes in")
  func pieces() throws {
    let stream: [UInt8] =
      Array("AMQP".utf8) + [0, 1, 0, 0] + [0, 0, 0, 8, 2, 0, 0, 0] + [0, 0, 0, 13, 2, 0, 0, 5, 0x00, 0x53, 0x24, 0x45, 0x00]
      + [0, 0, 0, 8, 2, 0, 0, 0]
    for piece in 1...stream.count {
      var cutter = FrameCutter()
      var ends: [Int] = []
      for start in stride(from: 0, to: stream.count, by: piece) {
        cutter.append(ByteBuffer(bytes: stream[start..<min(start + piece, stream.count)]))
        while let cut = try cutter.next() { ends.append(cut.end) }
      }
      #expect(ends == [8, 16, 29, 37])
    }
    var cutter = FrameCutter()
    cutter.append(ByteBuffer(bytes: [0, 0, 0, 3, 2, 0, 0, 0]))
    #expect(throws: AMQPDecodingError.self) { try cutter.next() }
  }
}
