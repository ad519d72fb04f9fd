// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing

@testable import BusProbe

@Suite("Counting by looking")
struct PeekCountingTests {
  /// Nothing waits, and what the dead letters below are is up to the test.
  private struct Looks: QueuePeeking {
    let way = DialectCapabilities.Counting.peek
    let dead: SightingReading.Value
    var hasMore = false

    func look(at queue: String, from sequenceNumber: Int64?, atMost bound: Int) async -> SightingReading {
      let isDead = queue.hasSuffix("/$DeadLetterQueue")
      var reading = SightingReading(
        queue: queue, way: self.way, readAt: SystemRegistryClock().now, value: isDead ? self.dead : .seen([]))
      reading.hasMore = isDead && self.hasMore
      return reading
    }
  }

  @Test("dead letters that cannot be looked at are not none: the queue counts as unreadable")
  func unreadable() async {
    let error = ProbeError.countingUnreadable(way: .peek, seen: "refused")
    #expect(await PeekCounting(Looks(dead: .unreadable(error))).read("q").value == .unreadable(error))
  }

  @Test("of more than is looked at the bound is told, which is more than there was before")
  func bound() async {
    let looks = Looks(dead: .seen([MessageSighting(state: .deadLettered), MessageSighting(state: .deadLettered)]), hasMore: true)
    #expect(await PeekCounting(looks, bound: 2).read("q").count?.figures?.deadLettered == 2)
  }
}
