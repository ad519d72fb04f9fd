// SPDX-License-Identifier: Apache-2.0

/// Reads a whole JSON document from bytes that another machine sent (RFC 8259, strictly).
package struct JSONDocumentReader {
  /// Why a document could not be read.
  package struct Unreadable: Error, Hashable, CustomStringConvertible {
    package var description: String
  }

  /// Deeper than any answer of the register.
  static let depthLimit = 32

  /// - Throws: when the document is cut off, malformed, too deep, not UTF-8, or has an object with one name twice.
  package static func read(_ bytes: [UInt8]) throws(Unreadable) -> JSONValue {
    var start = 0
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
    var reader = JSONDocumentReader(bytes: bytes, position: start)
    let value = try reader.value(depth: 0)
    reader.skipBlanks()
    guard reader.position == bytes.count else { throw reader.problem("something behind the document") }
    return value
  }

  private let bytes: [UInt8]
  private var position: Int

  private init(bytes: [UInt8], position: Int) {
    self.bytes = bytes
    self.position = position
  }

  private func problem(_ what: String) -> Unreadable {
    Unreadable(description: "\(self.bytes.count) bytes of broken or cut-off JSON (\(what) at byte \(self.position))")
  }

  private var next: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

  private mutating func skipBlanks() {
    while let byte = self.next, byte == 32 || byte == 10 || byte == 13 || byte == 9 { self.position += 1 }
  }

  private mutating func value(depth: Int) throws(Unreadable) -> JSONValue {
    guard depth < Self.depthLimit else { throw self.problem("deeper than \(Self.depthLimit)") }
    self.skipBlanks()
    switch self.next {
    case UInt8(ascii: "{"): return try self.object(depth: depth)
    case UInt8(ascii: "["): return try self.array(depth: depth)
    case UInt8(ascii: "\""): return .string(try self.string())
    case UInt8(ascii: "t"): return try self.word("true", .bool(true))
    case UInt8(ascii: "f"): return try self.word("false", .bool(false))
    case UInt8(ascii: "n"): return try self.word("null", .null)
    case let byte? where byte == UInt8(ascii: "-") || (48...57).contains(byte): return try self.number()
    default: throw self.problem("no value")
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(Unreadable) -> JSONValue {
    guard self.bytes[self.position...].starts(with: word.utf8) else { throw self.problem("no value") }
    self.position += word.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws(Unreadable) -> JSONValue {
    self.position += 1
    var members: [JSONValue.Member] = []
    self.skipBlanks()
    if self.next == UInt8(ascii: "}") {
      self.position += 1
      return .object([])
    }
    while true {
      self.skipBlanks()
      guard self.next == UInt8(ascii: "\"") else { throw self.problem("no name") }
      let name = try self.string()
      guard !members.contains(where: { $0.name == name }) else { throw self.problem("one name twice") }
      self.skipBlanks()
      guard self.next == UInt8(ascii: ":") else { throw self.problem("no colon") }
      self.position += 1
      members.append(JSONValue.Member(name, try self.value(depth: depth + 1)))
      self.skipBlanks()
      switch self.next {
      case UInt8(ascii: ","): self.position += 1
      case UInt8(ascii: "}"):
        self.position += 1
        return .object(members)
      default: throw self.problem("no end of an object")
      }
    }
  }

  private mutating func array(depth: Int) throws(Unreadable) -> JSONValue {
    self.position += 1
    var values: [JSONValue] = []
    self.skipBlanks()
    if self.next == UInt8(ascii: "]") {
      self.position += 1
      return .array([])
    }
    while true {
      values.append(try self.value(depth: depth + 1))
      self.skipBlanks()
      switch self.next {
      case UInt8(ascii: ","): self.position += 1
      case UInt8(ascii: "]"):
        self.position += 1
        return .array(values)
      default: throw self.problem("no end of an array")
      }
    }
  }

  private mutating func number() throws(Unreadable) -> JSONValue {
    let start = self.position
    func isDigit(_ byte: UInt8?) -> Bool { byte.map { (48...57).contains($0) } ?? false }
    func digits() throws(Unreadable) {
      guard isDigit(self.next) else { throw self.problem("no digit") }
      while isDigit(self.next) { self.position += 1 }
    }
    if self.next == UInt8(ascii: "-") { self.position += 1 }
    let first = self.position
    try digits()
    guard self.bytes[first] != 48 || self.position == first + 1 else { throw self.problem("a leading zero") }
    if self.next == UInt8(ascii: ".") {
      self.position += 1
      try digits()
    }
    if self.next == UInt8(ascii: "e") || self.next == UInt8(ascii: "E") {
      self.position += 1
      if self.next == UInt8(ascii: "+") || self.next == UInt8(ascii: "-") { self.position += 1 }
      try digits()
    }
    return .number(String(decoding: self.bytes[start..<self.position], as: UTF8.self))
  }

  private mutating func string() throws(Unreadable) -> String {
    self.position += 1
    let start = self.position
    while let byte = self.next, byte >= 32, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { self.position += 1 }
    guard self.next != UInt8(ascii: "\"") else {
      defer { self.position += 1 }
      return try self.text(self.bytes[start..<self.position])
    }
    var raw = Array(self.bytes[start..<self.position])
    while let byte = self.next {
      switch byte {
      case UInt8(ascii: "\""):
        self.position += 1
        return try self.text(raw[...])
      case UInt8(ascii: "\\"):
        self.position += 1
        raw += Array(try self.escape().utf8)
      case 0..<32: throw self.problem("a control character in a string")
      default:
        raw.append(byte)
        self.position += 1
      }
    }
    throw self.problem("no end of a string")
  }

  private func text(_ raw: ArraySlice<UInt8>) throws(Unreadable) -> String {
    guard let text = String(validating: raw, as: UTF8.self) else { throw self.problem("no UTF-8") }
    return text
  }

  private mutating func escape() throws(Unreadable) -> String {
    guard let byte = self.next else { throw self.problem("no end of a string") }
    self.position += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try self.hexadecimal()
      if let scalar = Unicode.Scalar(first) { return String(scalar) }
      guard (0xD800..<0xDC00).contains(first), self.next == UInt8(ascii: "\\") else { throw self.problem("half a character") }
      self.position += 1
      guard self.next == UInt8(ascii: "u") else { throw self.problem("half a character") }
      self.position += 1
      let second = try self.hexadecimal()
      guard (0xDC00..<0xE000).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      else { throw self.problem("half a character") }
      return String(scalar)
    default: throw self.problem("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(Unreadable) -> UInt32 {
    guard self.position + 4 <= self.bytes.count else { throw self.problem("no end of a string") }
    var value: UInt32 = 0
    for byte in self.bytes[self.position..<self.position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw self.problem("no hexadecimal digit") }
      value = value << 4 + UInt32(digit)
    }
    self.position += 4
    return value
  }
}
