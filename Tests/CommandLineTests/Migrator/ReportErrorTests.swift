// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import bus_migrator

@Suite("Errors of reports")
struct ReportErrorTests {
  @Test("each has a code of its own, words, and a line in the list of codes")
  func codes() throws {
    let list = try String(contentsOf: ConfigurationFileTests.root.appendingPathComponent("docs/error-codes.md"), encoding: .utf8)
    #expect(Set(ReportError.allCases.map(\.stableCode)).count == ReportError.allCases.count)
    for error in ReportError.allCases {
      #expect(!error.explanation.meaning.isEmpty && !error.explanation.next.isEmpty)
      #expect(list.contains("| \(error.stableCode) |"), "\(error.stableCode) is not in docs/error-codes.md")
    }
    let listed = list.split(separator: "\n").filter { $0.hasPrefix("| REPORT-") }
    #expect(listed.count == ReportError.allCases.count)
  }
}
