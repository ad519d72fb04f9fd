// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Testing

@Suite("A table of parties as CSV: strict, exact, and the line is named")
struct PartyTableTests {
  private let head = "her_id,name,kind,parent,active,valid,organisation_number,type_code,address,inherited,valid_from"

  private func parse(_ text: String) throws(AddressRegistryError) -> [PartyRecord] {
    try PartyTable.parse(Data(text.utf8), path: "p.csv")
  }

  @Test("what was written comes back, whatever is in it")
  func roundTrip() throws {
    var odd = party(7, name: "Ærø \"Legesenter\"; avd. 2,\nandre etasje ", addresses: [])
    odd.organisationNumber = 999_999_999
    odd.futureAddresses = [
      .init(
        address: .init(typeCode: "E_SB_ASYNC", text: "tb.example.no/x/7_async", inherited: false),
        validFrom: "2026-12-01T00:00:00")
    ]
    var more = party(8, parent: 7)
    more.addresses.insert(.init(typeCode: "E_EDI", text: "post@example.no", inherited: true), at: 1)
    let records = [party(6, name: " blank ", addresses: []), odd, more]
    #expect(try PartyTable.parse(PartyTable.data(of: records), path: "p") == records)
    #expect(PartyTable.data(of: records) == PartyTable.data(of: records.reversed()))
  }

  @Test("as Norwegian spreadsheets write it: byte order mark, semicolons, capitals for true, columns in another order")
  func spreadsheet() throws {
    let text = """
      \u{FEFF}name;her_id;kind;parent;active;valid;type_code;address;inherited\r
      Legekontoret;5;service;;TRUE;FALSE;E_SB_ASYNC;sb.test.nhn.no/x/5_async;FALSE\r
      \r
      """
    let record = try #require(try self.parse(text).first)
    #expect(record.herID == her(5) && record.active && !record.valid)
    #expect(record.addresses == [.init(typeCode: "E_SB_ASYNC", text: "sb.test.nhn.no/x/5_async", inherited: false)])
  }

  @Test(
    "what is wrong is told, with its line",
    arguments: [
      ("", 1, "empty"), ("her_id,nam", 1, "no such column \"nam\""), ("her_id,her_id", 1, "twice"),
      ("her_id,name,kind,parent,active,valid,type_code,address", 1, "column inherited is missing"),
      ("HEAD\n1,n,service", 2, "3 fields"), ("HEAD\n0,n,service,,true,true,,,,,", 2, "no HER-ID"),
      ("HEAD\n1,n,doctor,,true,true,,,,,", 2, "none of organisation"), ("HEAD\n1,n,service,x,true,true,,,,,", 2, "parent"),
      ("HEAD\n1,n,service,,yes,true,,,,,", 2, "neither true nor false"),
      ("HEAD\n1,n,service,,true,true,abc,,,,", 2, "organisation_number"),
      ("HEAD\n1,n,service,,true,true,,,a/b,true,", 2, "empty beside an address"),
      ("HEAD\n1,n,service,,true,true,,E_SB_ASYNC,nowhere,true,", 2, "no queue address"),
      ("HEAD\n1,n,service,1,true,true,,,,,", 2, "not its own parent"),
      ("HEAD\n1,\"n,service,,true,true,,,,,", 2, "never closed"), ("HEAD\n1,a\"b,service,,true,true,,,,,", 2, "quote"),
      ("HEAD\n1,\"a\"b,service,,true,true,,,,,", 2, "after the closing quote"),
      ("HEAD\n1,n,service,,true,true,,E_EDI,a,true,\n1,m,service,,true,true,,E_DS,b,true,", 3, "other values"),
      ("HEAD\n1,n,service,,true,true,,E_EDI,a,true,\n1,n,service,,true,true,,,,,", 3, "second row without an address"),
    ])
  func wrong(_ text: String, _ line: Int, _ words: String) throws {
    do {
      let records = try self.parse(text.replacing("HEAD", with: self.head))
      Issue.record("read as \(records)")
    } catch {
      guard case .importTableInvalid(_, let seen, let problem) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(seen == line)
      #expect(problem.contains(words), "\(problem)")
    }
  }

  @Test("a HER-ID in two places is refused: which holds is not ours to guess")
  func twice() {
    let row = { (number: Int) in "\(number),n,service,,true,true,,,,,\n" }
    #expect(throws: AddressRegistryError.importDuplicate(path: "p.csv", her(1), entries: [2, 4])) {
      try self.parse(self.head + "\n" + row(1) + row(2) + row(1))
    }
  }
}
