// SPDX-License-Identifier: Apache-2.0

/// What a mail server says: a code and its lines (RFC 5321, 4.2).
struct SMTPReply: Sendable, Hashable {
  var code: Int
  var lines: [String]

  /// The server's words, for a person: shortened, printable only.
  var words: String {
    let text = self.lines.joined(separator: " ").unicodeScalars.map {
      $0.isASCII && $0.value >= 32 && $0.value != 127 ? Character($0) : " "
    }
    return "\(self.code) \(String(String(text).prefix(120)))"
  }

  /// Reads lines until a reply is whole.
  struct Reader: Sendable {
    static let longestLine = 1_024
    static let mostLines = 128

    private var lines: [String] = []
    private var code = 0

    /// - Parameter line: without its end.
    /// - Returns: the reply, when the line is its last.
    /// - Throws: when it is no line of a reply.
    mutating func take(_ line: String) throws(TellingFailure) -> SMTPReply? {
      let digits = line.utf8.prefix(3)
      guard digits.count == 3, digits.allSatisfy({ (48...57).contains($0) }), let code = Int(line.prefix(3)),
        (200..<600).contains(code),
        self.lines.isEmpty || code == self.code, self.lines.count < Self.mostLines
      else { throw TellingFailure("the mail server does not speak SMTP") }
      self.code = code
      let rest = line.dropFirst(3)
      self.lines.append(String(rest.dropFirst()))
      switch rest.first {
      case "-": return nil
      case " ", nil:
        defer { self.lines = [] }
        return SMTPReply(code: code, lines: self.lines)
      default: throw TellingFailure("the mail server does not speak SMTP")
      }
    }
  }
}
