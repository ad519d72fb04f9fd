// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Testing

@testable import Telling

@Suite("A mail handed to a relay")
struct SMTPConversationTests {
  private func conversation(_ protection: SMTPConversation.Protection = .startTLS, login: Bool = true) -> SMTPConversation {
    SMTPConversation(
      protection: protection, login: login ? .init(user: "vakt", password: Secret("hemmelig")) : nil, from: "fra@example.no",
      recipients: ["a@example.no", "b@example.no"], mail: Array("Subject: x\r\n\r\nhei\r\n".utf8), host: "migrator")
  }

  /// Says one reply after the other, and gives what was said to each.
  private func play(_ conversation: inout SMTPConversation, _ replies: [String]) throws -> [String] {
    var reader = SMTPReply.Reader()
    var said: [String] = []
    for text in replies {
      for line in text.split(separator: "|") {
        guard let reply = try reader.take(String(line)) else { continue }
        switch conversation.take(reply) {
        case .send(let bytes): said.append(String(decoding: bytes, as: UTF8.self))
        case .secure(let bytes): said.append("TLS, " + String(decoding: bytes, as: UTF8.self))
        case .accepted(let bytes): said.append("accepted, " + String(decoding: bytes, as: UTF8.self))
        case .failed(let failure): said.append("failed: \(failure.seen)")
        }
      }
    }
    return said
  }

  @Test("STARTTLS, login, two recipients, the mail, goodbye")
  func whole() throws {
    var conversation = self.conversation()
    let said = try self.play(
      &conversation,
      [
        "220 relay", "250-relay|250-STARTTLS|250 AUTH PLAIN", "220 go", "250-relay|250 AUTH LOGIN PLAIN", "235 in", "250 ok",
        "250 ok",
        "251 elsewhere", "354 go on", "250 queued",
      ])
    #expect(
      said == [
        "EHLO migrator\r\n", "STARTTLS\r\n", "TLS, EHLO migrator\r\n", "AUTH PLAIN AHZha3QAaGVtbWVsaWc=\r\n",
        "MAIL FROM:<fra@example.no>\r\n", "RCPT TO:<a@example.no>\r\n", "RCPT TO:<b@example.no>\r\n", "DATA\r\n",
        "Subject: x\r\n\r\nhei\r\n.\r\n", "accepted, QUIT\r\n",
      ])
    #expect(conversation.mayHaveArrived)
  }

  @Test("login by LOGIN where PLAIN is not offered; without a login none is made")
  func login() throws {
    var conversation = self.conversation(.implicit)
    let said = try self.play(
      &conversation, ["220 relay", "250-relay|250 AUTH LOGIN", "334 UGFzc3dvcmQ6", "235 in"])
    #expect(
      said == ["EHLO migrator\r\n", "AUTH LOGIN dmFrdA==\r\n", "aGVtbWVsaWc=\r\n", "MAIL FROM:<fra@example.no>\r\n"])
    var plain = self.conversation(.none, login: false)
    #expect(try self.play(&plain, ["220 relay", "250 relay"]) == ["EHLO migrator\r\n", "MAIL FROM:<fra@example.no>\r\n"])
  }

  @Test("no STARTTLS, no mail: nothing goes in clear, the login least of all")
  func clear() throws {
    var conversation = self.conversation()
    let said = try self.play(&conversation, ["220 relay", "250-relay|250 AUTH PLAIN"])
    #expect(said == ["EHLO migrator\r\n", "failed: the mail server offers no STARTTLS, and nothing is sent in clear"])
  }

  @Test("every no is told with what was refused, and no secret", arguments: 0..<9)
  func refused(step: Int) throws {
    let replies = [
      "220 relay", "250-relay|250-STARTTLS|250 AUTH PLAIN", "220 go", "250-relay|250 AUTH PLAIN", "235 in", "250 ok", "250 ok",
      "250 ok",
      "354 go on", "250 queued",
    ]
    var conversation = self.conversation()
    let said = try self.play(&conversation, replies.prefix(step) + ["554 no, you with hemmelig? no"])
    #expect(said.last?.hasPrefix("failed: the mail server would not ") == true, "\(said)")
    #expect(conversation.mayHaveArrived == (step == 9))
  }

  @Test("a reply's lines belong together, and what is no reply is none")
  func replies() throws {
    var reader = SMTPReply.Reader()
    #expect(try reader.take("250-one") == nil)
    #expect(try reader.take("250 two") == SMTPReply(code: 250, lines: ["one", "two"]))
    #expect(try reader.take("250") == SMTPReply(code: 250, lines: [""]))
    for line in ["", "25", "HTTP/1.1 200 OK", "999 x", "250_x", "2５0 x"] {
      var reader = SMTPReply.Reader()
      #expect(throws: TellingFailure.self, "\(line)") { try reader.take(line) }
    }
    _ = try reader.take("250-one")
    #expect(throws: TellingFailure.self) { try reader.take("251 other") }
  }
}
