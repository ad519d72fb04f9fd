// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import Foundation
import Migration
import Testing

@testable import MigrationEngine

@Suite("A dry run: what an order would carry, and what it cannot tell")
struct ForwardingTrialTests {
  private static let now = Instant(milliseconds: 1_800_000_000_000)

  private func queue(
    _ kind: QueueKind = .asynchronous, _ dialect: Dialect, lying: Int, sightings: [MessageSighting]? = nil,
    order change: (inout ForwardingOrder) -> Void = { _ in }
  ) throws -> ForwardingTrial.Queue {
    var order = ForwardingOrder(approvals: [])
    change(&order)
    let readAt = RegistryInstant(millisecondsSinceEpoch: Self.now.milliseconds)
    return ForwardingTrial.Queue(
      kind, from: try QueueAddress(text: "a.example/NHN/1_x"), to: try QueueAddress(text: "b.example/NHN/1_x"), order: order,
      dialect: dialect,
      depth: DepthReading(
        queue: "1_x", way: .peek, readAt: readAt,
        value: .counted(QueueCount(messages: lying, includesUnsettled: true, consumers: nil))),
      sightings: sightings.map { SightingReading(queue: "1_x", way: .peek, readAt: readAt, value: .seen($0)) }, now: Self.now)
  }

  private func sighting(
    _ state: MessageSighting.State = .active, expires: Int64? = nil, deliveries: Int64 = 0
  ) -> MessageSighting {
    var sighting = MessageSighting(state: state)
    sighting.enqueuedAt = Self.now.milliseconds - 60_000
    sighting.expiresAt = expires
    sighting.deliveryCount = deliveries
    return sighting
  }

  @Test("where the bus shows its messages each is judged by its metadata")
  func shown() throws {
    let now = Self.now.milliseconds
    let queue = try self.queue(
      .asynchronous, .azureServiceBus, lying: 6,
      sightings: [
        self.sighting(), self.sighting(expires: now + 1), self.sighting(expires: now), self.sighting(.locked),
        self.sighting(.scheduled), self.sighting(deliveries: 7),
      ]
    ) { $0.deliveryLimit = 10 }
    #expect(queue.looked == 6 && queue.wouldCarry == 2)
    #expect(queue.wouldStay["expired"] == 1 && queue.wouldStay.values.reduce(0, +) == 4)
    #expect(queue.cannotTell.contains { $0.hasPrefix("which are poison") })
    let text = ForwardingTrialText.text(ForwardingTrial(now: Self.now, queues: [queue]))
    #expect(text.contains("nothing was taken") && text.contains("1 would stay, expired"))
  }

  @Test("where it shows none, only the count is told, and what it does not tell is said")
  func notShown() throws {
    let queue = try self.queue(.asynchronous, .rabbitMQ3, lying: 3)
    #expect(queue.lying == 3 && queue.looked == nil && queue.wouldCarry == nil)
    #expect(queue.cannotTell.contains { $0.contains("shows no message without handing it out") })
  }

  @Test("synchronous messages are left to expire, dead letters are carried by choice alone")
  func kinds() throws {
    let sync = try self.queue(.synchronous, .azureServiceBus, lying: 2)
    #expect(!sync.isCarried && sync.cannotTell.contains { $0.contains("left to expire") })
    #expect(try !self.queue(.deadLetter, .activeMQ, lying: 1).isCarried)
    #expect(try self.queue(.deadLetter, .activeMQ, lying: 1, sightings: []) { $0.queues.append(.deadLetter) }.isCarried)
  }
}
