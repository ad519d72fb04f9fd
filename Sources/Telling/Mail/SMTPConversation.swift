// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Foundation

/// One mail handed to a relay, as a conversation: a reply goes in, what to do next comes out (RFC 5321; STARTTLS by RFC 3207; AUTH by RFC 4954).
struct SMTPConversation: Sendable {
  enum Action: Sendable, Equatable {
    /// Say this; the next reply is its answer.
    case send([UInt8])
    /// Turn the connection to TLS, then say this.
    case secure(then: [UInt8])
    /// The relay has taken the mail. Say this and close, whatever is answered.
    case accepted(farewell: [UInt8])
    case failed(TellingFailure)
  }

  /// How the way to the relay is kept from others.
  enum Protection: Sendable, Hashable {
    /// TLS from the first byte, or asked for with STARTTLS and insisted on.
    case implicit, startTLS
    /// None: only to this machine itself.
    case none
  }

  struct Login: Sendable, Hashable {
    var user: String
    var password: Secret
  }

  private enum Step: Sendable {
    case greeting, hello, startTLS, helloSecured, user, password, authenticated, from, recipient(Int), data, body
  }

  let protection: Protection
  let login: Login?
  let from: String
  let recipients: [String]
  /// The whole mail, lines ended by CR LF, no line of a single dot.
  let mail: [UInt8]
  /// How we name ourselves.
  let host: String

  private var step = Step.greeting
  /// Whether the relay may have the mail: all of it was said.
  private(set) var mayHaveArrived = false

  init(protection: Protection, login: Login?, from: String, recipients: [String], mail: [UInt8], host: String) {
    self.protection = protection
    self.login = login
    self.from = from
    self.recipients = recipients
    self.mail = mail
    self.host = host
  }

  mutating func take(_ reply: SMTPReply) -> Action {
    switch self.step {
    case .greeting: return self.expect(reply, 220, "greet") { $0.go(.hello, "EHLO \($0.host)") }
    case .hello:
      return self.expect(reply, 250, "greet") { conversation in
        guard conversation.protection == .startTLS else { return conversation.logIn(reply) }
        guard Self.offers(reply, "STARTTLS") else {
          return .failed(TellingFailure("the mail server offers no STARTTLS, and nothing is sent in clear"))
        }
        return conversation.go(.startTLS, "STARTTLS")
      }
    case .startTLS:
      return self.expect(reply, 220, "turn to TLS") { conversation in
        conversation.step = .helloSecured
        return .secure(then: Self.line("EHLO \(conversation.host)"))
      }
    // What was offered in clear counts for nothing.
    case .helloSecured: return self.expect(reply, 250, "greet over TLS") { $0.logIn(reply) }
    case .user:
      return self.expect(reply, 334, "log in") { conversation in
        conversation.go(.password, conversation.login.map { $0.password.withPlainText(Self.base64) } ?? "")
      }
    case .password, .authenticated: return self.expect(reply, 235, "log in") { $0.go(.from, "MAIL FROM:<\($0.from)>") }
    case .from: return self.expect(reply, 250, "send from this address") { $0.goToRecipient(0) }
    case .recipient(let index):
      // One that is refused refuses the mail: who is on call is not left out in silence.
      guard reply.code == 250 || reply.code == 251 else { return self.refused(reply, "send to recipient \(index + 1)") }
      return index + 1 < self.recipients.count ? self.goToRecipient(index + 1) : self.go(.data, "DATA")
    case .data:
      return self.expect(reply, 354, "hand the mail over") { conversation in
        conversation.step = .body
        conversation.mayHaveArrived = true
        return .send(conversation.mail + Array(".\r\n".utf8))
      }
    case .body:
      guard reply.code == 250 else {
        self.mayHaveArrived = false
        return self.refused(reply, "hand the mail over")
      }
      return .accepted(farewell: Self.line("QUIT"))
    }
  }

  private mutating func goToRecipient(_ index: Int) -> Action {
    self.go(.recipient(index), "RCPT TO:<\(self.recipients[index])>")
  }

  private mutating func logIn(_ reply: SMTPReply) -> Action {
    guard let login = self.login else { return self.go(.from, "MAIL FROM:<\(self.from)>") }
    let mechanisms = reply.lines.first { $0.uppercased().hasPrefix("AUTH") }?.uppercased().split(separator: " ").dropFirst() ?? []
    if mechanisms.contains("PLAIN") {
      let plain = login.password.withPlainText { Self.base64("\0\(login.user)\0\($0)") }
      return self.go(.authenticated, "AUTH PLAIN \(plain)")
    }
    if mechanisms.contains("LOGIN") { return self.go(.user, "AUTH LOGIN \(Self.base64(login.user))") }
    return .failed(TellingFailure("the mail server takes no login by PLAIN or LOGIN"))
  }

  private static func offers(_ reply: SMTPReply, _ extension: String) -> Bool {
    reply.lines.contains { $0.uppercased().split(separator: " ").first.map(String.init) == `extension` }
  }

  private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
  private static func line(_ text: String) -> [UInt8] { Array("\(text)\r\n".utf8) }

  private mutating func go(_ step: Step, _ text: String) -> Action {
    self.step = step
    return .send(Self.line(text))
  }

  private mutating func expect(_ reply: SMTPReply, _ code: Int, _ what: String, _ next: (inout Self) -> Action) -> Action {
    guard reply.code == code else { return self.refused(reply, what) }
    return next(&self)
  }

  private func refused(_ reply: SMTPReply, _ what: String) -> Action {
    .failed(TellingFailure("the mail server would not \(what): \(reply.words)"))
  }
}
