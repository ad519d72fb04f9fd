// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing

@Suite("Whose the queues of a bus are")
struct QueueOwnershipTests {
  @Test("those of the register, those that only their name gives to a party, those nobody registered, and those of nobody")
  func judge() {
    let records = family() + [party(200, addresses: queues(of: 200, host: "tb.test.nhn.no", path: "NHNTESTServiceBus"))]
    let names = [
      "100_async", "103_error", "100_syncreply_server1", "103_dl", "200_async", "200_syncreply", "999_dl", "999_async",
      "103_other",
      "RegisterEvents.epj", "0_async", "_async", "",
    ]
    let judged = QueueOwnership.judge(names, on: serviceBus, records: records)
    #expect(judged.map(\.queue) == names)
    let owners: [QueueOwnership] = [
      // 101 and 102 inherit it.
      .registered([her(100), her(101), her(102)]), .registered([her(103)]), .byName(her(100), .synchronousReply),
      .byName(her(103), .deadLetter),
      // The register has this party on the other bus.
      .unregistered(her(200), .asynchronous), .byName(her(200), .synchronousReply), .unregistered(her(999), .deadLetter),
      .unregistered(her(999), .asynchronous), .nobody, .nobody, .nobody, .nobody, .nobody,
    ]
    #expect(judged.map(\.owner) == owners)
    #expect(QueueOwnership.judge(["200_async"], on: tjenestebuss, records: records).map(\.owner) == [.registered([her(200)])])
  }
}
