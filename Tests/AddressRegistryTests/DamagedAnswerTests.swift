// SPDX-License-Identifier: Apache-2.0

import BusModel
import Computing
import Testing
import TjenestebussTesting

@testable import AddressRegistry

/// 10,000 answers with a flipped bit, two swapped bytes, or the end cut off. Each is read as it was, or is a typed error, or
/// differs only in a value whose own text was hit: that much no reader can see (TLS does).
@Suite("A damaged answer is the right answer or an error", .timeLimit(.minutes(10)), .serialized, .computing)
struct DamagedAnswerTests {
  private struct Draw {
    var state: UInt64
    mutating func below(_ bound: Int) -> Int {
      self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((self.state >> 33) % UInt64(bound))
    }
  }

  /// A good answer, what is in it, and how it is read.
  private struct Specimen: Sendable {
    var name: String
    var bytes: [UInt8]
    var facts: [String: String]
    /// Where a value's text stands, by the fact it makes.
    var places: [(range: Range<Int>, fact: String)]
    var read: @Sendable ([UInt8]) throws -> [String: String]
  }

  // MARK: - Facts

  private static func facts(_ record: PartyRecord, _ prefix: String = "") -> [String: String] {
    var facts = [
      "her": "\(record.herID)", "name": record.name, "kind": record.kind.rawValue, "parent": record.parent?.description ?? "",
      "active": "\(record.active)", "valid": "\(record.valid)", "number": record.organisationNumber.map { "\($0)" } ?? "",
      "count": "\(record.addresses.count) \(record.futureAddresses.count)",
    ]
    let future = record.futureAddresses.map(\.address)
    for (index, address) in (record.addresses + future).enumerated() {
      facts["a\(index).code"] = address.typeCode
      facts["a\(index).text"] = address.text
      facts["a\(index).inherited"] = "\(address.inherited)"
    }
    for (index, future) in record.futureAddresses.enumerated() { facts["f\(index).from"] = future.validFrom }
    return Dictionary(uniqueKeysWithValues: facts.map { (prefix + $0.key, $0.value) })
  }

  private static func facts(_ results: [PartyResult]) -> [String: String] {
    var facts = ["parties": "\(results.count)"]
    for (index, result) in results.enumerated() {
      switch result {
      case .party(let record): facts.merge(Self.facts(record, "p\(index).")) { $1 }
      case .unreadable(let failure):
        facts["p\(index)"] = "unreadable"
        // It can hide others behind it, and says so: nothing is concluded from what is missing.
        if failure.herID == nil { facts["unnamed"] = "yes" }
      }
    }
    return facts
  }

  /// Everywhere a fact's text stands in the document. Codes stand twice and must agree, flags are words: those are not free.
  private static func places(of facts: [String: String], in bytes: [UInt8], json: Bool) -> [(range: Range<Int>, fact: String)] {
    var places: [(Range<Int>, String)] = []
    for (fact, text) in facts {
      let own = fact.split(separator: ".").dropFirst(fact.hasPrefix("p") && fact.contains(".") ? 1 : 0).joined(separator: ".")
      guard
        own.hasSuffix("name") || own.hasSuffix("text") || own.hasSuffix("from") || own.hasSuffix("parent")
          || own.hasSuffix("number") || own.hasSuffix("her")
      else { continue }
      var needles = text.isEmpty ? [] : [Array(text.utf8)]
      if own == "name", let escaped = XMLText.escaped(text) { needles.append(Array(escaped.utf8)) }
      if own == "number" {
        needles.append(Array("OrganizationNumber".utf8))
        needles.append(Array("-1".utf8))
      }
      if own == "parent" { needles.append(Array("-1".utf8)) }
      for needle in needles {
        var start = 0
        while start + needle.count <= bytes.count {
          if bytes[start] == needle[0], bytes[start..<start + needle.count].elementsEqual(needle) {
            // The bytes right beside count too: a blank there is part of a text.
            places.append((max(0, start - 1)..<min(bytes.count, start + needle.count + 1), fact))
          }
          start += 1
        }
      }
    }
    return places
  }

  // MARK: - Specimens

  private static let party: PartyRecord = {
    var record = AddressRegistryTests.party(7_703, name: "Unikt <navn> Æ", parent: 7_731, addresses: [queues(of: 7_703)[0]])
    record.addresses.append(PartyRecord.Address(typeCode: "E_EDI", text: "oppdiktet@edi.example.no", inherited: true))
    record.organisationNumber = 100_200_300
    record.futureAddresses = [
      PartyRecord.FutureAddress(address: queues(of: 7_703, host: "tb.test.nhn.no")[0], validFrom: "2099-01-01T00:00:00")
    ]
    return record
  }()

  private static let organisation: PartyRecord = {
    var record = AddressRegistryTests.party(7_731, name: "Oppdiktet org", kind: .organisation, addresses: [queues(of: 7_731)[0]])
    record.organisationNumber = 100_200_300
    return record
  }()

  private static func answer(_ bytes: [UInt8]) throws -> XMLNode {
    switch try SOAPEnvelope.answer(bytes) {
    case .result(let node): return node
    case .fault(let fault): throw AddressRegistryError.registerFault(url: "", code: fault.code, message: fault.message)
    }
  }

  private static func specimen(
    _ name: String, _ text: String, json: Bool = false, _ read: @escaping @Sendable ([UInt8]) throws -> [String: String]
  ) throws -> Specimen {
    let bytes = Array(text.utf8)
    let facts = try read(bytes)
    return Specimen(name: name, bytes: bytes, facts: facts, places: Self.places(of: facts, in: bytes, json: json), read: read)
  }

  private static func export(_ bytes: some Sequence<UInt8>) throws -> [PartyResult] {
    var splitter = ExportSplitter()
    let parties = try splitter.take(bytes)
    try splitter.finish()
    return parties.enumerated().map { PartyJSON.result($1, place: $0 + 1, url: "") }
  }

  private static func specimens() throws -> [Specimen] {
    let (one, above) = (Self.party, Self.organisation)
    var specimens: [Specimen] = []
    for version in soapVersions {
      specimens.append(
        try Self.specimen("details \(version)", TestingAnswers.details(one, version: version)) {
          Self.facts(try PartyDetails.record(try Self.answer($0), asked: one.herID))
        })
    }
    specimens.append(
      try Self.specimen("organisation", TestingAnswers.organisation(above, below: [one], version: .v1_1)) { bytes in
        let entry = try RegisterLists.organisation(try Self.answer(bytes), asked: above.herID, url: "")
        return Self.facts([.party(entry.organisation)] + entry.below)
      })
    specimens.append(
      try Self.specimen("look-up", TestingAnswers.lookUp(one), json: true) {
        Self.facts(try PartyJSON.record(try JSONDocumentReader.read($0)))
      })
    specimens.append(
      try Self.specimen("export", TestingAnswers.export([above, one]), json: true) { Self.facts(try Self.export($0)) })
    return specimens
  }

  // MARK: - Damage

  /// - Returns: the damaged bytes and the positions that were hit; nil when nothing changed.
  private static func damaged(_ bytes: [UInt8], _ draw: inout Draw) -> (bytes: [UInt8], hit: [Int])? {
    var damaged = bytes
    switch draw.below(4) {
    case 0, 1:
      let position = draw.below(bytes.count)
      damaged[position] ^= 1 << UInt8(draw.below(8))
      return (damaged, [position])
    case 2:
      let (one, other) = (draw.below(bytes.count), draw.below(bytes.count))
      damaged.swapAt(one, other)
      return damaged == bytes ? nil : (damaged, [one, other])
    default:
      damaged.removeLast(1 + draw.below(bytes.count))
      return (damaged, [damaged.count])
    }
  }

  @Test("nine thousand SOAP and JSON answers", arguments: 0..<9)
  func answers(_ seed: Int) throws {
    var draw = Draw(state: UInt64(seed) &+ 4)
    let specimens = try Self.specimens()
    var (right, refused, changed) = (0, 0, 0)
    for number in 0..<1_000 {
      let specimen = specimens[number % specimens.count]
      guard let (bytes, hit) = Self.damaged(specimen.bytes, &draw) else { continue }
      let facts: [String: String]
      do { facts = try specimen.read(bytes) } catch {
        let typed =
          error is AddressRegistryError || error is PartyDetails.Problem || error is XMLDocumentReader.Unreadable
          || error is JSONDocumentReader.Unreadable
        #expect(typed, "\(error)")
        refused += 1
        continue
      }
      let wrong = Set(specimen.facts.keys).union(facts.keys).filter { specimen.facts[$0] != facts[$0] }
      if wrong.isEmpty {
        right += 1
        continue
      }
      changed += 1
      let free = Set(specimen.places.filter { place in hit.contains { place.range.contains($0) } }.map(\.fact))
      let unexplained = wrong.filter { fact in
        if facts["unnamed"] != nil, facts[fact] == nil || fact == "parties" || fact == "unnamed" { return false }
        let party = fact.split(separator: ".").first.map(String.init) ?? ""
        return !free.contains(fact) && facts[party] != "unreadable" && facts[fact] != "unreadable"
          && !(fact.hasSuffix("kind") && facts[fact] == "unknown")
      }
      #expect(
        unexplained.isEmpty,
        "\(specimen.name) hit at \(hit): \(unexplained.sorted().map { "\($0): \(specimen.facts[$0] ?? "-") -> \(facts[$0] ?? "-")" })"
      )
    }
    // The damage is real: most is seen, and what does not matter is read as it was.
    #expect(refused > 400)
    #expect(right > 10)
    #expect(changed < 300)
  }

  @Test("a thousand packed exports: the checksum sees everything that matters")
  func packed() throws {
    var draw = Draw(state: 99)
    let records = [Self.organisation, Self.party]
    let plain = Array(TestingAnswers.export(records).utf8)
    let packed = try #require(TestingAnswers.packed(plain))
    func unpack(_ bytes: [UInt8]) throws -> [UInt8] {
      let inflater = try Inflater()
      var out: [UInt8] = []
      try inflater.unpack(bytes) { (piece) throws(Inflater.Broken) in out += piece }
      guard inflater.isAtEnd else { throw Inflater.Broken(description: "cut off") }
      return out
    }
    #expect(try unpack(packed) == plain)
    var refused = 0
    for _ in 0..<1_000 {
      guard let (bytes, _) = Self.damaged(packed, &draw) else { continue }
      do { #expect(try unpack(bytes) == plain) } catch is Inflater.Broken { refused += 1 }
    }
    #expect(refused > 800)
  }

  @Test("a fault never becomes a party, and a party never a fault")
  func faults() throws {
    let fault =
      "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>s:Client</faultcode>"
      + "<faultstring>nei</faultstring><detail><GenericFault xmlns=\"http://register.nhn.no/Common\"><ErrorCode>InvalidHerIdSupplied"
      + "</ErrorCode><Message>finnes ikke</Message></GenericFault></detail></s:Fault></s:Body></s:Envelope>"
    var draw = Draw(state: 5)
    for _ in 0..<300 {
      guard let (bytes, _) = Self.damaged(Array(fault.utf8), &draw) else { continue }
      #expect(throws: (any Error).self) { try PartyDetails.record(try Self.answer(bytes), asked: her(1)) }
      if let (bytes, _) = Self.damaged(Array(TestingAnswers.details(Self.party, version: .v1_1).utf8), &draw),
        case .fault? = try? SOAPEnvelope.answer(bytes)
      {
        Issue.record("a party became a fault")
      }
    }
  }
}
