// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import Testing
import TjenestebussClient

@testable import BusProbe

@Suite("Counts, sightings and census at real brokers", .serialized, .timeLimit(.minutes(10)))
struct CountingByDialectTests {
  /// Tests that compute for a minute run beside it on the same two threads.
  private static let patience = Duration.seconds(180)

  private func send(_ count: Int, to queue: String, of broker: RealBroker, by connection: AMQPConnection) async throws {
    try await connection.withSender(to: broker.sending(to: queue)) { sender in
      for number in 0..<count {
        let outcome = try await sender.send(
          AMQPMessage(
            header: AMQPHeader(durable: true, timeToLive: 3_600_000),
            properties: AMQPProperties(messageID: .string("m\(number)"), subject: "APPREC"),
            applicationProperties: ["fromHerId": "100", "toHerId": "200", "X-SystemIdentifier": "EPJ 4"],
            body: .data(Array("patient".utf8))))
        #expect(outcome == .accepted)
      }
    }
  }

  /// The interface is seconds late and tells nobody when it is not any more: asking again is the only way.
  private func settled(
    _ read: () async -> DepthReading, _ isMet: (QueueCount) -> Bool
  ) async -> QueueCount? {
    let deadline = ContinuousClock.now + Self.patience
    var count: QueueCount?
    repeat { count = await read().count } while !(count.map(isMet) ?? false) && ContinuousClock.now < deadline
    return count
  }

  @Test("RabbitMQ: what waits and what is held, by the best ways together; the census has the queue", arguments: RealBroker.all)
  func rabbitMQ(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    let empty = try await broker.declareQueue()
    try await HTTPClient.withHTTPClient(configuration: RegisterHTTP.configuration()) { http in
      try await AMQPConnection.withConnection(try broker.configuration()) { connection in
        try await self.send(3, to: queue, of: broker, by: connection)
        let over = try #require(
          try OwnWays.overHTTP(
            broker.dialect, http: http, url: try broker.variable("MANAGEMENT_URL"), user: "guest", password: Secret("guest"),
            timeout: Self.patience))
        let own = OwnWays.counting(broker.dialect, timeout: Self.patience) { connection }
        let counting = try #require(OwnWays.ranked(own + [over], broker.dialect))
        let receiver = try await connection.openReceiver(from: broker.receiving(from: queue), credit: 1, within: Self.patience)
        let delivery = try #require(try await receiver.nextBatch()?.first)
        let wanted = QueueFigures(active: 2, locked: 1)
        let held = await self.settled({ await counting.read(queue) }) { $0.figures == wanted && $0.consumers == 1 }
        #expect(held?.figures == wanted)
        #expect(held?.messages == 3)
        #expect(held?.includesUnsettled == true)
        #expect(await counting.read("not_there_\(queue)").value == .missing)

        // The list is as late as the rest of it.
        let deadline = ContinuousClock.now + Self.patience
        var listed: DepthReading?
        var census: CensusReading
        repeat {
          census = await over.census()
          listed = census.occupied?.first { $0.queue == queue }
        } while listed?.count?.figures != wanted && ContinuousClock.now < deadline
        // Other tests make and delete queues all the while: a list of several pages may never hold still.
        if case .unreadable(.censusUnsteady) = census.value {
        } else {
          #expect(listed?.count?.messages == 3, "\(census.value)")
          #expect(census.queues?.contains { $0.queue == empty } == true)
          #expect(census.occupied?.contains { $0.queue == empty } == false)
        }
        try delivery.accept()
        await receiver.close(within: broker.dialect.capabilities.answersCloseOfLink ? .seconds(3) : .milliseconds(200))
      }
    }
    for name in [queue, empty] { try await broker.deleteQueue(name) }
  }

  @Test(
    "ActiveMQ: the statistics plugin, copies and the census say the same; nothing is taken, and nothing is left behind",
    arguments: RealBroker.proven)
  func activeMQ(_ broker: RealBroker) async throws {
    guard broker.dialect == .activeMQ else {
      // The others show nobody a message without handing it out, and have no statistics by message.
      #expect(!broker.dialect.capabilities.browses && !broker.dialect.capabilities.countsBy.contains(.statistics))
      return
    }
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await self.send(3, to: queue, of: broker, by: connection)
      let statistics = StatisticsCounting(timeout: Self.patience) { connection }
      let copies = PeekCounting(CopyPeeking(timeout: Self.patience) { connection })
      let receiver = try await connection.openReceiver(from: queue, credit: 1, within: Self.patience)
      let delivery = try #require(try await receiver.nextBatch()?.first)
      let count = try #require(await statistics.read(queue).count)
      #expect(count.messages == 3 && count.consumers == 1 && count.arrivals == 3)
      #expect(count.figures?.locked ?? 0 >= 1)
      #expect(await statistics.read("not_there_\(queue)").value == .missing)
      let census = await statistics.census()
      #expect(census.occupied?.first { $0.queue == queue }?.count?.messages == 3)
      #expect(census.queues?.contains { $0.queue.hasPrefix("ActiveMQ.Statistics") } == false, "a question made a queue")
      #expect(census.queues?.contains { $0.queue == "not_there_\(queue)" } == false)
      try delivery.release()
      await receiver.close()
      #expect(await copies.read(queue).count?.messages == 3)
      let seen = try #require(await CopyPeeking(timeout: Self.patience) { connection }.look(at: queue, atMost: 2).sightings)
      #expect(seen.map(\.messageID) == ["m0", "m1"])
      #expect(seen.allSatisfy { $0.fromHerID?.description == "100" && $0.system == "EPJ 4" && $0.subject == "APPREC" })
      // It hands a message on as it came, and says nothing of when that was.
      #expect(seen.allSatisfy { $0.enqueuedAt == nil })
      #expect(await statistics.read(queue).count?.messages == 3, "looking had taken something")
    }
    // The plugin asks nobody's leave; copies are for who may read the queue.
    try await AMQPConnection.withConnection(try broker.configuration(user: "limited", password: "limited")) { connection in
      #expect(await StatisticsCounting(timeout: Self.patience) { connection }.read(queue).count?.messages == 3)
      let copies = CopyPeeking(timeout: Self.patience) { connection }
      guard case .unreadable(let error) = await copies.look(at: queue).value else {
        Issue.record("what may not be read was seen")
        return
      }
      #expect(error.stableCode == "PROBE-105")
    }
  }
}
