// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing

@Suite("The cache keeps what was read, from where, and when")
struct AddressCacheTests {
  @Test("a record comes back exactly as it was saved, with source, instant and version")
  func roundTrip() async throws {
    try await withCache { cache in
      var record = family()[1]
      record.name = "Ærøskøbing & <Sønner> 'AS'\u{1F600}"
      record.addresses.insert(
        PartyRecord.Address(typeCode: "E_DS", text: " ldap://x?a;b\n ", inherited: true), at: 1)
      record.organisationNumber = 999_999_999
      record.futureAddresses = queues(of: 7, inherited: true).map {
        PartyRecord.FutureAddress(address: $0, validFrom: "2026-12-01T00:00:00")
      }
      let saved = try await cache.save(record, source: .soap, readAt: start, now: start)
      #expect(saved.outcome == .added)
      let entry = try #require(try await cache.party(record.herID))
      #expect(entry == saved.entry)
      #expect(entry.record == record)
      #expect(entry.source == .soap)
      #expect(entry.readAt == start)
      #expect(entry.version == 1)
      #expect(entry.hash == record.hash)
      #expect(try await cache.party(her(999)) == nil)
    }
  }

  @Test("the version grows with the record, not with the reading")
  func version() async throws {
    try await withCache { cache in
      let later = start.advanced(by: .seconds(60))
      try await cache.save(party(1), source: .soap, readAt: start, now: start)
      let again = try await cache.save(party(1), source: .soap, readAt: later, now: later)
      #expect(again.outcome == .confirmed)
      #expect(again.entry.version == 1)
      #expect(again.entry.readAt == later)
      let moved = try await cache.save(try party(1).moved(to: tjenestebuss), source: .soap, readAt: later, now: later)
      #expect(moved.outcome == .changed)
      #expect(moved.entry.version == 2)
    }
  }

  @Test("an answer that was overtaken does not put an old address back")
  func overtaken() async throws {
    try await withCache { cache in
      let later = start.advanced(by: .seconds(5))
      let after = try party(1).moved(to: tjenestebuss)
      try await cache.save(after, source: .soap, readAt: later, now: later)
      let late = try await cache.save(party(1), source: .soap, readAt: start, now: later)
      #expect(late.outcome == .keptNewer)
      #expect(late.entry.record == after)
      #expect(try await cache.party(her(1))?.record == after)
    }
  }

  @Test("a row from the future gives way: the clock was set back, and the row would stand for ever")
  func future() async throws {
    try await withCache { cache in
      try await cache.save(party(1), source: .soap, readAt: start.advanced(by: .seconds(9_999)), now: start)
      let moved = try party(1).moved(to: tjenestebuss)
      #expect(try await cache.save(moved, source: .soap, readAt: start, now: start).outcome == .changed)
      #expect(try await cache.party(her(1))?.record == moved)
    }
  }

  @Test("children and all parties come in order of HER-ID")
  func lists() async throws {
    try await withCache { cache in
      for record in family().reversed() { try await cache.save(record, source: .soap, readAt: start, now: start) }
      #expect(try await cache.parties().map(\.record) == family())
      #expect(try await cache.children(of: her(100)).map(\.record.herID) == [her(101), her(102), her(103)])
      #expect(try await cache.children(of: her(103)).isEmpty)
    }
  }

  @Test("an import takes all in, and leaves rows that the register itself gave unless told otherwise")
  func importing() async throws {
    try await withCache { cache in
      try await cache.save(party(103, parent: 100), source: .soap, readAt: start, now: start)
      let later = start.advanced(by: .seconds(10))
      var records = family()
      records[3].name = "Legevakten, ifølge filen"
      let first = try await cache.importParties(records, readAt: later, now: later)
      #expect(first.added == [her(100), her(101), her(102)])
      #expect(first.keptFromRegister == [her(103)])
      #expect(try await cache.party(her(103))?.source == .soap)
      let second = try await cache.importParties(records, readAt: later, now: later, overRegister: true)
      #expect(second.confirmed == [her(100), her(101), her(102)])
      #expect(second.changed == [her(103)])
      #expect(try await cache.party(her(103))?.source == .file)
    }
  }

  @Test("a cancelled caller gets a cancellation, not an error of the cache")
  func cancelled() async throws {
    try await withCache { cache in
      try await cache.save(party(1), source: .soap, readAt: start, now: start)
      let gate = Gate()
      let reader = Task {
        try? await gate.pass()
        return try await cache.party(her(1))
      }
      reader.cancel()
      await #expect(throws: CancellationError.self) { try await reader.value }
    }
  }
}
