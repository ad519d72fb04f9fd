// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing

@testable import BusProbe

@Suite("Several ways to count, best first")
struct RankedCountingTests {
  /// A way that says what it was told to say.
  private struct Told: QueueCounting {
    var way: DialectCapabilities.Counting
    var lag = Duration.zero
    var says: DepthReading.Value
    func read(_ queues: [String]) async -> [DepthReading] {
      queues.map {
        DepthReading(
          queue: $0, way: self.way, readAt: RegistryInstant(millisecondsSinceEpoch: 1), value: self.says, lag: self.lag)
      }
    }
  }

  private let refused = ProbeError.countingRefused(url: "http://h", status: 401)

  private func exact(_ active: Int) -> DepthReading.Value {
    .counted(
      QueueCount(messages: active, includesUnsettled: false, consumers: 1, figures: QueueFigures(active: Int64(active))))
  }

  private func late(_ ready: Int, _ locked: Int) -> DepthReading.Value {
    .counted(
      QueueCount(
        messages: ready + locked, includesUnsettled: true, consumers: 1, arrivals: 9,
        figures: QueueFigures(active: Int64(ready), locked: Int64(locked))))
  }

  private func read(_ first: DepthReading.Value, _ second: DepthReading.Value) async throws -> DepthReading {
    let ranked = try #require(
      RankedCounting([
        Told(way: .managementAMQP, says: first), Told(way: .managementHTTP, lag: .seconds(6), says: second),
      ]))
    return await ranked.read("q")
  }

  @Test("Refused: the next way gives the count, and the reading says so")
  func fallsBack() async throws {
    let reading = try await self.read(.unreadable(self.refused), self.late(2, 1))
    #expect(reading.way == .managementHTTP)
    #expect(reading.count?.messages == 3)
    #expect(reading.lag == .seconds(6))
    #expect(reading.passedOver == [.init(way: .managementAMQP, because: self.refused)])
  }

  @Test("Neither can be read: unreadable, with both reasons; never zero")
  func neither() async throws {
    let reading = try await self.read(.unreadable(self.refused), .unreadable(.countNotYet(way: .managementHTTP)))
    #expect(reading.value == .unreadable(.countNotYet(way: .managementHTTP)))
    #expect(reading.passedOver == [.init(way: .managementAMQP, because: self.refused)])
  }

  @Test("What somebody holds is added from the way that sees it; of two sums the larger counts")
  func completes() async throws {
    let held = try await self.read(self.exact(0), self.late(0, 2))
    #expect(held.way == .managementAMQP)
    #expect(held.count?.messages == 2, "a queue whose messages are handed out is not empty")
    #expect(held.count?.figures == QueueFigures(active: 0, locked: 2))
    #expect(held.count?.includesUnsettled == true)
    #expect(held.count?.arrivals == 9)
    #expect(held.lag == .seconds(6))
    // Handed out between the two looks: neither way alone sees it in its place.
    #expect(try await self.read(self.exact(0), self.late(1, 0)).count?.messages == 1)
    #expect(try await self.read(self.exact(3), self.late(1, 1)).count?.messages == 4)
  }

  @Test("Only the best can be read: its count stands, and the reading says what it leaves out")
  func onlyBest() async throws {
    let reading = try await self.read(self.exact(1), .unreadable(self.refused))
    #expect(reading.count?.messages == 1)
    #expect(reading.count?.includesUnsettled == false)
    #expect(reading.count?.figures?.locked == nil, "not known is not zero")
    #expect(reading.passedOver == [.init(way: .managementHTTP, because: self.refused)])
  }

  @Test("A missing queue is an answer, and nobody else is asked")
  func missing() async throws {
    let reading = try await self.read(.missing, self.late(1, 0))
    #expect(reading.value == .missing)
    #expect(reading.passedOver.isEmpty)
  }
}
