// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import AMQP
import BusModel
import Testing
import TjenestebussTesting

@Suite("Much and large, through the in-memory broker", .serialized)
struct LoadTests {
  @Test("ten thousand messages, a thousand in flight: each one once, in order")
  func many() async throws {
    try await withTestBroker { broker, connection in
      let count = 10_000
      let sender = try await connection.openSender(to: broker.sendingAddress("q"))
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("q"), credit: 1_000)
      async let received: [AMQPMessageID?] = {
        var ids: [AMQPMessageID?] = []
        while ids.count < count, let batch = try await receiver.nextBatch() {
          for delivery in batch { ids.append(try delivery.id()) }
          try receiver.settle(batch, as: .accepted)
        }
        return ids
      }()
      try await withThrowingTaskGroup(of: AMQPOutcome.self) { group in
        for number in 0..<count {
          if number >= 1_000 { #expect(try await group.next() == .accepted) }
          group.addTask { try await sender.send(.test(String(number))) }
        }
        for try await outcome in group { #expect(outcome == .accepted) }
      }
      let ids = try await received
      #expect(ids.count == count)
      #expect(Set(ids).count == count)
      try await broker.waitUntil("an empty queue") { $0.depth(of: "q") == 0 }
      #expect(try await broker.queue("q").consumed == count)
    }
  }

  @Test("messages of 5 MB, both ways, in many frames")
  func large() async throws {
    try await withTestBroker { broker, connection in
      var random = Seeded(5)
      let bodies: [[UInt8]] = (0..<3).map { _ in
        var body = [UInt8](repeating: 0, count: 5_000_000)
        for index in stride(from: 0, to: body.count, by: 97) { body[index] = UInt8.random(in: 0...255, using: &random) }
        return body
      }
      try await connection.withSender(to: broker.sendingAddress("q")) { sender in
        for body in bodies {
          let outcome = try await sender.send(AMQPMessage(body: .data(body)))
          #expect(outcome == .accepted)
        }
      }
      try await connection.withReceiver(from: broker.receivingAddress("q"), credit: 1) { receiver in
        // One at a time: two that came together would be one batch, of which the first is looked at.
        for body in bodies {
          let delivery = try #require(try await receiver.first())
          let isSame = try delivery.message().body.bytes == body
          #expect(isSame)
          try delivery.accept()
        }
      }
    }
  }

  @Test("sixty connections at once, each with a queue of its own")
  func connections() async throws {
    let count = 60
    let queues = (0..<count).map { BrokerQueue("\($0)_async") }
    try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, path: "bus", queues: queues)) { broker in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<count {
          group.addTask {
            try await AMQPConnection.withConnection(broker.clientConfiguration(containerID: "client-\(number)")) { connection in
              let receiver = try await connection.openReceiver(from: broker.receivingAddress("\(number)_async"))
              try await connection.send((0..<20).map(String.init), to: "\((number + 1) % count)_async", of: broker)
              try receiver.settle(try await receiver.first(20), as: .accepted)
              await receiver.close()
            }
          }
        }
        try await group.waitForAll()
      }
      let snapshot = try await broker.waitUntil("all gone") { $0.connections.isEmpty }
      #expect(snapshot.queues.values.reduce(0) { $0 + $1.consumed } == count * 20)
      #expect(snapshot.queues.values.allSatisfy { $0.depth == 0 && $0.consumers == 0 })
    }
  }

  @Test("a client that comes back after each of five cuts misses nothing")
  func cuts() async throws {
    try await withTestBroker { broker, connection in
      let client = AMQPClient(try broker.clientConfiguration(containerID: "comes-back"))
      let address = broker.receivingAddress("q")
      let seen = NIOLockedValueBox<Set<String>>([])
      let running = Task { try await client.run() }
      let receiving = Task {
        try await client.withReceiver(from: address, credit: 10) { deliveries in
          for try await delivery in deliveries {
            if case .string(let id)? = try? delivery.id() { seen.withLockedValue { _ = $0.insert(id) } }
            try? delivery.accept()
          }
        }
      }
      for round in 0..<5 {
        try await broker.waitUntil("the receiver") { $0.consumers(of: "q") == 1 }
        try await AMQPConnection.withConnection(broker.clientConfiguration(containerID: "sender")) { sending in
          try await sending.send((0..<50).map { "\(round)-\($0)" }, to: "q", of: broker)
        }
        try await broker.cutAllConnections()
      }
      try await broker.waitUntil("all taken") { $0.depth(of: "q") == 0 }
      receiving.cancel()
      running.cancel()
      _ = await receiving.result
      _ = await running.result
      #expect(seen.withLockedValue { $0.count } == 250)
    }
  }
}
