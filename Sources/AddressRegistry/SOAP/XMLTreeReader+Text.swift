// SPDX-License-Identifier: Apache-2.0

/// Character data: pieces that stand as they are, CDATA sections, and references.
extension XMLTreeReader {
  mutating func characters(of place: Int) throws(Unreadable) {
    var start = self.at
    while self.at < self.bytes.count, self.bytes[self.at] != UInt8(ascii: "<") {
      switch self.bytes[self.at] {
      case UInt8(ascii: "&"):
        self.add(start..<self.at, to: place)
        self.add(try self.reference(), to: place)
        start = self.at
      case UInt8(ascii: "]") where self.isNext("]]>"): throw self.problem("the end of a CDATA section that never began")
      default: self.at += 1
      }
    }
    self.add(start..<self.at, to: place)
  }

  mutating func cdata(of place: Int) throws(Unreadable) {
    guard let end = self.find("]]>", from: self.at + 9) else { throw self.problem("no end of a CDATA section") }
    self.add((self.at + 9)..<end, to: place)
    self.at = end + 3
  }

  /// Most elements have one piece of text, which stays where it is.
  private mutating func add(_ piece: Range<Int>, to place: Int) {
    guard !piece.isEmpty else { return }
    if case .none = self.elements[place].text, self.first(13, in: piece) == nil {
      self.elements[place].text = .bytes(piece)
    } else {
      self.add(Self.lines(self.bytes[piece]), to: place)
    }
  }

  private mutating func add(_ piece: String, to place: Int) {
    // Taken out, so that it grows in place: a text may have a million references in it.
    var before = XMLDocument.Text.none
    swap(&before, &self.elements[place].text)
    switch consume before {
    case .none: self.elements[place].text = .made(piece)
    case .bytes(let range): self.elements[place].text = .made(String(decoding: self.bytes[range], as: UTF8.self) + piece)
    case .made(var text):
      text += piece
      self.elements[place].text = .made(text)
    }
  }

  /// With line ends as XML has them: a line feed each.
  private static func lines(_ raw: ArraySlice<UInt8>) -> String {
    guard raw.contains(13) else { return String(decoding: raw, as: UTF8.self) }
    var lines: [UInt8] = []
    var previous: UInt8 = 0
    for byte in raw {
      if byte == 13 { lines.append(10) } else if byte != 10 || previous != 13 { lines.append(byte) }
      previous = byte
    }
    return String(decoding: lines, as: UTF8.self)
  }

  /// One of the five entities, or a character by its number.
  mutating func reference() throws(Unreadable) -> String {
    let limit = min(self.bytes.count, self.at + 14)
    guard let end = self.bytes[self.at..<limit].firstIndex(of: UInt8(ascii: ";")) else {
      throw self.problem("a broken reference")
    }
    let name = self.bytes[(self.at + 1)..<end]
    let text: String
    switch String(decoding: name, as: UTF8.self) {
    case "lt": text = "<"
    case "gt": text = ">"
    case "amp": text = "&"
    case "apos": text = "'"
    case "quot": text = "\""
    default:
      guard name.first == UInt8(ascii: "#") else { throw self.problem("an undeclared entity") }
      let isHexadecimal = name.dropFirst().first == UInt8(ascii: "x")
      let digits = name.dropFirst(isHexadecimal ? 2 : 1)
      let isDigit: (UInt8) -> Bool = { byte in
        (48...57).contains(byte) || (isHexadecimal && ((65...70).contains(byte) || (97...102).contains(byte)))
      }
      guard !digits.isEmpty, digits.allSatisfy(isDigit),
        let number = UInt32(String(decoding: digits, as: UTF8.self), radix: isHexadecimal ? 16 : 10),
        let scalar = Unicode.Scalar(number), number >= 32 || number == 9 || number == 10 || number == 13,
        number != 0xFFFE, number != 0xFFFF
      else { throw self.problem("a reference to no character") }
      text = String(scalar)
    }
    self.at = end + 1
    return text
  }
}
