// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing

@Suite("Parties that share a queue address move together")
struct QueueSharingTests {
  @Test("an organisation and those that inherit its queues are one group, one with its own queues is another")
  func family() throws {
    let groups = try QueueSharing.groups(of: AddressRegistryTests.family())
    #expect(groups.map(\.members) == [[her(100), her(101), her(102)], [her(103)]])
    #expect(groups.first?.addresses.map(\.queue) == ["100_async", "100_error", "100_sync"])
  }

  @Test("one shared address of three is enough, and sharing goes on over others")
  func chain() throws {
    var first = party(1)
    var second = party(2)
    let third = party(3)
    first.addresses[2].text = second.addresses[2].text
    second.addresses[0].text = third.addresses[0].text
    let groups = try QueueSharing.groups(of: [third, second, first, party(4)])
    #expect(groups.map(\.members) == [[her(1), her(2), her(3)], [her(4)]])
  }

  @Test("the same queue name on another host or path is another queue")
  func wholeAddress() throws {
    let records = [
      party(1, addresses: queues(of: 9)), party(2, addresses: queues(of: 9, host: "tb.test.nhn.no")),
      party(3, addresses: queues(of: 9, path: "Other")),
    ]
    #expect(try QueueSharing.groups(of: records).map(\.members) == [[her(1)], [her(2)], [her(3)]])
  }

  @Test("host names are compared without case, queue names with it")
  func letterCase() throws {
    let records = [
      party(1, addresses: [PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "SB.test.nhn.no/D/9_async", inherited: false)]),
      party(2, addresses: [PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "sb.test.nhn.no/D/9_async", inherited: false)]),
      party(3, addresses: [PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "sb.test.nhn.no/D/9_ASYNC", inherited: false)]),
    ]
    #expect(try QueueSharing.groups(of: records).map(\.members) == [[her(1), her(2)], [her(3)]])
  }

  @Test("a child that inherits stays in its organisation's group even when the two show different texts")
  func staleChild() throws {
    let records = [
      party(100, kind: .organisation, addresses: queues(of: 100, host: "tb.test.nhn.no")),
      party(101, parent: 100, addresses: queues(of: 100, inherited: true)),
    ]
    #expect(try QueueSharing.groups(of: records).map(\.members) == [[her(100), her(101)]])
  }

  @Test("children that inherit from an organisation that is not among the records are one group")
  func absentParent() throws {
    let records = Array(AddressRegistryTests.family().dropFirst())
    #expect(try QueueSharing.groups(of: records).map(\.members) == [[her(101), her(102)], [her(103)]])
  }

  @Test("a party without queue addresses stands alone; certificates and mail addresses join nobody")
  func withoutQueues() throws {
    let mail = PartyRecord.Address(typeCode: "E_EDI", text: "same@edi.example.no", inherited: false)
    let groups = try QueueSharing.groups(of: [party(1, addresses: [mail]), party(2, addresses: [mail])])
    #expect(groups.map(\.members) == [[her(1)], [her(2)]])
    #expect(groups.map(\.addresses) == [[], []])
  }

  @Test("an unreadable address is an error: nobody can tell who shares it")
  func malformed() {
    let broken = party(
      7, addresses: [PartyRecord.Address(typeCode: "E_SB_SYNC", text: "7_sync", inherited: false)])
    #expect(throws: AddressRegistryError.addressMalformed(her(7), .synchronous, text: "7_sync")) {
      _ = try QueueSharing.groups(of: [broken])
    }
  }

  @Test("the groups do not depend on the order of the records")
  func order() throws {
    var generator = SystemRandomNumberGenerator()
    let records = (Int32(1)...60).map { number in
      party(number, addresses: queues(of: number % 7 * 100 + (number % 2)))
    }
    let groups = try QueueSharing.groups(of: records)
    for _ in 0..<20 { #expect(try QueueSharing.groups(of: records.shuffled(using: &generator)) == groups) }
    // Checked against the plain definition: two are together exactly when their numbers give the same queues.
    let numbers: [Int32: [Int32]] = Dictionary(grouping: Int32(1)...60) { $0 % 7 * 100 + ($0 % 2) }
    let expected: [[HerID]] = numbers.values.map { $0.map { her($0) } }.sorted { $0[0] < $1[0] }
    #expect(groups.map(\.members) == expected)
  }

  @Test("descendants are found at any depth, and a circle in the register ends")
  func descendants() {
    let records = [
      party(1, kind: .organisation), party(2, parent: 1), party(3, parent: 2), party(4, parent: 9), party(5, parent: 1),
    ]
    #expect(QueueSharing.descendants(of: her(1), among: records) == [her(2), her(3), her(5)])
    let circle = [party(1, parent: 3), party(2, parent: 1), party(3, parent: 2)]
    #expect(QueueSharing.descendants(of: her(1), among: circle) == [her(2), her(3)])
  }
}
