// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import ForeignPrograms
import Foundation
import Testing
import TjenestebussTesting

@testable import AddressRegistry

@Suite("The register's protocols, judged by software that is not ours", .timeLimit(.minutes(20)))
struct ForeignRegisterTests {
  private static func rich() -> [PartyRecord] {
    var records = family()
    for index in records.indices { records[index].organisationNumber = 100_000_001 }
    records[1].kind = .person
    records[3].name = "Ærlige <Åse> & \"sønner\""
    records[3].futureAddresses = [
      PartyRecord.FutureAddress(address: queues(of: 103, host: "tb.test.nhn.no")[0], validFrom: "2026-12-01T00:00:00")
    ]
    return records
  }

  private struct ReadParty: Decodable, Equatable {
    var herID: Int32
    var name: String
    var type: [String]
    var of: String
    var parent: Int32
    var active: Bool
    var valid: Bool
    var number: Int32?
    var addresses: [[Cell]]
    var future: [[String]]

    enum Cell: Decodable, Equatable {
      case text(String), flag(Bool)
      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
          self = .flag(flag)
        } else {
          self = .text(try container.decode(String.self))
        }
      }
    }

    init(_ record: PartyRecord) {
      let names: [PartyRecord.Kind: (String, String)] = [
        .organisation: ("Organization", "Organization"), .service: ("Service", "Service"),
        .person: ("Person", "OrganizationPerson"),
      ]
      let (type, of) = names[record.kind] ?? ("", "")
      self.herID = record.herID.value
      self.name = record.name
      self.type = [type]
      self.of = of
      self.parent = record.parent?.value ?? -1
      self.active = record.active
      self.valid = record.valid
      self.number = record.organisationNumber
      self.addresses = record.addresses.map { [.text($0.typeCode), .text($0.text), .flag($0.inherited), .text($0.typeCode)] }
      self.future = record.futureAddresses.map { [$0.address.typeCode, $0.validFrom] }
    }
  }

  @Test(
    "zeep reads our register from our WSDL, in both versions of SOAP",
    arguments: ["BasicHttpBinding_ICommunicationPartyService", "WSHttpBinding_ICommunicationPartyService"])
  func zeep(_ port: String) async throws {
    let records = Self.rich()
    try await RegisterHarness.run(records: records, adjust: { $0.clock = VirtualClock() }) { harness in
      #expect(await harness.writer.switchToBus(her(103), bus: "servicebus", operationID: "op-0") == .acknowledged)
      #expect(await harness.writer.switchToBus(her(103), bus: "tjenestebuss", operationID: "op-1") == .acknowledged)
      let moved = try #require(harness.server.record(her(103)))
      let base = "http://127.0.0.1:\(try await harness.server.port)"
      let password = registerCredentials.password.withPlainText { $0 }
      let result = try await ForeignPython.run("register_soap.py", [base, registerCredentials.user, password, port])
      let lines = result.output.split(separator: "\n").map { Data($0.utf8) }
      guard result.exitCode == 0, lines.count == 9 else {
        Issue.record("\(result.output)\n\(result.errors)")
        return
      }
      let decoder = JSONDecoder()
      #expect(try decoder.decode(String.self, from: lines[0]) == "testing address register")
      #expect(try decoder.decode(ReadParty.self, from: lines[1]) == ReadParty(moved))
      #expect(try decoder.decode(ReadParty.self, from: lines[2]) == ReadParty(records[0]))
      #expect(
        try decoder.decode([ReadParty].self, from: lines[3]) == [records[0], records[2], moved, records[1]].map { ReadParty($0) })
      struct Found: Decodable {
        var total: Int
        var found: [ReadParty]
      }
      let found = try decoder.decode(Found.self, from: lines[4])
      #expect(found.total == 2)
      #expect(found.found == [records[2], moved].map { ReadParty($0) })
      #expect(String(decoding: lines[5], as: UTF8.self).contains("[103, "))
      #expect(!String(decoding: lines[5], as: UTF8.self).contains("999"))
      #expect(String(decoding: lines[6], as: UTF8.self) == "[[\"SwitchBus\", [\"ElectronicAddresses\"]]]")
      #expect(String(decoding: lines[7], as: UTF8.self).contains("InvalidHerIdSupplied"))
      #expect(String(decoding: lines[8], as: UTF8.self) == "\"done\"")
    }
  }

  @Test("every request of our client, and every answer of our register, is valid by the XSD, says xmlschema")
  func xmlschema() async throws {
    try await withTemporaryFolder { folder in
      for (name, bytes) in AddressRegisterServer.contractFiles {
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
      }
      var documents: [[UInt8]] = []
      for version in soapVersions {
        let kept = Kept()
        try await RegisterHarness.run(version, records: Self.rich(), adjust: { $0.keepsRequests = true }) { harness in
          let reader = harness.reader
          try await reader.ping()
          _ = try await reader.party(her(103))
          _ = try await reader.organisation(her(100))
          _ = try await reader.changeLog(her(100))
          _ = try await reader.lastChanges(of: [her(100), her(103)])
          _ = try await reader.lastChanges(of: [])
          let search = PartySearch(constraints: [
            PartySearch.Constraint("Name", "<& Å"), PartySearch.Constraint("Type", "Service"),
          ])
          _ = try await reader.search(search, page: 2)
          _ = try await reader.search(PartySearch(constraints: []), page: 1)
          await kept.keep(harness.server.requests)
        }
        documents += await kept.documents
        #expect(await kept.documents.count == 8)
        documents += Self.answers(version)
      }
      for (index, document) in documents.enumerated() {
        try Data(document).write(to: URL(fileURLWithPath: "\(folder)/\(100 + index).xml"))
      }
      let result = try await ForeignPython.run("validate_soap.py", [folder + "/communication-party.xsd", folder])
      #expect(result.exitCode == 0, "\(result.errors)")
      let lines = result.output.split(separator: "\n")
      #expect(lines.last == "done \(documents.count)")
      #expect(lines.dropLast().allSatisfy { $0.hasPrefix("valid ") }, "\(result.output)")
    }
  }

  private actor Kept {
    var documents: [[UInt8]] = []
    func keep(_ documents: [[UInt8]]) { self.documents = documents }
  }

  private static func answers(_ version: SOAPVersion) -> [[UInt8]] {
    let answers = TestingAnswers.all(version, records: Self.rich())
    return answers.map { Array($0.utf8) }
  }

  @Test("client assertions and DPoP proofs are what HelseID and RFC 9449 want, says joserfc")
  func joserfc() async throws {
    let now = RegistryInstant(millisecondsSinceEpoch: 1_790_000_000_123)
    var cases: [[String: Any]] = []
    for jwk in TestKeys.all {
      let key = try SigningKey(jwk: Secret(jwk))
      let published = try JSONSerialization.jsonObject(with: Data(key.publicJWK.utf8))
      for organisation in [nil, HelseIDConfiguration.Organisation(parent: "100000001", child: "100000002")] {
        var configuration = HelseIDConfiguration(issuer: "https://helseid.example.no", clientID: "klient æ \"1\"", scope: "s")
        configuration.organisation = organisation
        var one: [String: Any] = [
          "kind": "assertion", "now": 1_790_000_000, "issuer": configuration.issuer, "clientID": configuration.clientID,
          "key": published, "token": try ClientAssertion.token(configuration, key: key, now: now, id: "id-1"),
        ]
        one["keyID"] = key.keyID
        if organisation != nil { one["organisation"] = "NO:ORGNR:100000001:100000002" }
        cases.append(one)
      }
      for (nonce, token) in [(nil, nil), ("a-nonce", nil), (nil, "a.token"), ("a-nonce", "a.token")] as [(String?, String?)] {
        var one: [String: Any] = [
          "kind": "proof", "now": 1_790_000_000, "method": "GET", "url": "https://cpe.example.no/CommunicationPartyEvents",
          "thumbprint": key.thumbprint,
          "token": try DPoPProof.token(
            method: "GET", url: "https://cpe.example.no/CommunicationPartyEvents?EventId=1#x", key: key, now: now, id: "id-2",
            nonce: nonce, accessToken: token),
        ]
        one["nonce"] = nonce
        one["accessToken"] = token
        cases.append(one)
      }
    }
    // What must not pass, so that the judge is seen to judge.
    let spoilt = cases.prefix(2).map { one in
      var one = one
      one["now"] = 1_790_000_100
      return one
    }
    try await withTemporaryFolder { folder in
      let lines = try (cases + spoilt).map { try JSONSerialization.data(withJSONObject: $0) + Data("\n".utf8) }
      let file = folder + "/cases.jsonl"
      try lines.reduce(Data(), +).write(to: URL(fileURLWithPath: file))
      let result = try await ForeignPython.run("check_tokens.py", [file])
      #expect(result.exitCode == 0, "\(result.errors)")
      let verdicts = result.output.split(separator: "\n")
      #expect(verdicts.count == lines.count)
      #expect(verdicts.prefix(cases.count).allSatisfy { $0 == "good" }, "\(result.output)")
      #expect(verdicts.dropFirst(cases.count).allSatisfy { $0.hasPrefix("bad") }, "\(result.output)")
    }
  }
}
