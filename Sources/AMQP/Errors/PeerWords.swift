// SPDX-License-Identifier: Apache-2.0

/// What of a peer's words may be shown.
///
/// RabbitMQ answers a message it cannot read with the Erlang term at fault and a stack: parts of the message are in there, as
/// binaries `<<...>>`, as quoted strings and as lists of numbers. Its own sentences ("no queue 'x' in vhost '/'") come before
/// any term, and are kept whole.
enum PeerWords {
  /// Longer texts are stack traces.
  static let longest = 300

  /// `text` as it may stand in a log: of Erlang terms only atoms are left, and no control characters.
  static func shown(_ text: String) -> String {
    var reader = TermReader(Array(text.unicodeScalars))
    var shown = ""
    var count = 0
    while let piece = reader.next() {
      guard count < PeerWords.longest else { return shown + "..." }
      shown.unicodeScalars.append(contentsOf: piece)
      count += piece.count
    }
    return shown
  }

  private struct TermReader {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var isTerm = false
    private var isInAtom = false

    init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

    mutating func next() -> [Unicode.Scalar]? {
      guard self.position < self.scalars.count else { return nil }
      let scalar = self.scalars[self.position]
      if scalar == "{" || scalar == "[" || self.isAt("<<") { self.isTerm = true }
      guard self.isTerm else {
        self.position += 1
        return [scalar.value < 0x20 || scalar.value == 0x7f ? " " : scalar]
      }
      if self.isAt("<<") {
        self.skipBinary()
        return Array("<<..>>".unicodeScalars)
      }
      if scalar == "\"" {
        self.skipQuoted()
        return Array("\"..\"".unicodeScalars)
      }
      self.position += 1
      return self.keptOfTerm(scalar)
    }

    /// Atoms and punctuation; a digit only inside an atom, and nothing that is no ASCII.
    private mutating func keptOfTerm(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
      switch scalar {
      case "a"..."z", "_", "@":
        self.isInAtom = true
        return [scalar]
      case "0"..."9" where self.isInAtom: return [scalar]
      case "{", "}", "[", "]", "(", ")", ",", ":", "=", ">", "#", "|", "/", "'", ".", "-", " ":
        self.isInAtom = false
        return [scalar]
      default: return []
      }
    }

    private func isAt(_ text: String) -> Bool { self.scalars[self.position...].starts(with: text.unicodeScalars) }

    private mutating func skipQuoted() {
      self.position += 1
      while self.position < self.scalars.count, self.scalars[self.position] != "\"" {
        self.position += self.scalars[self.position] == "\\" ? 2 : 1
      }
      self.position += 1
    }

    private mutating func skipBinary() {
      self.position += 2
      while self.position < self.scalars.count, !self.isAt(">>") {
        if self.scalars[self.position] == "\"" { self.skipQuoted() } else { self.position += 1 }
      }
      self.position += 2
    }
  }
}
