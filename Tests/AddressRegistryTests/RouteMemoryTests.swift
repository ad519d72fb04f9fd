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
    memory.route(her(1), .asynchronous, bothBuses, now: self.later, oldest: self.later.advanced(by: .seconds(-3_600)))?.bus
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

  private func table(_ entries: RegistryEntry...) -> RouteTable {
    var table = RouteTable(buses: bothBuses)
    for entry in entries { table.put(entry) }
    return table
  }

  @Test("a look-up that begins while the whole file is read does not make the reading worth nothing")
  func lookWhileLoading() throws {
    let memory = RouteMemory()
    memory.beginLoad(bothBuses)
    let look = try #require(memory.lookIfDue(bothBuses, now: self.later))
    memory.looked(look, [], change: 10, at: self.later) { _ in true }
    let table = self.table(self.entry(party(1), readAt: start), self.entry(party(2), readAt: start))
    #expect(memory.loaded(table, change: 10, readAt: self.later) { _ in false })
    #expect(self.bus(memory) == "servicebus")
    #expect(memory.count == 2)
  }

  @Test("the file was written while it was read: the news come with the next look, and until then nobody is led by the earlier")
  func writtenWhileLoading() throws {
    let memory = try self.memory()
    memory.beginLoad(bothBuses)
    let look = try #require(memory.lookIfDue(bothBuses, now: self.later))
    let moved = self.entry(try party(1).moved(to: tjenestebuss), readAt: self.later)
    memory.looked(look, [moved], change: 15, at: self.later) { _ in true }
    #expect(self.bus(memory) == "tjenestebuss")
    #expect(memory.loaded(self.table(self.entry(party(1), readAt: start)), change: 12, readAt: self.later) { _ in false })
    #expect(self.bus(memory) == nil)
    let next = try #require(memory.lookIfDue(bothBuses, now: self.later))
    #expect(next.change == 12)
    memory.looked(next, [moved], change: 15, at: self.later) { _ in true }
    #expect(self.bus(memory) == "tjenestebuss")
  }

  @Test("a party that is taken out while the file is read does not come back with it, nor one that was read before it")
  func removedWhileLoading() throws {
    let memory = try self.memory()
    let epoch = memory.epoch
    memory.beginLoad(bothBuses)
    memory.beginLoad(bothBuses)
    memory.remove(her(1))
    let table = self.table(self.entry(party(1), readAt: start), self.entry(party(2), readAt: start))
    #expect(memory.loaded(table, change: 10, readAt: self.later) { _ in false })
    #expect(self.bus(memory) == nil && memory.count == 1)
    #expect(memory.loaded(table, change: 10, readAt: self.later) { _ in false })
    #expect(self.bus(memory) == nil && memory.count == 1)
    memory.put(self.entry(party(1), readAt: start), ifStill: epoch)
    #expect(self.bus(memory) == nil)
    // The next reading of the file knows nothing of it any more.
    memory.beginLoad(bothBuses)
    #expect(memory.loaded(table, change: 10, readAt: self.later) { _ in false })
    #expect(memory.count == 2)
  }
}
