// SPDX-License-Identifier: Apache-2.0

import BusModel
import GRDB
import NIOConcurrencyHelpers
import Testing

@testable import AddressRegistry

/// An export as a script, cut off where it is told to be.
private struct ScriptedExport: PartyExporting {
  var batches: [[PartyResult]]
  var breaksOff = false
  var lastEventID: String?

  func export(_ take: @Sendable ([PartyResult]) async throws -> Void) async throws -> PartyExportEnd {
    for batch in self.batches { try await take(batch) }
    if self.breaksOff { throw AddressRegistryError.registerConnectionLost(url: "u", seen: "cut") }
    let all = self.batches.flatMap(\.self)
    return PartyExportEnd(lastEventID: self.lastEventID, parties: all.count, unreadable: all.count { $0.failure != nil })
  }
}

/// Pages of events as a script.
private struct ScriptedEvents: PartyEventReading {
  var pages: [String: PartyEventPage]
  func events(after eventID: String?) async throws -> PartyEventPage {
    self.pages[eventID ?? ""] ?? PartyEventPage(events: [], failures: [], lastEventID: eventID, hasMore: false)
  }
}

@Suite("A sync brings the cache up to the register, and one bad party stops nobody")
struct RegistrySyncTests {
  private let clock = TestClock()

  @Test("party by party over SOAP: new, changed, as they were, and unreadable")
  func parties() async throws {
    try await RegisterHarness.run { harness in
      try await withCache { cache in
        let told = NIOLockedValueBox<[SyncProgress]>([])
        let sync = RegistrySync(cache: cache, clock: self.clock) { progress in told.withLockedValue { $0.append(progress) } }
        let all = family().map(\.herID)
        let first = try await sync.parties(all + [her(999)], from: harness.reader, concurrency: 3)
        #expect(first.added == all)
        #expect(first.failures.map(\.herID) == [her(999)])
        #expect(first.failures.first?.error.stableCode == "AR-201")
        #expect(told.withLockedValue { $0.last } == SyncProgress(done: 5, total: 5, failed: 1))
        #expect(try await cache.parties().map(\.record) == family())

        self.clock.advance(by: .seconds(60))
        try harness.server.put(try family()[3].moved(to: tjenestebuss))
        let second = try await sync.parties(all, from: harness.reader)
        #expect(second.confirmed == 3)
        let difference = try #require(second.changed.first)
        #expect(difference.herID == her(103))
        #expect(difference.fields.map(\.name) == ["address E_SB_ASYNC", "address E_SB_ERROR", "address E_SB_SYNC"])
        #expect(difference.fields[0].before == "sb.test.nhn.no/DigitalDialog/103_async")
        #expect(difference.fields[0].after == "tb.test.nhn.no/NHNTESTServiceBus/103_async")
      }
    }
  }

  @Test("an export: who is not in it is missing, its row aged and kept; who cannot be read is not called missing")
  func export() async throws {
    try await withCache { cache in
      for number in Int32(1)...3 { try await cache.save(party(number), source: .soap, readAt: start, now: start) }
      try await cache.save(party(4), source: .file, readAt: start, now: start)
      self.clock.advance(by: .seconds(60))
      let bad = PartyFailure(herID: her(2), place: 2, error: .registerAnswerIncomplete(url: "u", missing: "Active"))
      let report = try await RegistrySync(cache: cache, clock: self.clock).export(
        from: ScriptedExport(batches: [[.party(party(1)), .unreadable(bad)], [.party(party(5))]], lastEventID: "77"))
      #expect(report.confirmed == 1 && report.added == [her(5)])
      #expect(report.failures == [bad])
      #expect(report.missing == [her(3)])
      #expect(try await cache.party(her(3))?.record == party(3))
      #expect(try await cache.party(her(3))?.readAt == RegistryInstant(millisecondsSinceEpoch: 0))
      #expect(try await cache.party(her(2))?.readAt == start)
      #expect(try await cache.party(her(4))?.readAt == start)
      #expect(try await cache.party(her(1))?.source == .rest)
    }
  }

  @Test("a party without even a number may be anybody: then nobody is called missing")
  func anonymous() async throws {
    try await withCache { cache in
      try await cache.save(party(1), source: .soap, readAt: start, now: start)
      self.clock.advance(by: .seconds(60))
      let nobody = PartyFailure(herID: nil, place: 1, error: .registerAnswerIncomplete(url: "u", missing: "HerId"))
      let report = try await RegistrySync(cache: cache, clock: self.clock).export(
        from: ScriptedExport(batches: [[.unreadable(nobody)]]))
      #expect(report.missing.isEmpty)
    }
  }

  @Test("an export that breaks off: the cache is as it was, nobody is missing, and the error says so")
  func brokenOff() async throws {
    try await withCache { cache in
      try await cache.save(party(1), source: .soap, readAt: start, now: start)
      let many = (Int32(10)..<700).map { PartyResult.party(party($0)) }
      let error = await failure {
        try await RegistrySync(cache: cache, clock: self.clock).export(from: ScriptedExport(batches: [many], breaksOff: true))
      }
      #expect(error?.stableCode == "AR-403")
      #expect(try await cache.parties().map(\.record) == [party(1)])
      #expect(try await cache.party(her(1))?.readAt == start)
    }
  }

  @Test("a packed export that is damaged at its end, where only its checksum tells: nothing of it is in the cache")
  func damagedExport() async throws {
    try await RESTHarness.run(records: (Int32(1)...1_500).map { party($0, name: "right") }) { harness in
      try await withCache { cache in
        try await cache.save(party(1, name: "before"), source: .soap, readAt: start, now: start)
        harness.server.damageExportChecksums(true)
        let sync = RegistrySync(cache: cache)
        let error = await failure { try await sync.export(from: harness.parties) }
        #expect(error?.stableCode == "AR-406")
        #expect(try await cache.parties().map(\.record.name) == ["before"])
        harness.server.damageExportChecksums(false)
        #expect(try await sync.export(from: harness.parties).added.count == 1_499)
        #expect(try await cache.parties().allSatisfy { $0.record.name == "right" })
      }
    }
  }

  @Test("a row that is damaged is read anew, and counted as that")
  func damagedRow() async throws {
    try await withCache { cache in
      for number in [Int32(1), 2] { try await cache.save(party(number), source: .soap, readAt: start, now: start) }
      try await cache.database.write { try $0.execute(sql: "UPDATE party SET read_at_ms = read_at_ms + 1 WHERE her_id = 1") }
      #expect(await failure { try await cache.party(her(1)) }?.stableCode == "AR-107")
      let report = try await RegistrySync(cache: cache, clock: self.clock).parties(
        [her(1), her(2)], from: ScriptedRegister([party(1), party(2)]))
      #expect(report.mended == [her(1)] && report.confirmed == 1 && report.readCount == 2)
      #expect(try await cache.verify() == 2)
    }
  }

  @Test("a note in the file that is damaged is an error, never another note: events would be passed over")
  func damagedMark() async throws {
    try await withCache { cache in
      try await cache.setMark("party events", "event-77")
      #expect(try await cache.mark("party events") == "event-77")
      for damaged in ["event-78", "", "party events:event-77"] {
        try await cache.database.write { database in
          let sealed = try String.fetchOne(database, sql: "SELECT value FROM mark") ?? ""
          let text = damaged == "event-78" ? sealed.replacing("77", with: "78") : damaged
          try database.execute(sql: "UPDATE mark SET value = ?", arguments: [text])
        }
        #expect(await failure { try await cache.mark("party events") }?.stableCode == "AR-106")
        #expect(
          await failure {
            try await RegistrySync(cache: cache).events(from: ScriptedEvents(pages: [:]), reader: ScriptedRegister([]))
          }?.stableCode == "AR-106")
        try await cache.setMark("party events", "event-77")
      }
      // One name's note is not another's.
      try await cache.database.write { try $0.execute(sql: "UPDATE mark SET name = 'another'") }
      #expect(await failure { try await cache.mark("another") }?.stableCode == "AR-106")
    }
  }

  @Test("events: from where the export ended, the last of a party counts, what is not in one is read by number")
  func events() async throws {
    try await withCache { cache in
      let sync = RegistrySync(cache: cache, clock: self.clock)
      _ = try await sync.export(from: ScriptedExport(batches: [[.party(party(1)), .party(party(2))]], lastEventID: "7"))
      self.clock.advance(by: .seconds(60))
      func event(_ id: String, _ number: Int32, _ record: PartyRecord?) -> PartyEvent {
        PartyEvent(id: id, kind: .updated, herID: her(number), time: nil, party: record.map { .party($0) })
      }
      let moved = try party(1).moved(to: tjenestebuss)
      let pages = [
        "7": PartyEventPage(
          events: [event("8", 1, party(1, name: "between")), event("9", 1, moved)], failures: [], lastEventID: "9", hasMore: true),
        "9": PartyEventPage(events: [event("10", 2, nil)], failures: [], lastEventID: "10", hasMore: false),
      ]
      let register = ScriptedRegister([party(2, name: "renamed")])
      let (report, isSure) = try await sync.events(from: ScriptedEvents(pages: pages), reader: register)
      #expect(isSure)
      #expect(report.changed.map(\.herID) == [her(1), her(2)])
      #expect(try await cache.party(her(1))?.record == moved)
      #expect(try await cache.party(her(2))?.record.name == "renamed")
      let (again, _) = try await sync.events(from: ScriptedEvents(pages: pages), reader: register)
      #expect(again == SyncReport())
    }
  }

  @Test("the nightly compare: silent differences, foreign changes, parties that are gone; nothing is changed by it")
  func comparison() async throws {
    try await withCache { cache in
      for record in family() { try await cache.save(record, source: .soap, readAt: start, now: start) }
      let records = family()
      let written = try records[3].moved(to: tjenestebuss)
      var foreign = written
      foreign.addresses[0].text = "elsewhere.example.no/x/103_async"
      let register = ScriptedRegister([records[0], records[1], foreign])
      let entries = try await cache.parties()
      let result = try await RegistryComparison(register: register, concurrency: 2).compare(
        entries, written: [her(103): .init(before: records[3], after: written)])
      #expect(result.compared == 4)
      #expect(result.silent.map(\.herID) == [her(103)])
      #expect(result.foreign.map(\.herID) == [her(103)])
      #expect(result.foreign.first?.fields.map(\.after) == ["elsewhere.example.no/x/103_async"])
      #expect(result.gone == [her(102)])
      #expect(!result.isAgreed)
      #expect(try await cache.parties() == entries)

      register.put(written)
      register.put(records[2])
      try await cache.save(written, source: .soap, readAt: start.advanced(by: .seconds(1)), now: start.advanced(by: .seconds(1)))
      let agreed = try await RegistryComparison(register: register).compare(
        try await cache.parties(), written: [her(103): .init(before: records[3], after: written)])
      #expect(agreed.isAgreed && agreed.compared == 4)
    }
  }

  @Test("written, taken back, or somebody else's hand")
  func threeWay() throws {
    let before = party(1)
    let written = try before.moved(to: tjenestebuss)
    #expect(ThreeWayVerdict.judge(before: before, written: written, now: written) == .asWritten)
    #expect(ThreeWayVerdict.judge(before: before, written: written, now: before) == .asBefore)
    var other = written
    other.active = false
    guard case .foreignChange(let difference) = ThreeWayVerdict.judge(before: before, written: written, now: other) else {
      Issue.record("no foreign change was seen")
      return
    }
    #expect(difference.fields == [.init(name: "active", before: "true", after: "false")])
  }

  @Test("every field of a record that changes is told, each by its name; order alone is nothing")
  func everyField() throws {
    let record = family()[1]
    #expect(RecordDifference(from: record, to: record) == nil)
    var reordered = record
    reordered.addresses.reverse()
    #expect(RecordDifference(from: record, to: reordered) == nil)
    let changes: [(String, (inout PartyRecord) -> Void)] = [
      ("name", { $0.name = "x" }), ("kind", { $0.kind = .person }), ("parent", { $0.parent = nil }),
      ("active", { $0.active.toggle() }), ("valid", { $0.valid.toggle() }),
      ("organisation number", { $0.organisationNumber = 1 }), ("address E_SB_SYNC", { $0.addresses[1].text = "a/b" }),
      ("address E_SB_ASYNC", { $0.addresses[0].inherited.toggle() }), ("address E_SB_ERROR", { $0.addresses.remove(at: 2) }),
      ("address E_EDI", { $0.addresses.append(.init(typeCode: "E_EDI", text: "x@example.no", inherited: false)) }),
      ("future address E_SB_ASYNC", { $0.futureAddresses = [.init(address: $0.addresses[0], validFrom: "2026-12-01T00:00:00")] }),
    ]
    for (name, change) in changes {
      var changed = record
      change(&changed)
      #expect(RecordDifference(from: record, to: changed)?.fields.map(\.name) == [name])
      #expect(changed.hash != record.hash)
    }
  }
}
