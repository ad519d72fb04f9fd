// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Migration

@Suite("The book of codes")
struct CodeBookTests {
  @Test("every code has its own entry with words; no code stands for two things")
  func whole() throws {
    #expect(Set(CodeBook.codes).count == CodeBook.codes.count)
    for code in CodeBook.codes {
      let entry = try #require(CodeBook.entry(code.lowercased()), "\(code)")
      #expect(entry.meaning.count > 10 && !entry.next.isEmpty, "\(code)")
      #expect(entry.code == code)
    }
    for refusal in Refusal.Code.allCases { #expect(Refusal.words[refusal] != nil, "\(refusal)") }
    #expect(CodeBook.entry("MIG-999") == nil)
  }
}
