// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import Testing

@testable import Telling

@Suite("A mail's text")
struct MailTextTests {
  @Test("headers in order, the text in Base64, no line longer than 78")
  func whole() {
    let mail = MailText(
      from: "fra@example.no", to: ["a@example.no"], subject: "[test] MIG-413 pulje pulje-1: begun",
      text: "Blåbær\n.\n" + String(repeating: "x", count: 400),
      at: Instant(milliseconds: 1_700_000_000_000), id: "abc", host: "migrator")
    let text = String(decoding: mail.bytes, as: UTF8.self)
    let lines = text.components(separatedBy: "\r\n")
    #expect(lines.contains("Date: Tue, 14 Nov 2023 22:13:20 +0000"))
    #expect(lines.contains("Message-ID: <abc@migrator>"))
    #expect(lines.contains("Subject: [test] MIG-413 pulje pulje-1: begun"))
    #expect(lines.allSatisfy { $0.utf8.count <= 78 && $0 != "." && !$0.contains("\n") })
    let body = Data(base64Encoded: lines.drop { !$0.isEmpty }.joined())
    #expect(body.map { String(decoding: $0, as: UTF8.self) }?.hasPrefix("Blåbær\r\n.\r\n") == true)
  }

  @Test(
    "what is not ASCII is encoded in short words, and nobody adds a header of their own",
    arguments: ["pulje æøå", "x\r\nBcc: evil@example.no", String(repeating: "ø", count: 200)])
  func subjects(text: String) {
    let encoded = MailText.encoded(text)
    for line in encoded.components(separatedBy: "\r\n ") {
      #expect(line.utf8.count <= 75 && !line.contains("\n") && !line.contains("\r"), "\(line)")
    }
    #expect(!encoded.contains("\r\nBcc"))
  }

  @Test(
    "an address that is none is none",
    arguments: [
      ("vakt@example.no", true), ("a@b", true), ("vakt", false), ("a@b@c", false), ("a b@c", false), ("<a@b>", false),
      ("a@b\r\nX: y", false), ("@b", false),
    ])
  func addresses(text: String, isAddress: Bool) { #expect(MailChannel.isAddress(text) == isAddress) }
}
