// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import bus_migrator

@Suite("The codes of those who carry messages over")
struct CarrierCodeTests {
  @Test("each is explained and stands in the list of codes; one that is none is not")
  func codes() throws {
    let list = try String(
      contentsOf: ConfigurationFileTests.root.appendingPathComponent("docs/error-codes.md"), encoding: .utf8)
    #expect(Set(CarrierCode.all.map(\.code)).count == CarrierCode.all.count)
    for entry in CarrierCode.all {
      #expect(!entry.meaning.isEmpty && !entry.next.isEmpty, "\(entry.code)")
      #expect(list.contains("| \(entry.code) |"), "\(entry.code) is not in docs/error-codes.md")
    }
    #expect(CarrierCode.all.contains { $0.code == "SHOVEL-009" } && CarrierCode.entry("shovel-001") != nil)
    #expect(CarrierCode.entry("FWD-999") == nil)
  }
}
