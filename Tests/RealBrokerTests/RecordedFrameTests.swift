// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Foundation
import Testing
import TjenestebussTesting

@Suite("Frames between our client and real brokers", .serialized)
struct RecordedFrameTests {
  private func withRecorder(
    _ broker: RealBroker, _ body: (FrameRecorder, AMQPConnectionConfiguration) async throws -> Void
  ) async throws {
    var client = try broker.configuration()
    try await FrameRecorder.withRecorder(to: client.host, port: client.port) { recorder in
      client.host = "127.0.0.1"
      client.port = recorder.port
      // Whatever the client sends before it has an answer is in the log before that answer.
      try await recorder.delay(.milliseconds(30), .toClient)
      try await body(recorder, client)
    }
  }

  @Test("our client keeps the rules: links, small and large messages, every outcome the dialect has", arguments: RealBroker.all)
  func rules(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await self.withRecorder(broker) { recorder, client in
      try await AMQPConnection.withConnection(client) { connection in
        let sender = try await connection.openSender(to: broker.sending(to: queue))
        for size in [0, 10, 500_000, 10] {
          let outcome = try await sender.send(AMQPMessage(body: .data([UInt8](repeating: 1, count: size))))
          #expect(outcome == .accepted)
        }
        await sender.close()
        let receiver = try await connection.openReceiver(from: broker.receiving(from: queue), credit: 2)
        var deliveries = receiver.makeAsyncIterator()
        for disposition in [AMQPDisposition.released, .rejected(nil), .accepted, .accepted] {
          try #require(try await deliveries.next(isolation: nil)).settle(as: disposition)
        }
        await receiver.close()
        if broker.dialect.capabilities.countsBy.contains(.managementAMQP) {
          try await connection.withRequestReply(to: "/management") { node in
            let request = AMQPMessage(
              properties: AMQPProperties(to: "/queues/\(queue)", subject: "GET"), body: .value(.null))
            let answer = try await node.request(request, within: .seconds(60))
            #expect(answer.properties.subject == "200")
          }
        }
      }
      let frames = try await recorder.frames()
      #expect(frames.count > 20)
      let violations = try await recorder.violations().filter { $0.direction == .toServer }.map { "\($0): \(frames[$0.index])" }
      #expect(violations == [])
    }
  }

  @Test("our client keeps the rules when links are refused, and attaches again", arguments: RealBroker.all)
  func refused(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await self.withRecorder(broker) { recorder, client in
      try await AMQPConnection.withConnection(client) { connection in
        for _ in 0..<3 {
          await #expect(throws: AMQPError.self) {
            _ = try await connection.openReceiver(from: broker.receiving(from: "missing-\(UUID().uuidString)"))
          }
          try await connection.withReceiver(from: broker.receiving(from: queue)) { _ in }
        }
      }
      let frames = try await recorder.frames()
      let violations = try await recorder.violations().filter { $0.direction == .toServer }.map { "\($0): \(frames[$0.index])" }
      #expect(violations == [])
    }
  }
}
