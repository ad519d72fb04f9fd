// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Testing
import TjenestebussTesting

@Suite("The register's REST interface: look-up, export, events", .timeLimit(.minutes(10)))
struct CommunicationPartyAPITests {
  private static func rich() -> [PartyRecord] {
    var records = family()
    for index in records.indices { records[index].organisationNumber = 100_000_001 }
    records[1].name = "Ærlige \"Åse\" \\ sønner \u{1}\n😀"
    records[1].kind = .person
    records[3].futureAddresses = [
      PartyRecord.FutureAddress(address: queues(of: 103, host: "tb.test.nhn.no")[0], validFrom: "2026-12-01T00:00:00")
    ]
    return records
  }

  @Test("a look-up over REST is the same record, with the same hash, as over SOAP")
  func lookUp() async throws {
    var records = Self.rich()
    records[1].name = "Ærlige \"Åse\" \\ sønner 😀"
    try await RESTHarness.run(records: records) { [records] harness in
      let soap = try SOAPAddressRegister(
        endpoint: try await harness.server.readerEndpoint(), credentials: registerCredentials, http: harness.http)
      for record in records {
        let read = try await harness.parties.party(record.herID)
        #expect(read == record)
        let sameOverSOAP = try await soap.party(record.herID)
        #expect(sameOverSOAP.hash == read.hash)
      }
      #expect(await failure { try await harness.parties.party(her(999)) } == .partyUnknown(her(999), askedRegister: true))
    }
  }

  @Test(
    "what goes wrong on a question, by its code",
    arguments: [
      (ScriptedRegisterFault.Kind.httpStatus(503), "AR-405"), (.breakDown, "AR-405"), (.httpStatus(403), "AR-404"),
      (.replyLostBeforeApplying, "AR-403"), (.halfDocument, "AR-406"), (.refuse(code: "x"), "AR-405"),
    ])
  func faults(_ kind: ScriptedRegisterFault.Kind, _ code: String) async throws {
    try await RESTHarness.run { harness in
      _ = try await harness.parties.party(her(101))
      harness.server.script(ScriptedRegisterFault(kind, on: [.restParty]))
      let error = await failure { try await harness.parties.party(her(101)) }
      #expect(error?.stableCode == code, "\(String(describing: error))")
      _ = try await harness.parties.party(her(101))
    }
  }

  @Test("silence ends with the time limit")
  func silence() async throws {
    try await RESTHarness.run(timeoutSeconds: 2) { harness in
      harness.server.script(ScriptedRegisterFault(.silenceBeforeApplying, on: [.restParty]))
      #expect(await failure { try await harness.parties.party(her(101)) }?.stableCode == "AR-402")
    }
  }

  @Test("an export brings every active party as it is, and where its events go on")
  func export() async throws {
    var records = Self.rich()
    records[2].active = false
    try await RESTHarness.run(records: records) { [records] harness in
      let taken = Taken()
      let end = try await harness.parties.export { taken.take($0) }
      #expect(taken.records == records.filter(\.active))
      #expect(end.parties == 3)
      #expect(end.unreadable == 0)
      try harness.server.put(party(103, name: "Omdøpt", parent: 100))
      try harness.server.put(party(104, name: "Ny", parent: 100))
      let events = try await harness.parties.events(after: end.lastEventID)
      #expect(events.events.map(\.herID) == [her(103), her(104)])
      #expect(events.events.map(\.kind) == [.updated, .created])
      #expect(events.events.last?.party == .party(party(104, name: "Ny", parent: 100)))
      #expect(!events.hasMore)
      let none = try await harness.parties.events(after: events.lastEventID)
      #expect(none.events.isEmpty)
      #expect(none.lastEventID == events.lastEventID)
    }
  }

  @Test("an export that is packed without saying so is unpacked")
  func packedSilently() async throws {
    try await RESTHarness.run(adjust: { $0.packsSilently = true }) { harness in
      let taken = Taken()
      _ = try await harness.parties.export { taken.take($0) }
      #expect(taken.records == family())
    }
  }

  @Test("one bad party is its own failure: the rest comes through")
  func badParty() async throws {
    let records = (Int32(1)...20).map { party($0) }
    try await RESTHarness.run(records: records) { harness in
      harness.server.spoil(her(3), with: "{\"HerId\":3,\"Name\":\"half\"}")
      harness.server.spoil(her(7), with: "{\"HerId\":\"seven\",\"x\":[{\"}\":\"]\"}]}")
      harness.server.spoil(her(9), with: "{\"HerId\":9,\"HerId\":10}")
      let taken = Taken()
      let end = try await harness.parties.export { taken.take($0) }
      #expect(end.parties == 20)
      #expect(end.unreadable == 3)
      #expect(end.unnamed == 2)
      #expect(!end.provesAbsence)
      #expect(taken.records == records.filter { ![3, 7, 9].contains($0.herID.value) })
      #expect(taken.all.compactMap(\.failure).map(\.place) == [3, 7, 9])
      #expect(taken.all.compactMap(\.failure).first?.herID == her(3))
    }
  }

  @Test("an export that is cut off is an error, and what was handed over before stays true")
  func cutOff() async throws {
    let records = (Int32(1)...3_000).map { party($0) }
    try await RESTHarness.run(records: records) { harness in
      harness.server.script(ScriptedRegisterFault(.halfDocument, on: [.restExport]))
      let taken = Taken()
      #expect(await failure { try await harness.parties.export { taken.take($0) } }?.stableCode == "AR-406")
      #expect(taken.records == Array(records.prefix(taken.records.count)))
      #expect(taken.records.count < records.count)
    }
  }

  @Test("what the taker throws ends the export, and is told as it is")
  func takerFails() async throws {
    struct DiskFull: Error {}
    try await RESTHarness.run { harness in
      await #expect(throws: DiskFull.self) { _ = try await harness.parties.export { _ in throw DiskFull() } }
    }
  }

  @Test("events come page by page to the end; an id that the register does not know is an error")
  func events() async throws {
    try await RESTHarness.run { harness in
      for number in 0..<250 { try harness.server.put(party(103, name: "Navn \(number)", parent: 100)) }
      let all = Pages()
      let last = try await harness.parties.allEvents(after: nil) { await all.take($0) }
      #expect(await all.events.count == 250)
      #expect(await all.pages == 3)
      #expect(await all.events.last?.id == last)
      #expect(await failure { try await harness.parties.events(after: "nonsense & more") }?.stableCode == "AR-405")
    }
  }

  private actor Pages {
    var events: [PartyEvent] = []
    var pages = 0
    func take(_ page: PartyEventPage) {
      self.events += page.events
      self.pages += 1
    }
  }

  @Test("thousands of made-up parties come through whole")
  func population() async throws {
    let records = RegisterPopulation(count: 4_000).records()
    try await RESTHarness.run(records: records) { harness in
      let taken = Taken()
      let end = try await harness.parties.export { taken.take($0) }
      #expect(end.unreadable == 0)
      #expect(taken.records == records.filter(\.active))
    }
  }
}
