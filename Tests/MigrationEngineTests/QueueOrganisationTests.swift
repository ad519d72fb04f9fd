// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import Testing

@testable import MigrationEngine

@Suite("Which organisation a queue is")
struct QueueOrganisationTests {
  private func member(_ herID: Int32, _ kind: PartyRecord.Kind, number: Int32?, queue: String) throws -> Plan.Member {
    func record(_ host: String) throws -> PartyRecord {
      PartyRecord(
        herID: try #require(HerID(herID)), name: "P\(herID)", kind: kind, parent: nil, active: true, valid: true,
        addresses: [.init(typeCode: "E_SB_ASYNC", text: "\(host)/NHN/\(queue)", inherited: false)], organisationNumber: number)
    }
    return Plan.Member(
      herID: try #require(HerID(herID)), vendor: "Alfa", startConfirmed: true, before: try record("a.example"),
      after: try record("b.example"), isWritten: true)
  }

  private func queue(_ host: String, _ name: String) throws -> QueueAddress { try QueueAddress(text: "\(host)/NHN/\(name)") }

  @Test("A party's queues are its organisation's, on both buses, the two that the register does not name among them")
  func own() throws {
    var index = QueueOrganisationIndex()
    index.add([try self.member(200, .service, number: 987_654_325, queue: "200_async")])
    for host in ["a.example", "b.example"] {
      for kind in ["async", "syncreply", "dl"] {
        #expect(index.organisation(of: try self.queue(host, "200_\(kind)")) == 987_654_325)
      }
    }
    #expect(index.organisation(of: try self.queue("a.example", "300_async")) == nil)
    #expect(index.organisation(of: try self.queue("c.example", "200_async")) == nil, "another bus's queue of that name")
  }

  @Test("A queue that organisations share is the organisation's own, in whichever order they come")
  func shared() throws {
    let members = [
      try self.member(90, .service, number: 974_760_673, queue: "100_async"),
      try self.member(100, .organisation, number: 987_654_325, queue: "100_async"),
      try self.member(110, .service, number: 983_971_636, queue: "100_async"),
    ]
    for order in [members, members.reversed()] {
      var index = QueueOrganisationIndex()
      index.add(order)
      #expect(index.organisation(of: try self.queue("a.example", "100_async")) == 987_654_325)
    }
    var services = QueueOrganisationIndex()
    services.add([members[2], members[0]])
    #expect(services.organisation(of: try self.queue("a.example", "100_async")) == 974_760_673, "else that of the lowest HER-ID")
  }

  @Test("A party whose organisation has changed between two plans is that of the plan that comes first")
  func changed() throws {
    var index = QueueOrganisationIndex()
    index.add([try self.member(200, .service, number: 987_654_325, queue: "200_async")])
    index.add([try self.member(200, .service, number: 974_760_673, queue: "200_async")])
    #expect(index.organisation(of: try self.queue("a.example", "200_async")) == 987_654_325)
  }

  @Test("What the register does not say is nobody's")
  func unknown() throws {
    var index = QueueOrganisationIndex()
    index.add([try self.member(200, .service, number: nil, queue: "200_async")])
    #expect(index.organisation(of: try self.queue("a.example", "200_async")) == nil)
  }
}
