// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import AddressRegistry

@Suite("The memory of routes, with several looks and readings under way together")
struct RouteMemoryTests {
  private let later = start.advanced(by: .seconds(1))

  private func entry(_ record: PartyRecord, readAt: RegistryInstant) -> RegistryEntry {
    RegistryEntry(record: record, source: .soap, readAt: readAt, version: 1)
  }

  private func bus(_ memory: RouteMemory) -> BusName? {
    memory.route(her(1), .asynchronous, bothBuses, now: self.later, maximumAge: .seconds(3_600))?.bus
  }

  /// A memory that has looked once, and has party 1 on the service bus.
  private func memory() throws -> RouteMemory {
    let memory = RouteMemory()
    let look = try #require(memory.lookIfDue(bothBuses, now: start))
    memory.looked(look, [], change: 10, at: start) { _ in true }
    memory.put(self.entry(party(1), readAt: start), ifStill: memory.epoch)
    return memory
  }

  @Test("a look that read the file earlier and comes later puts no old route back")
  func overtakenLook() throws {
    let memory = try self.memory()
    let slow = try #require(memory.lookIfDue(bothBuses, now: self.later))
    let quick = try #require(memory.lookIfDue(bothBuses, now: self.later))
    let moved = self.entry(try party(1).moved(to: tjenestebuss), readAt: self.later)
    memory.looked(quick, [moved], change: 15, at: self.later) { _ in true }
    memory.looked(slow, [self.entry(party(1), readAt: start)], change: 12, at: self.later) { _ in true }
    #expect(self.bus(memory) == "tjenestebuss")
  }

  @Test("what was read before the news that a party leads nowhere is not put in after them")
  func overtakenReading() throws {
    let memory = try self.memory()
    let epoch = memory.epoch
    let look = try #require(memory.lookIfDue(bothBuses, now: self.later))
    memory.looked(look, [self.entry(party(1, active: false), readAt: self.later)], change: 11, at: self.later) { _ in true }
    memory.put(self.entry(party(1), readAt: start), ifStill: epoch)
    #expect(self.bus(memory) == nil)
  }

  @Test("a first look that comes late passes over no news")
  func lateFirstLook() throws {
    let memory = RouteMemory()
    let first = try #require(memory.lookIfDue(bothBuses, now: start))
    memory.looked(first, [], change: 10, at: start) { _ in true }
    memory.put(self.entry(party(1), readAt: start), ifStill: memory.epoch)
    // It read the number of a write that moved the party, and has no entries to show for it.
    memory.looked(first, [], change: 12, at: start) { _ in true }
    let look = try #require(memory.lookIfDue(bothBuses, now: self.later))
    #expect(look.change == 10)
  }
}
