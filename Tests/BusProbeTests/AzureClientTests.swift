// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import ForeignPrograms
import Foundation
import Testing
import TjenestebussTesting

@testable import BusProbe

@Suite("What Microsoft's own Python client sees on the Azure dialect is what we count and sight", .timeLimit(.minutes(10)))
struct AzureClientTests {
  /// A message as azure-servicebus shows it.
  private struct Shown: Decodable, Hashable {
    var dead: Bool
    var state: String
    var sequence: Int64
    var id: String
    var correlation: String?
    var subject: String?
    var from: String?
    var to: String?
    var system: String?
    var enqueued: Int64?
    var deliveries: Int64?
    var reason: String?
  }

  private func python(_ broker: InMemoryBroker, _ arguments: [String]) async throws -> [Shown] {
    let port = String(try #require(broker.port))
    let result = try await ForeignPython.run("azure_peek.py", [port, "q"] + arguments)
    #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
    return try result.output.split(separator: "\n").map { try JSONDecoder().decode(Shown.self, from: Data($0.utf8)) }
  }

  private func shown(_ sighting: MessageSighting) -> Shown {
    let state =
      switch sighting.state {
      case .active, .locked, .deadLettered: "ACTIVE"
      case .deferred: "DEFERRED"
      case .scheduled: "SCHEDULED"
      }
    return Shown(
      dead: sighting.state == .deadLettered, state: state, sequence: sighting.sequenceNumber ?? -1,
      id: sighting.messageID ?? "", correlation: sighting.correlationID, subject: sighting.subject,
      from: sighting.fromHerID?.description, to: sighting.toHerID?.description, system: sighting.system,
      enqueued: sighting.enqueuedAt, deliveries: sighting.deliveryCount, reason: sighting.deadLetterReason)
  }

  @Test("Active, deferred, scheduled and dead: the same messages with the same facts, in the same numbers, and nothing is taken")
  func same() async throws {
    try await InMemoryBroker.withBroker(.init(dialect: .azureServiceBus, queues: ["q"])) { broker in
      let theirs = try await self.python(broker, ["lay"])
      #expect(theirs.count == 9)
      try await AMQPConnection.withConnection(broker.clientConfiguration()) { connection in
        // Pages smaller than what lies there: several are put together.
        let peeking = ServiceBusPeeking(timeout: .seconds(60), pageSize: 2) { connection }
        let ours = await peeking.look(at: "q")
        let dead = await peeking.look(at: "q/$DeadLetterQueue")
        #expect(!ours.hasMore && !dead.hasMore)
        let seen = try #require(ours.sightings) + (try #require(dead.sightings))
        // When a scheduled message came is not said before it has come.
        #expect(seen.map(self.shown).filter { $0.state != "SCHEDULED" } == theirs.filter { $0.state != "SCHEDULED" })
        #expect(seen.map(\.sequenceNumber) == theirs.map(\.sequence))
        #expect(seen.filter { $0.state == .scheduled }.map(\.messageID) == ["m8", "m9"])
        #expect(seen.allSatisfy { $0.sentAt == 1_789_997_600_000 }, "\(seen.map(\.sentAt))")
        #expect(Set(theirs.filter(\.dead).map(\.reason)) == ["unreadable", "unknown receiver"])

        let counting = PeekCounting(peeking)
        let count = try #require(await counting.read("q").count)
        func number(_ state: String) -> Int64 { Int64(theirs.count { !$0.dead && $0.state == state }) }
        #expect(
          count.figures
            == QueueFigures(
              active: number("ACTIVE"), deferred: number("DEFERRED"), scheduled: number("SCHEDULED"),
              deadLettered: Int64(theirs.count(where: \.dead))))
        #expect(count.messages == theirs.count { !$0.dead })
        #expect(await counting.read("q/$DeadLetterQueue").count?.messages == 2)
      }
      let taken = try await self.python(broker, ["take", "4", "2"])
      #expect(Set(taken.filter { !$0.dead }.map(\.id)) == ["m4", "m5", "m6", "m7"], "looking had taken something")
      #expect(Set(taken.filter(\.dead).map(\.id)) == ["m1", "m2"])
    }
  }
}
