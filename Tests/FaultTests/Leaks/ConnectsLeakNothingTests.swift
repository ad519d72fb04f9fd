// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Foundation
import Testing
import TjenestebussTesting

/// Connect, attach a sender and a receiver, send, receive, settle, close: over and over, against the embedded broker in the same
/// process, so that what either side keeps shows.
///
/// In the ordinary run 500 times, and what is counted is this test's own: descriptors of its port, parts of connections, what the
/// broker has left. `scripts/leaks` has it run 10,000 times and alone in its process: then memory, descriptors and threads of the
/// whole process are measured too (`TJENESTEBUSS_CONNECTS`).
@Suite("Connects leave nothing behind")
struct ConnectsLeakNothingTests {
  private static let alone = ProcessInfo.processInfo.environment["TJENESTEBUSS_CONNECTS"].flatMap { Int($0) }
  private static let workers = 4
  /// What 8,000 connects may add, in kilobytes: half a kilobyte each, for what the allocator scatters. What Proton alone keeps for
  /// one connection is a hundred times that.
  private static let allowedGrowth = 4_096

  private static func round(_ number: Int, of worker: Int, _ broker: InMemoryBroker, _ owner: String) async throws {
    let queue = "q\(worker)"
    let connection = try await AMQPConnection.open(try broker.clientConfiguration(containerID: owner))
    let sender = try await connection.openSender(to: broker.sendingAddress(queue))
    let receiver = try await connection.openReceiver(from: broker.receivingAddress(queue), credit: 1)
    let message = AMQPMessage(
      header: AMQPHeader(durable: true), properties: AMQPProperties(messageID: .string("\(worker)-\(number)")),
      body: .data([UInt8](repeating: 7, count: 1_000)))
    #expect(try await sender.send(message) == .accepted)
    let delivery = try #require(try await receiver.nextBatch()?.first)
    try delivery.accept()
    if number.isMultiple(of: 2) {
      await receiver.close()
      await sender.close()
    }
    await connection.close()
  }

  private static func rounds(_ count: Int, _ broker: InMemoryBroker, _ owner: String) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<Self.workers {
        group.addTask {
          for number in 0..<count / Self.workers { try await Self.round(number, of: worker, broker, owner) }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("whatever is counted is as it was before", .timeLimit(.minutes(30)))
  func connects() async throws {
    let count = Self.alone ?? 500
    let owner = "connects-\(UInt64.random(in: .min ... .max))"
    let queues = (0..<Self.workers).map { "q\($0)" }
    try await InMemoryBroker.withBroker(
      .init(dialect: .rabbitMQ4AddressV2, path: "NHNTESTServiceBus", queues: queues.map { BrokerQueue($0) })
    ) { broker in
      let begun = ContinuousClock.now
      var uses: [(connects: Int, use: ProcessUse)] = []
      for fifth in 1...5 {
        try await Self.rounds(count / 5, broker, owner)
        // The broker's side of the last connections may end a moment later.
        let snapshot = try await broker.waitUntil("no connection") { $0.connections.isEmpty }
        for queue in queues { #expect(snapshot.depth(of: queue) == 0) }
        await LiveCount.whenNothingIsLeft(of: owner).uncancelledValue()
        uses.append((fifth * count / 5, try ProcessUse.now()))
      }
      guard Self.alone != nil, let first = uses.first?.use, let last = uses.last?.use else { return }
      for (connects, use) in uses { print("after \(connects) connects: \(use)") }
      print("\(count) connects in \(ContinuousClock.now - begun), \(Self.workers) at a time")
      #expect(last.resident - first.resident < Self.allowedGrowth)
      #expect(last.descriptors <= first.descriptors)
      #expect(last.threads <= first.threads)
    }
  }
}
