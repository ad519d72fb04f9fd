// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration

/// A mail as it goes over the wire (RFC 5322): text in UTF-8, as Base64, so that no line is too long and none begins with a dot.
struct MailText: Sendable, Hashable {
  var from: String
  var to: [String]
  var subject: String
  var text: String
  var at: Instant
  /// The same for the same mail, however often it is sent: mail systems throw the second away, or show them as one.
  var id: String
  var host: String

  var bytes: [UInt8] {
    let headers = [
      "From: <\(self.from)>", "To: \(self.to.map { "<\($0)>" }.joined(separator: ",\r\n "))",
      "Subject: \(Self.encoded(self.subject))",
      "Date: \(Self.date(self.at))", "Message-ID: <\(self.id)@\(self.host)>", "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
    ]
    let text = self.text.replacingOccurrences(of: "\r\n", with: "\n").replacingOccurrences(of: "\n", with: "\r\n")
    let body = Data(text.utf8).base64EncodedString(options: [
      .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
    ])
    return Array((headers.joined(separator: "\r\n") + "\r\n\r\n" + body + "\r\n").utf8)
  }

  /// A header's text (RFC 2047): in words of at most 75 characters, and never a line's end of somebody else's.
  static func encoded(_ text: String) -> String {
    let clean = String(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) })
    if clean.utf8.count <= 60, clean.utf8.allSatisfy({ $0 < 128 }), !clean.contains("=?") { return clean }
    var words: [String] = []
    var word = ""
    for character in clean {
      if word.utf8.count + character.utf8.count > 42 {
        words.append(word)
        word = ""
      }
      word.append(character)
    }
    words.append(word)
    return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
  }

  private static func date(_ at: Instant) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "EEE, d MMM yyyy HH:mm:ss Z"
    return formatter.string(from: Date(timeIntervalSince1970: Double(at.milliseconds) / 1_000))
  }
}
