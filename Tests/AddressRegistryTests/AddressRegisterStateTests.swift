// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing
import TjenestebussTesting

@Suite("The testing register's entries: inheritance at reading, writes by operation id")
struct AddressRegisterStateTests {
  private func queues(_ state: AddressRegisterState, _ number: Int32) -> [String] {
    state.record(her(number))?.addresses.filter { $0.queueKind != nil }.map { "\($0.text)\($0.inherited ? " (i)" : "")" } ?? []
  }

  @Test("a party that inherits shows its organisation's addresses, whatever it was seeded with")
  func inheritance() {
    var records = family()
    records[1].addresses = AddressRegistryTests.queues(of: 9, host: "old.example.no", inherited: true)
    let state = AddressRegisterState(records: records)
    #expect(self.queues(state, 101).first == "sb.test.nhn.no/DigitalDialog/100_async (i)")
    #expect(state.records.map(\.herID) == [her(100), her(101), her(102), her(103)])
  }

  @Test("a kind of queue that the organisation lacks is not inherited; other addresses are left alone")
  func lacking() {
    var records = family()
    records[0].addresses.removeFirst()
    records[1].addresses.append(PartyRecord.Address(typeCode: "E_FAX", text: "77286287", inherited: true))
    let state = AddressRegisterState(records: records)
    #expect(state.record(her(101))?.addresses.map(\.typeCode) == ["E_SB_SYNC", "E_SB_ERROR", "E_FAX"])
  }

  @Test("switching the organisation moves those that inherit, and logs each under the one operation id")
  func switchOrganisation() throws {
    var state = AddressRegisterState(records: family())
    let applied = try state.apply(
      .switchToBus("tjenestebuss"), to: her(100), operationID: "op-1", operation: "x", buses: bothBuses)
    #expect(applied == .changed)
    for number: Int32 in [100, 101, 102] {
      #expect(self.queues(state, number).allSatisfy { $0.hasPrefix("tb.test.nhn.no/NHNTESTServiceBus/100_") })
    }
    #expect(self.queues(state, 103).allSatisfy { $0.hasPrefix("sb.test.nhn.no") })
    #expect(state.changes.map(\.herID) == [her(100), her(101), her(102)])
    #expect(state.changes.map(\.followed) == [false, true, true])
    #expect(state.changes.allSatisfy { $0.operationID == "op-1" })
    #expect(state.changes.map(\.before) == Array(family().prefix(3)).map(\.hash))
    #expect(state.changes.map(\.after) == Array(state.records.prefix(3)).map(\.hash))
  }

  @Test("with the services below: their own queues move too, and those that inherit go on inheriting")
  func switchBelow() throws {
    var state = AddressRegisterState(records: family())
    try state.apply(
      .switchToBusWithServicesBelow("tjenestebuss"), to: her(100), operationID: "op-1", operation: "x", buses: bothBuses)
    #expect(self.queues(state, 103).first == "tb.test.nhn.no/NHNTESTServiceBus/103_async")
    #expect(self.queues(state, 101).first == "tb.test.nhn.no/NHNTESTServiceBus/100_async (i)")
    #expect(state.changes.count == 4)
  }

  @Test("switching one that inherits gives it addresses of its own")
  func switchChild() throws {
    var state = AddressRegisterState(records: family())
    try state.apply(.switchToBus("tjenestebuss"), to: her(101), operationID: "op-1", operation: "x", buses: bothBuses)
    #expect(self.queues(state, 101).first == "tb.test.nhn.no/NHNTESTServiceBus/100_async")
    #expect(self.queues(state, 100).first == "sb.test.nhn.no/DigitalDialog/100_async")
    #expect(self.queues(state, 102).first == "sb.test.nhn.no/DigitalDialog/100_async (i)")
  }

  @Test("the organisation's queue: own addresses go, inherited ones come; and back, exactly")
  func organisationQueue() throws {
    var state = AddressRegisterState(records: family())
    let before = try #require(state.record(her(103)))
    try state.apply(.useOrganisationQueue, to: her(103), operationID: "op-1", operation: "x", buses: bothBuses)
    #expect(self.queues(state, 103).first == "sb.test.nhn.no/DigitalDialog/100_async (i)")
    try state.apply(.replaceAddresses(before.addresses), to: her(103), operationID: "op-2", operation: "x", buses: bothBuses)
    #expect(state.record(her(103))?.hash == before.hash)
  }

  @Test("an inheriting party goes back to inheriting, exactly")
  func backToInheriting() throws {
    var state = AddressRegisterState(records: family())
    let before = try #require(state.record(her(101)))
    try state.apply(.switchToBus("tjenestebuss"), to: her(101), operationID: "op-1", operation: "x", buses: bothBuses)
    try state.apply(.replaceAddresses(before.addresses), to: her(101), operationID: "op-2", operation: "x", buses: bothBuses)
    #expect(state.record(her(101)) == before)
    try state.apply(.switchToBus("tjenestebuss"), to: her(100), operationID: "op-3", operation: "x", buses: bothBuses)
    #expect(self.queues(state, 101).first == "tb.test.nhn.no/NHNTESTServiceBus/100_async (i)")
  }

  @Test("an operation id is carried out once, and serves one change only")
  func idempotent() throws {
    var state = AddressRegisterState(records: family())
    try state.apply(.switchToBus("tjenestebuss"), to: her(103), operationID: "op-1", operation: "x", buses: bothBuses)
    try state.apply(.switchToBus("servicebus"), to: her(103), operationID: "op-2", operation: "x", buses: bothBuses)
    let count = state.changes.count
    // The late twin of the first write must not undo the second.
    let twin = try state.apply(.switchToBus("tjenestebuss"), to: her(103), operationID: "op-1", operation: "x", buses: bothBuses)
    #expect(twin == .repeated)
    #expect(state.changes.count == count)
    #expect(self.queues(state, 103).first?.hasPrefix("sb.") == true)
    #expect(
      throws: AddressRegisterState.Refusal.fault(
        code: "OperationIdReused", message: "The operation id was used for another change.")
    ) {
      _ = try state.apply(.switchToBus("servicebus"), to: her(103), operationID: "op-1", operation: "x", buses: bothBuses)
    }
  }

  @Test("a write to what is so already changes nothing and is logged nowhere")
  func unchanged() throws {
    var state = AddressRegisterState(records: [party(1, addresses: AddressRegistryTests.queues(of: 1))])
    let applied = try state.apply(.switchToBus("servicebus"), to: her(1), operationID: "op-1", operation: "x", buses: bothBuses)
    #expect(applied == .unchanged)
    #expect(state.changes.isEmpty)
  }

  @Test("what cannot be done is refused and changes nothing")
  func refusals() throws {
    let mail = PartyRecord.Address(typeCode: "E_EDI", text: "a@b", inherited: false)
    var state = AddressRegisterState(records: family() + [party(200, addresses: [mail]), party(201)])
    let before = state
    let refused: [(RegisterChange, Int32)] = [
      (.switchToBus("tjenestebuss"), 999), (.switchToBus("nowhere"), 100), (.switchToBus("tjenestebuss"), 200),
      (.useOrganisationQueue, 201), (.useOrganisationQueue, 999),
      (.replaceAddresses([PartyRecord.Address(typeCode: "", text: "x", inherited: false)]), 100),
      (.replaceAddresses([PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "x", inherited: false)]), 100),
    ]
    for (change, number) in refused {
      #expect(throws: AddressRegisterState.Refusal.self, "\(change) \(number)") {
        _ = try state.apply(change, to: her(number), operationID: "op-1", operation: "x", buses: bothBuses)
      }
    }
    #expect(state == before)
  }

  @Test("a stranger's change is logged without an operation id")
  func stranger() {
    var state = AddressRegisterState(records: family())
    state.put(party(103, name: "Nytt navn", parent: 100))
    #expect(state.changes.map(\.operationID) == [nil])
    #expect(state.changes.map(\.herID) == [her(103)])
  }
}
