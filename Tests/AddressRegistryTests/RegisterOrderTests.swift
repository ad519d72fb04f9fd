// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Testing
import TjenestebussTesting

@Suite("An order says what each entry was and shall be, and holds the way back")
struct RegisterOrderTests {
  private func order(_ change: RegisterChange, of number: Int32, family records: [PartyRecord] = family()) throws -> RegisterOrder
  {
    try RegisterOrder(change, of: her(number), family: records, buses: bothBuses, operationID: "op")
  }

  private static let changes: [(RegisterChange, Int32)] = [
    (.switchToBus("tjenestebuss"), 100), (.switchToBus("tjenestebuss"), 101), (.switchToBus("tjenestebuss"), 103),
    (.switchToBusWithServicesBelow("tjenestebuss"), 100), (.useOrganisationQueue, 103), (.replaceAddresses(queues(of: 9)), 100),
    (.replaceAddresses([]), 103),
  ]

  @Test("its goals are what the testing register makes of the change, for every entry", arguments: changes)
  func goals(_ change: RegisterChange, _ number: Int32) throws {
    var state = AddressRegisterState(records: family())
    let order = try self.order(change, of: number)
    try state.apply(change, to: her(number), operationID: "op", operation: "x", buses: bothBuses)
    for entry in order.entries { #expect(state.record(entry.goal.herID) == entry.goal) }
    let touched = Set(order.entries.map(\.basis.herID))
    for record in family() where !touched.contains(record.herID) { #expect(state.record(record.herID) == record) }
  }

  @Test("the way back restores every entry exactly, order and flags included", arguments: changes)
  func wayBack(_ change: RegisterChange, _ number: Int32) throws {
    var records = family()
    records[0].addresses.insert(PartyRecord.Address(typeCode: "E_EDI", text: "a@b", inherited: false), at: 1)
    var state = AddressRegisterState(records: records)
    let order = try self.order(change, of: number, family: records)
    try state.apply(change, to: her(number), operationID: "op", operation: "x", buses: bothBuses)
    for (index, back) in order.wayBack({ OperationID("back-\($0)") }).enumerated() {
      #expect(back.operationID == OperationID("back-\(back.herID)"))
      if index == 0 { #expect(back.herID == her(number)) }
      try state.apply(back.change, to: back.herID, operationID: back.operationID, operation: "x", buses: bothBuses)
      for entry in back.entries { #expect(state.record(entry.goal.herID) == entry.goal) }
    }
    #expect(state.records == records)
  }

  @Test("three levels deep, what is inherited from what is inherited follows")
  func deep() throws {
    var records = family() + [party(104, parent: 101, addresses: queues(of: 100, inherited: true))]
    records[3].addresses[0].inherited = true
    records[3].addresses[0].text = records[0].addresses[0].text
    for change in [RegisterChange.switchToBus("tjenestebuss"), .switchToBusWithServicesBelow("tjenestebuss")] {
      var state = AddressRegisterState(records: records)
      let order = try self.order(change, of: 100, family: records)
      try state.apply(change, to: her(100), operationID: "op", operation: "x", buses: bothBuses)
      #expect(order.entries.count == 5)
      for entry in order.entries { #expect(state.record(entry.goal.herID) == entry.goal, "\(change) \(entry.goal.herID)") }
      for back in order.wayBack({ OperationID("back-\($0)") }) {
        try state.apply(back.change, to: back.herID, operationID: back.operationID, operation: "x", buses: bothBuses)
      }
      #expect(state.records == records)
    }
  }

  @Test("what cannot be worked out is not ordered")
  func refused() {
    for (change, number, records) in [
      (RegisterChange.switchToBus("tjenestebuss"), Int32(999), family()), (.switchToBus("nowhere"), 100, family()),
      (.useOrganisationQueue, 103, [family()[3]]),
      (
        .switchToBus("tjenestebuss"), 1,
        [party(1, addresses: [PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "x", inherited: false)])]
      ),
    ] {
      #expect(throws: AddressRegistryError.self) { try self.order(change, of: number, family: records) }
    }
  }

  @Test("an order survives being written down")
  func durable() throws {
    let order = try self.order(.switchToBusWithServicesBelow("tjenestebuss"), of: 100)
    let back = try JSONDecoder().decode(RegisterOrder.self, from: JSONEncoder().encode(order))
    #expect(back == order)
  }
}
