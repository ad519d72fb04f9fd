// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import rehearsal

@Suite("The ledger by message id")
struct LedgerTests {
  private func record(
    _ id: String, _ outcome: IdentityRecord.Outcome? = nil, from: Int32 = 1, to: Int32 = 2
  ) throws -> IdentityRecord {
    IdentityRecord(
      id: id, from: try #require(HerID(from)), to: try #require(HerID(to)), bus: "b", queue: "q", atMilliseconds: 0, system: "s",
      outcome: outcome)
  }

  @Test("sent and received: clean, when enough was sent")
  func clean() throws {
    var ledger = Ledger()
    ledger.sent(try self.record("a", .accepted))
    #expect(ledger.outstanding == ["a"])
    ledger.received(try self.record("a"))
    #expect(ledger.outstanding.isEmpty)
    #expect(ledger.balance(minimumSent: 1).isClean)
    #expect(ledger.balance(minimumSent: 2).isClean == false)
  }

  @Test("a receipt before the sender's line is no different")
  func order() throws {
    var ledger = Ledger()
    ledger.received(try self.record("a"))
    ledger.sent(try self.record("a", .accepted))
    #expect(ledger.balance(minimumSent: 1).isClean)
  }

  @Test("each fault is counted, and alone makes the ledger unclean")
  func faults() throws {
    func balance(_ change: (inout Ledger) throws -> Void) throws -> Ledger.Balance {
      var ledger = Ledger()
      try change(&ledger)
      let balance = ledger.balance(minimumSent: 0)
      #expect(balance.isClean == false)
      return balance
    }
    #expect(try balance { $0.sent(try self.record("a", .accepted)) }.lost == 1)
    #expect(
      try balance {
        $0.sent(try self.record("a", .accepted))
        $0.received(try self.record("a"))
        $0.received(try self.record("a"))
      }.duplicate == 1)
    #expect(
      try balance {
        $0.sent(try self.record("a", .accepted))
        $0.left(try self.record("a"))
      }.left == 1)
    #expect(try balance { $0.received(try self.record("a")) }.alien == 1)
    #expect(
      try balance {
        $0.sent(try self.record("a", .released))
        $0.received(try self.record("a"))
      }.denied == 1)
    #expect(
      try balance {
        $0.sent(try self.record("a", .accepted))
        $0.received(try self.record("a", to: 3))
      }.misdirected == 1)
    #expect(
      try balance {
        $0.sent(try self.record("a", .accepted))
        $0.received(try self.record("a"))
        $0.left(try self.record("a"))
      }.lyingCopy == 1)
  }

  @Test("an unknown outcome is neither sent nor lost, whether it arrived or not")
  func unknown() throws {
    var ledger = Ledger()
    ledger.sent(try self.record("a", .unknown))
    ledger.sent(try self.record("b", .unknown))
    ledger.received(try self.record("b"))
    let balance = ledger.balance(minimumSent: 0)
    #expect(balance.unknown == 2)
    #expect(balance.lost == 0)
    #expect(balance.isClean)
  }

  @Test("the story: twelve HER-IDs, two of which inherit a queue, all on the source bus")
  func story() throws {
    let source = Bus(name: "servicebus", dialect: .serviceBusWindowsServer, hosts: ["sb"], path: "p")
    let story = Story.told(source: source, staleFor: .seconds(1))
    #expect(Set(story.members).count == 12)
    let inherited = story.records.filter { record in record.addresses.contains { $0.inherited } }
    #expect(inherited.count == 2)
    #expect(Set(story.systems.map(\.vendor)).count == 4)
    #expect(story.systems.filter { !$0.comesUpOnTarget }.flatMap(\.herIDs) == [story.rolledBack])
    for record in story.records {
      let address = try #require(try record.queueAddress(.asynchronous))
      #expect(source.holds(address))
      #expect(story.queues.contains(address.queue))
    }
  }
}
