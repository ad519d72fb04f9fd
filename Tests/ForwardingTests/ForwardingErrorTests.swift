// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Forwarding

@Suite("Codes of forwarding")
struct ForwardingErrorTests {
  @Test("every code explains itself, and no two are alike")
  func codes() {
    #expect(Set(ForwardingError.Code.all.map(\.text)).count == ForwardingError.Code.all.count)
    for code in ForwardingError.Code.all {
      let error = ForwardingError(code, tried: "forward a/q > b/q", seen: "what was seen")
      #expect(error.explanation.meaning != "Forwarding stopped.")
      #expect(error.description.contains(code.text))
    }
  }

  @Test("docs/error-codes.md lists each")
  func documented() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/error-codes.md"), encoding: .utf8)
    for code in ForwardingError.Code.all { #expect(page.contains("| \(code.text) |"), "\(code.text)") }
  }
}
