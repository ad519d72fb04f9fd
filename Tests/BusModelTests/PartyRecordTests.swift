// SPDX-License-Identifier: Apache-2.0

import BusModel
import Crypto
import Foundation
import Testing

@Suite("A party's record: its canonical form, its hash, its move")
struct PartyRecordTests {
  private let record: PartyRecord

  init() throws {
    self.record = PartyRecord(
      herID: try HerID(text: "93238"), name: "Digitale innbyggertjenester", kind: .service, parent: try HerID(text: "100"),
      active: true, valid: true,
      addresses: [
        PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "sb.test.nhn.no/DigitalDialog/93238_async", inherited: false),
        PartyRecord.Address(typeCode: "E_EDI", text: "post@edi.example.no", inherited: true),
        PartyRecord.Address(typeCode: "E_SB_SYNC", text: "SB.test.nhn.no/Other/a_sync", inherited: true),
      ])
  }

  @Test("the canonical form and the hash are these, today and in every later version: stored hashes depend on it")
  func golden() {
    #expect(
      self.record.canonicalForm == """
        record:7:party/1
        her-id:5:93238
        name:27:Digitale innbyggertjenester
        kind:7:service
        parent:3:100
        active:4:true
        valid:4:true
        type:10:E_SB_ASYNC
        address:40:sb.test.nhn.no/DigitalDialog/93238_async
        inherited:5:false
        type:5:E_EDI
        address:19:post@edi.example.no
        inherited:4:true
        type:9:E_SB_SYNC
        address:27:SB.test.nhn.no/Other/a_sync
        inherited:4:true

        """)
    #expect(self.record.hash.hex == "72c9c03ff3121ffc0d297fc7ea47e031038f7bd70f170e0468443cc7896db968")
    #expect(self.record.hash.description == String(self.record.hash.hex.prefix(12)))
  }

  @Test("the order of addresses does not count, everything else does")
  func whatCounts() throws {
    var shuffled = self.record
    shuffled.addresses.reverse()
    #expect(shuffled.hash == self.record.hash)
    let changes: [(inout PartyRecord) -> Void] = [
      { $0.herID = HerID(93_239) ?? $0.herID }, { $0.name = "digitale innbyggertjenester" }, { $0.kind = .person },
      { $0.parent = nil }, { $0.active = false }, { $0.valid = false }, { $0.addresses.removeLast() },
      { $0.addresses.append($0.addresses[0]) }, { $0.addresses[0].text += " " }, { $0.addresses[0].inherited = true },
      { $0.addresses[0].typeCode = "E_SB_ERROR" }, { $0.addresses[2].text = $0.addresses[2].text.lowercased() },
      { $0.organisationNumber = 100 }, { $0.futureAddresses = [Self.future] },
      { $0.futureAddresses = [Self.future, Self.future] },
    ]
    for (index, change) in changes.enumerated() {
      var changed = self.record
      change(&changed)
      #expect(changed.hash != self.record.hash, "change \(index)")
    }
  }

  @Test("no text can imitate another field or address")
  func imitation() {
    var one = self.record
    one.name = "a\nkind:7:service"
    var other = self.record
    other.name = "a"
    #expect(one.hash != other.hash)
    one = self.record
    one.addresses = [
      PartyRecord.Address(typeCode: "E_EDI", text: "x\ninherited:5:false\ntype:5:E_EDI\naddress:1:y", inherited: false)
    ]
    other = self.record
    other.addresses = [
      PartyRecord.Address(typeCode: "E_EDI", text: "x", inherited: false),
      PartyRecord.Address(typeCode: "E_EDI", text: "y", inherited: false),
    ]
    #expect(one.hash != other.hash)
  }

  @Test("as JSON and back it hashes the same")
  func json() throws {
    let back = try JSONDecoder().decode(PartyRecord.self, from: JSONEncoder().encode(self.record))
    #expect(back == self.record)
    #expect(back.hash == self.record.hash)
  }

  private static let future = PartyRecord.FutureAddress(
    address: PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "tb.test.nhn.no/X/93238_async", inherited: false),
    validFrom: "2026-12-01T00:00:00")

  @Test("organisation number and future addresses are in form and hash where there are any, and only there")
  func newFacts() throws {
    var richer = self.record
    richer.organisationNumber = 999_999_999
    richer.futureAddresses = [Self.future]
    #expect(
      richer.canonicalForm
        == self.record.canonicalForm.replacingOccurrences(
          of: "valid:4:true\n", with: "valid:4:true\norganisation-number:9:999999999\n")
          + """
          future-type:10:E_SB_ASYNC
          future-address:28:tb.test.nhn.no/X/93238_async
          future-inherited:5:false
          valid-from:19:2026-12-01T00:00:00

          """)
    let back = try JSONDecoder().decode(PartyRecord.self, from: JSONEncoder().encode(richer))
    #expect(back == richer)
    var later = richer
    later.futureAddresses[0].validFrom = "2026-12-02T00:00:00"
    #expect(later.hash != richer.hash)
  }

  @Test("JSON from before there were such facts reads as having none, and a record without them is written as it was then")
  func oldJSON() throws {
    let old = """
      {"active":true,"addresses":[{"inherited":false,"text":"sb/x/1_async","typeCode":"E_SB_ASYNC"}],"herID":1,"kind":"service",\
      "name":"n","parent":100,"valid":true}
      """
    let read = try JSONDecoder().decode(PartyRecord.self, from: Data(old.utf8))
    #expect(read.organisationNumber == nil)
    #expect(read.futureAddresses.isEmpty)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    #expect(String(decoding: try encoder.encode(read), as: UTF8.self) == old)
  }

  @Test("a move keeps queue names, order, flags and all other addresses")
  func moved() throws {
    let target = Bus(name: "tjenestebuss", dialect: .rabbitMQ4AddressV2, hosts: ["tb.test.nhn.no"], path: "NHNTESTServiceBus")
    let moved = try self.record.moved(to: target)
    #expect(
      moved.addresses == [
        PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "tb.test.nhn.no/NHNTESTServiceBus/93238_async", inherited: false),
        PartyRecord.Address(typeCode: "E_EDI", text: "post@edi.example.no", inherited: true),
        PartyRecord.Address(typeCode: "E_SB_SYNC", text: "tb.test.nhn.no/NHNTESTServiceBus/a_sync", inherited: true),
      ])
    #expect(try moved.moved(to: target) == moved)
    var rest = moved
    rest.addresses = self.record.addresses
    #expect(rest == self.record)
    #expect(try self.record.queueAddress(.asynchronous)?.queue == "93238_async")
    #expect(try self.record.queueAddress(.error) == nil)
  }

  @Test("there is no move with an unreadable address or to a bus without a host")
  func noMove() {
    var broken = self.record
    broken.addresses[0].text = "93238_async"
    let target = Bus(name: "tb", dialect: .activeMQ, hosts: ["tb"], path: "")
    #expect(throws: BusModelError.queueAddressMalformed("93238_async")) { try broken.moved(to: target) }
    let nowhere = Bus(name: "nowhere", dialect: .activeMQ, hosts: [], path: "")
    #expect(throws: BusModelError.busWithoutHost("nowhere")) { try self.record.moved(to: nowhere) }
  }
}

@Suite("The hash is that of the canonical form, however it is put together")
struct CanonicalBytesTests {
  @Test("any record: no address or many, letters that sort otherwise than their bytes, changes to come")
  func hash() throws {
    let pieces = [
      "", "E_EDI", "E_SB_ASYNC", "a", "B", "å", "a\u{30A}", "é", "\u{1F600}", "x:3:y\n", "sb.test.nhn.no/A/1_async", "\u{212B}",
    ]
    var state: UInt64 = 20_261_121
    func draw(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    func text() -> String { (0..<draw(4)).map { _ in pieces[draw(pieces.count)] }.joined() }
    func address() -> PartyRecord.Address {
      PartyRecord.Address(typeCode: text(), text: text(), inherited: draw(2) == 0)
    }
    for _ in 0..<500 {
      let record = PartyRecord(
        herID: try #require(HerID(Int32(1 + draw(2_000_000)))), name: text(),
        kind: draw(2) == 0 ? .service : .organisation, parent: draw(2) == 0 ? nil : HerID(Int32(1 + draw(9))),
        active: draw(2) == 0,
        valid: draw(2) == 0, addresses: (0..<draw(6)).map { _ in address() },
        organisationNumber: draw(2) == 0 ? nil : Int32(draw(1_000_000_000)),
        futureAddresses: (0..<draw(3)).map { _ in PartyRecord.FutureAddress(address: address(), validFrom: text()) })
      #expect(record.hash == RecordHash(SHA256.hash(data: Data(record.canonicalForm.utf8))), "\(record)")
    }
  }
}
