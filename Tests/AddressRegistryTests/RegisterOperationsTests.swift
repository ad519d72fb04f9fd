// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing
import TjenestebussTesting

@Suite("The register's other questions: organisations, search, change log, last changes", .timeLimit(.minutes(10)))
struct RegisterOperationsTests {
  /// A family whose records have all the facts that the register can give.
  private static func rich() -> [PartyRecord] {
    var records = family()
    for index in records.indices { records[index].organisationNumber = 999_999_100 }
    records[1].kind = .person
    records[3].futureAddresses = [
      PartyRecord.FutureAddress(address: queues(of: 103, host: "tb.test.nhn.no")[0], validFrom: "2026-12-01T00:00:00")
    ]
    return records
  }

  @Test("an organisation comes with all below it, services first", arguments: soapVersions)
  func organisation(_ version: SOAPVersion) async throws {
    let records = Self.rich()
    try await RegisterHarness.run(version, records: records) { harness in
      let entry = try await harness.reader.organisation(her(100))
      #expect(entry.organisation == records[0])
      #expect(entry.below == [.party(records[2]), .party(records[3]), .party(records[1])])
      for record in records {
        let read = try await harness.reader.party(record.herID)
        #expect(read == record)
        #expect(read.hash == record.hash)
      }
    }
  }

  @Test("who is no organisation, or nobody, is unknown as one")
  func noOrganisation() async throws {
    try await RegisterHarness.run { harness in
      for number: Int32 in [103, 999] {
        #expect(
          await failure { try await harness.reader.organisation(her(number)) } == .partyUnknown(her(number), askedRegister: true))
      }
    }
  }

  @Test("a search goes page by page to the end", arguments: soapVersions)
  func search(_ version: SOAPVersion) async throws {
    let records = (Int32(1)...23).map { party($0, name: "Kontor \($0 % 2 == 0 ? "<Øst>" : "Vest")") }
    try await RegisterHarness.run(version, records: records) { harness in
      let all = Pages()
      try await harness.reader.searchAll(PartySearch(constraints: [], pageSize: 10)) { await all.take($0) }
      #expect(await all.hits.map(\.record) == records)
      #expect(await all.pages == [1, 2, 3])
      let east = Pages()
      let search = PartySearch(constraints: [PartySearch.Constraint("Name", "<øst>")], pageSize: 5)
      try await harness.reader.searchAll(search) { await east.take($0) }
      #expect(await east.hits.map(\.herID) == records.filter { $0.name.contains("Øst") }.map(\.herID))
      #expect(await east.total == 11)
    }
  }

  private actor Pages {
    var hits: [PartyHit] = []
    var pages: [Int] = []
    var total: Int?
    func take(_ page: PartyPage) {
      self.hits += page.hits
      self.pages.append(page.page)
      self.total = page.total
    }
  }

  /// A register that never comes to an end.
  private struct Endless: PartySearching {
    func search(_ search: PartySearch, page: Int) async throws -> PartyPage {
      PartyPage(page: page, hits: [PartyHit(herID: her(1), name: "", record: nil)], failures: [], total: 1_000)
    }
  }

  @Test("a register that shows the same page again and again does not keep us")
  func endless() async throws {
    let pages = Pages()
    try await Endless().searchAll(PartySearch(constraints: [], pageSize: 1)) { await pages.take($0) }
    #expect(await pages.pages == [1])
  }

  @Test("a search the register does not understand is its fault, told by its code; one that cannot be sent is ours")
  func badSearch() async throws {
    try await RegisterHarness.run { harness in
      let strange = PartySearch(constraints: [PartySearch.Constraint("Shoe", "44")])
      guard
        case .registerFault(_, "InvalidSearchConstraint", _)? = await failure({
          try await harness.reader.search(strange, page: 1)
        })
      else {
        Issue.record("not as expected")
        return
      }
      let control = PartySearch(constraints: [PartySearch.Constraint("Name", "\u{0}")])
      #expect(await failure { try await harness.reader.search(control, page: 1) }?.stableCode == "AR-410")
      #expect(await failure { try await harness.reader.search(strange, page: 0) }?.stableCode == "AR-410")
    }
  }

  @Test("the change log says what was done, and last changes tell who is to be read anew", arguments: soapVersions)
  func changes(_ version: SOAPVersion) async throws {
    let clock = VirtualClock()
    try await RegisterHarness.run(version, adjust: { $0.clock = clock }) { harness in
      let everybody = family().map(\.herID)
      let before = try await harness.reader.lastChanges(of: everybody + [her(999)])
      #expect(Set(before.keys) == Set(everybody))
      #expect(try await harness.reader.changeLog(her(103)).isEmpty)
      #expect(await harness.writer.switchToBus(her(103), bus: "tjenestebuss", operationID: "op-1") == .acknowledged)
      let after = try await harness.reader.lastChanges(of: everybody)
      #expect(after.filter { before[$0.key] != $0.value }.keys.sorted() == [her(103)])
      let log = try await harness.reader.changeLog(her(103))
      #expect(log.map(\.description) == ["SwitchBus"])
      #expect(log.first?.changes.map(\.name) == ["ElectronicAddresses"])
      #expect(log.first?.time == after[her(103)])
      #expect(await failure { try await harness.reader.changeLog(her(999)) }?.stableCode == "AR-201")
      let nobody = try await harness.reader.lastChanges(of: [])
      #expect(nobody.isEmpty)
    }
  }

  @Test("each operation's cache lags behind writes by its own time, and no longer")
  func lags() async throws {
    let clock = VirtualClock()
    try await RegisterHarness.run(adjust: {
      $0.clock = clock
      $0.lags = [.details: .seconds(60), .organisation: .seconds(600)]
    }) { harness in
      let reader = harness.reader
      func async(_ record: PartyRecord) -> String { record.addresses.first?.text ?? "" }
      _ = try await (reader.party(her(100)), reader.organisation(her(100)))
      _ = await harness.writer.switchToBus(her(100), bus: "tjenestebuss", operationID: "op-1")
      // Nobody had asked for this one, so no cache holds it.
      #expect(async(try await reader.party(her(101))).hasPrefix("tb."))
      #expect(async(try await reader.party(her(100))).hasPrefix("sb."))
      clock.advance(by: .seconds(61))
      #expect(async(try await reader.party(her(100))).hasPrefix("tb."))
      #expect(async(try await reader.organisation(her(100)).organisation).hasPrefix("sb."))
      clock.advance(by: .seconds(600))
      #expect(async(try await reader.organisation(her(100)).organisation).hasPrefix("tb."))
    }
  }
}
