// SPDX-License-Identifier: Apache-2.0

/// The grammar of XML 1.0 with namespaces, without DOCTYPE: bytes that are checked to be UTF-8 become a tree. Entities are the five
/// of XML itself and character references, so a document never becomes larger than it is.
struct XMLTreeReader {
  typealias Unreadable = XMLDocumentReader.Unreadable

  private let bytes: [UInt8]
  private var at: Int
  private var elements = 0

  /// An element that is not closed yet.
  private struct Open {
    var node: XMLNode
    /// As it was written, prefix included: the end tag must say the same.
    var tag: Range<Int>
    /// How many namespace declarations were in force before it.
    var scope: Int
  }

  /// Prefix and namespace, the innermost last; the empty prefix is the default.
  private var namespaces: [(prefix: String, uri: String)] = [("xml", "http://www.w3.org/XML/1998/namespace")]

  init(bytes: [UInt8]) {
    self.bytes = bytes
    self.at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  private func problem(_ what: String) -> Unreadable {
    Unreadable(description: "\(self.bytes.count) bytes of broken or cut-off XML (\(what) at byte \(self.at))")
  }

  // MARK: - The document

  mutating func document() throws(Unreadable) -> XMLNode {
    if self.isNext("<?xml"), self.at + 5 < self.bytes.count, Self.isBlank(self.bytes[self.at + 5]) { try self.declaration() }
    try self.skipMisc()
    guard self.at < self.bytes.count, self.bytes[self.at] == UInt8(ascii: "<") else { throw self.problem("no element") }
    let root = try self.root()
    try self.skipMisc()
    guard self.at == self.bytes.count else { throw self.problem("something behind the root element") }
    return root
  }

  private mutating func declaration() throws(Unreadable) {
    guard let end = self.find("?>", from: self.at) else { throw self.problem("no end of the declaration") }
    self.at += 5
    var names: [String] = []
    while true {
      let hadBlank = self.skipBlanks()
      if self.at == end { break }
      guard hadBlank, self.at < end else { throw self.problem("a broken declaration") }
      let name = String(decoding: self.bytes[try self.name()], as: UTF8.self)
      let value = try self.attributeValue()
      guard self.at <= end else { throw self.problem("a broken declaration") }
      switch (name, names) {
      case ("version", []) where value.hasPrefix("1.") && value.count > 2 && value.dropFirst(2).allSatisfy(\.isNumber): break
      case ("encoding", ["version"]): break
      case ("standalone", ["version"]), ("standalone", ["version", "encoding"]):
        guard value == "yes" || value == "no" else { throw self.problem("a broken declaration") }
      default: throw self.problem("a broken declaration")
      }
      names.append(name)
    }
    guard names.first == "version" else { throw self.problem("a broken declaration") }
    self.at = end + 2
  }

  /// Blanks, comments and processing instructions outside the root element.
  private mutating func skipMisc() throws(Unreadable) {
    while true {
      self.skipBlanks()
      if self.isNext("<!--") {
        try self.comment()
      } else if self.isNext("<?") {
        try self.instruction()
      } else {
        guard !self.isNext("<!") else { throw self.problem("a DOCTYPE") }
        return
      }
    }
  }

  private mutating func root() throws(Unreadable) -> XMLNode {
    var open: [Open] = []
    repeat {
      guard self.at < self.bytes.count else { throw self.problem("cut off") }
      guard self.bytes[self.at] == UInt8(ascii: "<") else {
        try self.characters(into: &open[open.count - 1].node.text)
        continue
      }
      if self.isNext("</") {
        let done = try self.endTag(open.removeLast())
        if open.isEmpty { return done }
        open[open.count - 1].node.children.append(done)
      } else if self.isNext("<!--") {
        try self.comment()
      } else if self.isNext("<![CDATA[") {
        try self.cdata(into: &open[open.count - 1].node.text)
      } else if self.isNext("<?") {
        try self.instruction()
      } else {
        guard open.count < XMLDocumentReader.depthLimit, self.elements < XMLDocumentReader.elementLimit else {
          throw self.problem(
            "deeper than \(XMLDocumentReader.depthLimit) or larger than \(XMLDocumentReader.elementLimit) elements")
        }
        self.elements += 1
        let (started, isEmpty) = try self.startTag()
        if !isEmpty {
          open.append(started)
        } else {
          self.namespaces.removeLast(self.namespaces.count - started.scope)
          if open.isEmpty { return started.node }
          open[open.count - 1].node.children.append(started.node)
        }
      }
    } while !open.isEmpty
    throw self.problem("no element")
  }

  // MARK: - Tags

  private static let xmlns = Array("xmlns".utf8)

  private mutating func startTag() throws(Unreadable) -> (Open, isEmpty: Bool) {
    self.at += 1
    let scope = self.namespaces.count
    let tag = try self.name()
    var attributes: [String: String] = [:]
    while true {
      let hadBlank = self.skipBlanks()
      guard self.at < self.bytes.count else { throw self.problem("cut off in a tag") }
      if self.bytes[self.at] == UInt8(ascii: ">") {
        self.at += 1
        return (Open(node: try self.node(tag, attributes), tag: tag, scope: scope), false)
      }
      if self.isNext("/>") {
        self.at += 2
        return (Open(node: try self.node(tag, attributes), tag: tag, scope: scope), true)
      }
      guard hadBlank else { throw self.problem("no blank before an attribute") }
      let written = self.bytes[try self.name()]
      let value = try self.attributeValue()
      if written.starts(with: Self.xmlns), written.count == 5 || written[written.startIndex + 5] == UInt8(ascii: ":") {
        let prefix = written.dropFirst(6)
        guard written.count != 6, !prefix.contains(UInt8(ascii: ":")) else { throw self.problem("no prefix") }
        try self.declare(String(decoding: prefix, as: UTF8.self), value, since: scope)
      } else {
        let name = String(decoding: written, as: UTF8.self)
        guard attributes.updateValue(value, forKey: name) == nil else { throw self.problem("one attribute twice") }
      }
    }
  }

  private mutating func declare(_ prefix: String, _ uri: String, since scope: Int) throws(Unreadable) {
    let isReserved = prefix == "xmlns" || uri == "http://www.w3.org/2000/xmlns/"
    let isXML = prefix == "xml" || uri == "http://www.w3.org/XML/1998/namespace"
    guard !isReserved, !isXML || (prefix == "xml" && uri == "http://www.w3.org/XML/1998/namespace"),
      prefix.isEmpty || !uri.isEmpty, Self.isNamespace(uri), !self.namespaces[scope...].contains(where: { $0.prefix == prefix })
    else { throw self.problem("a namespace that cannot be declared so") }
    self.namespaces.append((prefix, uri))
  }

  /// Whether it has the form of a URI: its characters, a scheme before the first colon, and no colon in the host.
  private static func isNamespace(_ uri: String) -> Bool {
    var uri = uri
    return uri.withUTF8 { bytes in
      guard bytes.allSatisfy(Self.isOfURI), bytes.count(where: { $0 == UInt8(ascii: "#") }) <= 1 else { return false }
      guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return true }
      let scheme = bytes[..<colon]
      guard let first = scheme.first, Self.isLetter(first),
        scheme.allSatisfy({ Self.isLetter($0) || (48...57).contains($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E })
      else { return false }
      let rest = bytes[(colon + 1)...]
      guard rest.count >= 2, rest[colon + 1] == UInt8(ascii: "/"), rest[colon + 2] == UInt8(ascii: "/") else { return true }
      for byte in rest.dropFirst(2) {
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"): return true
        case UInt8(ascii: ":"): return false
        default: continue
        }
      }
      return true
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }

  /// Letters, digits and `-._~:/?#@!$&'()*+,;=`: what may stand in a URI unescaped (RFC 3986, 2).
  private static func isOfURI(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21, 0x23...0x24, 0x26...0x3B, 0x3D, 0x3F...0x5A, 0x5F, 0x61...0x7A, 0x7E: true
    default: false
    }
  }

  private func node(_ tag: Range<Int>, _ attributes: [String: String]) throws(Unreadable) -> XMLNode {
    let (prefix, name) = try self.split(self.bytes[tag])
    let namespace = try self.namespace(of: prefix)
    // One name in one namespace, whatever the prefixes.
    var expanded: Set<String> = []
    for written in attributes.keys where written.utf8.contains(UInt8(ascii: ":")) {
      let (prefix, name) = try self.split(Array(written.utf8)[...])
      guard expanded.insert("\(try self.namespace(of: prefix)) \(name)").inserted else {
        throw self.problem("one attribute twice")
      }
    }
    return XMLNode(name: name, namespace: namespace, attributes: attributes)
  }

  private func split(_ written: ArraySlice<UInt8>) throws(Unreadable) -> (prefix: String, name: String) {
    guard let colon = written.firstIndex(of: UInt8(ascii: ":")) else { return ("", String(decoding: written, as: UTF8.self)) }
    let name = written[(colon + 1)...]
    guard colon > written.startIndex, let first = name.first, Self.isNameStart(first), first != UInt8(ascii: ":"),
      !name.contains(UInt8(ascii: ":"))
    else { throw self.problem("a name with colons where none can be") }
    return (String(decoding: written[..<colon], as: UTF8.self), String(decoding: name, as: UTF8.self))
  }

  private func namespace(of prefix: String) throws(Unreadable) -> String {
    if let found = self.namespaces.last(where: { $0.prefix == prefix }) { return found.uri }
    guard prefix.isEmpty else { throw self.problem("an undeclared prefix") }
    return ""
  }

  private mutating func endTag(_ open: Open) throws(Unreadable) -> XMLNode {
    self.at += 2
    let tag = try self.name()
    guard self.bytes[tag].elementsEqual(self.bytes[open.tag]) else { throw self.problem("an end tag of another name") }
    self.skipBlanks()
    guard self.isNext(">") else { throw self.problem("no end of an end tag") }
    self.at += 1
    self.namespaces.removeLast(self.namespaces.count - open.scope)
    return open.node
  }

  private mutating func attributeValue() throws(Unreadable) -> String {
    self.skipBlanks()
    guard self.isNext("=") else { throw self.problem("no equals sign") }
    self.at += 1
    self.skipBlanks()
    guard self.at < self.bytes.count, case let quote = self.bytes[self.at],
      quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
    else { throw self.problem("no quote") }
    self.at += 1
    var value: [UInt8] = []
    while self.at < self.bytes.count {
      let byte = self.bytes[self.at]
      switch byte {
      case quote:
        self.at += 1
        return String(decoding: value, as: UTF8.self)
      case UInt8(ascii: "<"): throw self.problem("a tag in an attribute")
      case UInt8(ascii: "&"): value += Array(try self.reference().utf8)
      case 13 where self.at + 1 < self.bytes.count && self.bytes[self.at + 1] == 10: self.at += 1
      case 9, 10, 13:
        value.append(32)
        self.at += 1
      default:
        value.append(byte)
        self.at += 1
      }
    }
    throw self.problem("cut off in an attribute")
  }

  // MARK: - Text

  private mutating func characters(into text: inout String) throws(Unreadable) {
    var start = self.at
    while self.at < self.bytes.count, self.bytes[self.at] != UInt8(ascii: "<") {
      switch self.bytes[self.at] {
      case UInt8(ascii: "&"):
        text += Self.lines(self.bytes[start..<self.at])
        text += try self.reference()
        start = self.at
      case UInt8(ascii: "]") where self.isNext("]]>"): throw self.problem("the end of a CDATA section that never began")
      default: self.at += 1
      }
    }
    let rest = Self.lines(self.bytes[start..<self.at])
    if text.isEmpty { text = rest } else { text += rest }
  }

  private mutating func cdata(into text: inout String) throws(Unreadable) {
    guard let end = self.find("]]>", from: self.at + 9) else { throw self.problem("no end of a CDATA section") }
    text += Self.lines(self.bytes[(self.at + 9)..<end])
    self.at = end + 3
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
  private mutating func reference() throws(Unreadable) -> String {
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

  // MARK: - Comments and instructions

  private mutating func comment() throws(Unreadable) {
    guard let end = self.find("--", from: self.at + 4) else { throw self.problem("no end of a comment") }
    self.at = end + 2
    guard self.isNext(">") else { throw self.problem("two hyphens in a comment") }
    self.at += 1
  }

  private mutating func instruction() throws(Unreadable) {
    guard let end = self.find("?>", from: self.at + 2) else { throw self.problem("no end of an instruction") }
    self.at += 2
    let target = self.bytes[try self.name()]
    guard String(decoding: target, as: UTF8.self).lowercased() != "xml", !target.contains(UInt8(ascii: ":")),
      self.at == end || (self.at < end && Self.isBlank(self.bytes[self.at]))
    else { throw self.problem("a broken instruction") }
    self.at = end + 2
  }

  // MARK: - Small things

  @discardableResult
  private mutating func skipBlanks() -> Bool {
    let start = self.at
    while self.at < self.bytes.count, Self.isBlank(self.bytes[self.at]) { self.at += 1 }
    return self.at > start
  }

  private mutating func name() throws(Unreadable) -> Range<Int> {
    let start = self.at
    guard start < self.bytes.count, Self.isNameStart(self.bytes[start]) else { throw self.problem("no name") }
    self.at += 1
    while self.at < self.bytes.count, Self.isNamePart(self.bytes[self.at]) { self.at += 1 }
    return start..<self.at
  }

  private func isNext(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard self.at + count <= self.bytes.count else { return false }
    for index in 0..<count where self.bytes[self.at + index] != text.utf8Start[index] { return false }
    return true
  }

  private func find(_ text: StaticString, from start: Int) -> Int? {
    let count = text.utf8CodeUnitCount
    var position = start
    while position + count <= self.bytes.count {
      var index = 0
      while index < count, self.bytes[position + index] == text.utf8Start[index] { index += 1 }
      if index == count { return position }
      position += 1
    }
    return nil
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 10 || byte == 13 || byte == 9 }

  /// Letters beyond ASCII are taken as they come: the register's names have none.
  private static func isNameStart(_ byte: UInt8) -> Bool {
    (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":")
      || byte >= 0x80
  }

  private static func isNamePart(_ byte: UInt8) -> Bool {
    Self.isNameStart(byte) || (48...57).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
  }
}
