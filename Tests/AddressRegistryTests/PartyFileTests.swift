// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Testing

@Suite("A file of parties is read strictly, or not at all")
struct PartyFileTests {
  private let good = """
    {"herID": 93238, "name": "Digitale innbyggertjenester", "kind": "service", "parent": 100, "active": true, "valid": true,
     "addresses": [{"typeCode": "E_SB_ASYNC", "text": "sb.test.nhn.no/DigitalDialog/93238_async", "inherited": false},
                   {"typeCode": "E_EDI", "text": "post@edi.example.no", "inherited": true}]}
    """

  private func parse(_ text: String) throws -> [PartyRecord] { try PartyFile.parse(Data(text.utf8), path: "parties.json") }

  private func error(_ text: String) -> AddressRegistryError? {
    do {
      _ = try self.parse(text)
      Issue.record("nothing was thrown")
      return nil
    } catch { return error as? AddressRegistryError }
  }

  @Test("a good file")
  func reads() throws {
    let records = try self.parse("[\(self.good)]")
    #expect(
      records == [
        PartyRecord(
          herID: her(93_238), name: "Digitale innbyggertjenester", kind: .service, parent: her(100), active: true, valid: true,
          addresses: [
            PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "sb.test.nhn.no/DigitalDialog/93238_async", inherited: false),
            PartyRecord.Address(typeCode: "E_EDI", text: "post@edi.example.no", inherited: true),
          ])
      ])
    #expect(try self.parse("[]").isEmpty)
  }

  @Test("what is written is read back the same, in order of HER-ID")
  func roundTrip() throws {
    let data = try PartyFile.data(of: family().reversed())
    #expect(try PartyFile.parse(data, path: "x") == family())
    #expect(try PartyFile.data(of: family()) == data)
  }

  @Test(
    "an error names the entry, its HER-ID and the field",
    arguments: [
      ("\"name\": \"Digitale innbyggertjenester\", ", "", "", "name is missing"),
      ("\"active\": true", "\"active\": \"yes\"", "active", "Bool"),
      ("\"valid\": true", "\"valid\": true, \"vaild\": true", "vaild", "no such field"),
      ("\"kind\": \"service\"", "\"kind\": \"tjeneste\"", "kind", "tjeneste"),
      ("\"parent\": 100", "\"parent\": -1", "parent", "greater than zero"),
      ("\"parent\": 100", "\"parent\": 93238", "parent", "its own parent"),
      ("\"inherited\": true", "\"inherited\": 2", "addresses[2].inherited", "Bool"),
      ("\"inherited\": true", "\"inherited\": true, \"note\": \"\"", "addresses[2].note", "no such field"),
      ("\"text\": \"post@edi.example.no\", ", "", "addresses[2]", "text is missing"),
      ("\"E_EDI\"", "\"\"", "addresses[2].typeCode", "is empty"),
      ("sb.test.nhn.no/DigitalDialog/93238_async", "93238_async", "addresses[1].text", "no queue address"),
      ("\"E_EDI\", \"text\": \"post@edi.example.no\"", "\"E_SB_ASYNC\", \"text\": \"a/b\"", "addresses[2].typeCode", "a second"),
    ])
  func invalid(_ present: String, _ instead: String, _ field: String, _ problem: String) throws {
    let other = self.good.replacingOccurrences(of: "93238", with: "93252")
    let bad = self.good.replacingOccurrences(of: present, with: instead)
    #expect(bad != self.good)
    guard case .importEntryInvalid("parties.json", 2, her(93_238), let named, let text) = self.error("[\(other), \(bad)]") else {
      Issue.record("\(String(describing: self.error("[\(other), \(bad)]")))")
      return
    }
    #expect(named == field)
    #expect(text.contains(problem), "\(text)")
  }

  @Test("a HER-ID that is none is an error of its entry", arguments: ["0", "-5", "\"93238\"", "1.5", "99999999999", "null"])
  func herIDs(_ text: String) {
    let bad = self.good.replacingOccurrences(of: "\"herID\": 93238", with: "\"herID\": \(text)")
    guard case .importEntryInvalid(_, 1, nil, "herID", _) = self.error("[\(bad)]") else {
      Issue.record("\(String(describing: self.error("[\(bad)]")))")
      return
    }
  }

  @Test("a HER-ID that stands twice spoils the file")
  func duplicate() {
    #expect(self.error("[\(self.good), \(self.good)]") == .importDuplicate(path: "parties.json", her(93_238), entries: [1, 2]))
  }

  @Test("what is no array of parties is said so", arguments: ["", "{", "{}", "[1", "7", "[\u{0}]", "<parties/>"])
  func notJSON(_ text: String) {
    #expect(self.error(text)?.stableCode == "AR-302", "\(String(describing: self.error(text)))")
  }

  @Test("entries that are no objects are errors of the entry")
  func notObjects() {
    #expect(self.error("[1]")?.stableCode == "AR-303")
    #expect(self.error("[\(self.good), null]")?.stableCode == "AR-303")
  }

  @Test("a bad file changes nothing in the cache; a file that is not there is said so")
  func atomic() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/parties.json"
      #expect(await failure { try PartyFile.read(path: path) } == .importUnreadable(path: path, seen: "no such file"))
      try PartyFile.data(of: family()).write(to: URL(fileURLWithPath: path))
      #expect(try PartyFile.read(path: path) == family())
    }
  }
}
