// SPDX-License-Identifier: Apache-2.0

import AMQP
import Foundation
import Testing
import TjenestebussTesting

/// The system under test of docs/testing-your-integration.md.
struct Outbox {
  var letters: [String: [UInt8]]

  /// Hands over what lies in it; takes out what the bus has taken.
  mutating func handOver(to address: String, over configuration: AMQPConnectionConfiguration) async throws {
    try await AMQPConnection.withConnection(configuration) { connection in
      let sender = try await connection.openSender(to: address)
      for (id, content) in letters.sorted(by: { $0.key < $1.key }) {
        let message = AMQPMessage(properties: AMQPProperties(messageID: .string(id)), body: .data(content))
        let outcome = try await sender.send(message)
        if outcome.isAccepted { letters[id] = nil }
      }
      await sender.close()
    }
  }
}

@Suite("The examples of docs/testing-your-integration.md", .timeLimit(.minutes(5)))
struct VendorExampleTests {
  @Test("A bus that behaves")
  func behaves() async throws {
    try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, queues: ["93238_async"])) { broker in
      var outbox = Outbox(letters: ["m-1": [1], "m-2": [2]])
      try await outbox.handOver(to: broker.sendingAddress("93238_async"), over: broker.clientConfiguration())
      #expect(outbox.letters.isEmpty)
      #expect(try await broker.messageIDs(in: "93238_async") == ["m-1", "m-2"])
    }
  }

  @Test("A bus that does something odd")
  func odd() async throws {
    try await ScriptedPeer.withPeer([
      .opening(), .sender(to: "/queues/93238_async"),
      .expect(.transfer(messageID: "m-1")), .respond(.disposition(.released)),
      .expect(.transfer(messageID: "m-2")), .drop(),
    ]) { peer in
      var outbox = Outbox(letters: ["m-1": [1], "m-2": [2]])
      try await outbox.handOver(to: "/queues/93238_async", over: peer.clientConfiguration())
      #expect(outbox.letters.count == 2)
    }
  }

  @Test("A network that breaks")
  func breaks() async throws {
    try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, queues: ["93238_async"])) { broker in
      let straight = try broker.clientConfiguration()
      try await FaultProxy.withProxy(to: straight.host, port: straight.port) { proxy in
        var configuration = straight
        configuration.port = proxy.port
        var outbox = Outbox(letters: ["m-1": [1], "m-2": [2], "m-3": [3]])
        // So many bytes more towards the bus, and then the connection is cut.
        try await proxy.inject(.byteLimit(420), .toServer)
        while !outbox.letters.isEmpty {
          try? await outbox.handOver(to: broker.sendingAddress("93238_async"), over: configuration)
        }
        #expect(try await proxy.statistics().limitsStruck == 1)
        #expect(Set(try await broker.messageIDs(in: "93238_async")) == ["m-1", "m-2", "m-3"])
      }
    }
  }

  @Test("Time")
  func time() async throws {
    let clock = VirtualClock()
    let retry = Task { try await Task.sleep(for: .seconds(300), clock: clock) }
    try await clock.waitForSleepers(1)
    clock.advance(by: .seconds(300))
    try await retry.value
  }

  @Test("the page shows what is run here, word for word")
  func same() throws {
    let here = URL(fileURLWithPath: #filePath)
    let page = here.deletingLastPathComponent().appendingPathComponent("../../docs/testing-your-integration.md")
    let source = try String(contentsOf: here, encoding: .utf8).split(separator: "\n").map(Self.bare)
    let parts = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```swift\n").dropFirst()
    #expect(parts.count == 5)
    for part in parts {
      let lines = (part.components(separatedBy: "```").first ?? "").split(separator: "\n").map(Self.bare)
      #expect(source.indices.contains { Array(source[$0...].prefix(lines.count)) == lines }, "\(lines.first ?? "")")
    }
  }

  private static func bare(_ line: Substring) -> String { line.trimmingCharacters(in: .whitespaces) }
}
