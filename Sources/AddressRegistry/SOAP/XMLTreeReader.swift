// SPDX-License-Identifier: Apache-2.0

/// The grammar of XML 1.0 with namespaces, without DOCTYPE: bytes that are checked to be UTF-8 become a tree. Entities are the five
/// of XML itself and character references, so a document never becomes larger than it is.
struct XMLTreeReader {
  typealias Unreadable = XMLDocumentReader.Unreadable

  let bytes: [UInt8]
  var at: Int
  var elements: [XMLDocument.Element] = []
  private var attributes: [XMLDocument.Attribute] = []
  private var names = [""]

  /// An element that is not closed yet.
  private struct Open {
    /// Its place among the elements.
    var place: Int
    /// As it was written, prefix included: the end tag must say the same.
    var tag: Range<Int>
    /// How many namespace declarations were in force before it.
    var scope: Int
  }

  /// A namespace that a prefix stands for. The empty prefix is the default; a place of 0 in `names` is no namespace.
  private struct Declaration {
    var prefix: Range<Int>
    var name: Int
  }

  /// In force, the innermost last.
  private var declarations: [Declaration] = []

  private static let xml = "http://www.w3.org/XML/1998/namespace"

  init(bytes: [UInt8]) {
    self.bytes = bytes
    self.at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  func problem(_ what: String) -> Unreadable {
    Unreadable(description: "\(self.bytes.count) bytes of broken or cut-off XML (\(what) at byte \(self.at))")
  }

  // MARK: - The document

  mutating func document() throws(Unreadable) -> XMLDocument {
    if self.isNext("<?xml"), self.at + 5 < self.bytes.count, Self.isBlank(self.bytes[self.at + 5]) { try self.declaration() }
    try self.skipMisc()
    guard self.at < self.bytes.count, self.bytes[self.at] == UInt8(ascii: "<") else { throw self.problem("no element") }
    try self.root()
    try self.skipMisc()
    guard self.at == self.bytes.count else { throw self.problem("something behind the root element") }
    return XMLDocument(bytes: self.bytes, elements: self.elements, attributes: self.attributes, namespaces: self.names)
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

  private mutating func root() throws(Unreadable) {
    var open: [Open] = []
    repeat {
      guard self.at < self.bytes.count else { throw self.problem("cut off") }
      guard self.bytes[self.at] == UInt8(ascii: "<") else {
        try self.characters(of: open[open.count - 1].place)
        continue
      }
      if self.isNext("</") {
        guard let last = open.popLast() else { throw self.problem("an end tag of nothing") }
        try self.endTag(last)
      } else if self.isNext("<!--") {
        try self.comment()
      } else if self.isNext("<![CDATA[") {
        try self.cdata(of: open[open.count - 1].place)
      } else if self.isNext("<?") {
        try self.instruction()
      } else {
        guard open.count < XMLDocumentReader.depthLimit, self.elements.count < XMLDocumentReader.elementLimit else {
          throw self.problem(
            "deeper than \(XMLDocumentReader.depthLimit) or larger than \(XMLDocumentReader.elementLimit) elements")
        }
        let (started, isEmpty) = try self.startTag()
        if isEmpty { self.close(started) } else { open.append(started) }
      }
    } while !open.isEmpty
  }

  // MARK: - Tags

  private mutating func startTag() throws(Unreadable) -> (Open, isEmpty: Bool) {
    self.at += 1
    let scope = self.declarations.count
    let tag = try self.name()
    let firstAttribute = self.attributes.count
    while true {
      let hadBlank = self.skipBlanks()
      guard self.at < self.bytes.count else { throw self.problem("cut off in a tag") }
      let isEmpty = self.isNext("/>")
      if isEmpty || self.bytes[self.at] == UInt8(ascii: ">") {
        self.at += isEmpty ? 2 : 1
        let element = try self.element(tag, firstAttribute..<self.attributes.count)
        self.elements.append(element)
        return (Open(place: self.elements.count - 1, tag: tag, scope: scope), isEmpty)
      }
      guard hadBlank else { throw self.problem("no blank before an attribute") }
      let name = try self.name()
      let value = try self.attributeValue()
      if self.stands("xmlns", at: name.lowerBound), name.count == 5 || self.bytes[name.lowerBound + 5] == UInt8(ascii: ":") {
        let prefix = min(name.lowerBound + 6, name.upperBound)..<name.upperBound
        guard name.count != 6, self.first(UInt8(ascii: ":"), in: prefix) == nil else { throw self.problem("no prefix") }
        try self.declare(prefix, value, since: scope)
      } else {
        for other in self.attributes[firstAttribute...] where self.isSame(other.name, name) {
          throw self.problem("one attribute twice")
        }
        guard self.attributes.count - firstAttribute < XMLDocumentReader.attributeLimit else {
          throw self.problem("more than \(XMLDocumentReader.attributeLimit) attributes of one element")
        }
        self.attributes.append(XMLDocument.Attribute(name: name, value: value))
      }
    }
  }

  // By their places and not as slices: each slice would count one reference more to the bytes, for every tag of a document.

  private func isSame(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
    guard one.count == other.count else { return false }
    let distance = other.lowerBound - one.lowerBound
    for place in one where self.bytes[place] != self.bytes[place + distance] { return false }
    return true
  }

  func first(_ byte: UInt8, in range: Range<Int>) -> Int? {
    for place in range where self.bytes[place] == byte { return place }
    return nil
  }

  private mutating func declare(_ prefix: Range<Int>, _ uri: String, since scope: Int) throws(Unreadable) {
    let written = String(decoding: self.bytes[prefix], as: UTF8.self)
    let isReserved = written == "xmlns" || uri == "http://www.w3.org/2000/xmlns/"
    let isXML = written == "xml" || uri == Self.xml
    let known = self.names.firstIndex(of: uri)
    guard !isReserved, !isXML || (written == "xml" && uri == Self.xml), prefix.isEmpty || !uri.isEmpty,
      known != nil || Self.isNamespace(uri), !self.declarations[scope...].contains(where: { self.isSame($0.prefix, prefix) })
    else { throw self.problem("a namespace that cannot be declared so") }
    // Each is looked for among all: what a stranger may send must not make that long.
    guard max(self.names.count, self.declarations.count) < XMLDocumentReader.namespaceLimit else {
      throw self.problem("more than \(XMLDocumentReader.namespaceLimit) namespaces")
    }
    if known == nil { self.names.append(uri) }
    self.declarations.append(Declaration(prefix: prefix, name: known ?? self.names.count - 1))
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

  private mutating func element(
    _ tag: Range<Int>, _ attributes: Range<Int>
  ) throws(Unreadable) -> XMLDocument.Element {
    let (prefix, name) = try self.split(tag)
    // One name in one namespace, whatever the prefixes.
    var expanded: [(namespace: Int, name: Range<Int>)] = []
    for place in attributes where self.first(UInt8(ascii: ":"), in: self.attributes[place].name) != nil {
      let (prefix, name) = try self.split(self.attributes[place].name)
      let namespace = try self.namespace(of: prefix)
      for other in expanded where other.namespace == namespace && self.isSame(other.name, name) {
        throw self.problem("one attribute twice")
      }
      expanded.append((namespace, name))
    }
    return XMLDocument.Element(
      name: name, namespace: try self.namespace(of: prefix), attributes: attributes, end: self.elements.count + 1)
  }

  private func split(_ written: Range<Int>) throws(Unreadable) -> (prefix: Range<Int>, name: Range<Int>) {
    guard let colon = self.first(UInt8(ascii: ":"), in: written) else {
      return (written.lowerBound..<written.lowerBound, written)
    }
    let name = (colon + 1)..<written.upperBound
    guard colon > written.lowerBound, !name.isEmpty, Self.isNameStart(self.bytes[name.lowerBound]),
      self.first(UInt8(ascii: ":"), in: name) == nil
    else { throw self.problem("a name with colons where none can be") }
    return (written.lowerBound..<colon, name)
  }

  /// The namespace's place among the names.
  private mutating func namespace(of prefix: Range<Int>) throws(Unreadable) -> Int {
    var place = self.declarations.count
    while place > 0 {
      place -= 1
      if self.isSame(self.declarations[place].prefix, prefix) { return self.declarations[place].name }
    }
    if prefix.isEmpty { return 0 }
    guard prefix.count == 3, self.stands("xml", at: prefix.lowerBound) else { throw self.problem("an undeclared prefix") }
    if let known = self.names.firstIndex(of: Self.xml) { return known }
    self.names.append(Self.xml)
    return self.names.count - 1
  }

  private mutating func endTag(_ open: Open) throws(Unreadable) {
    self.at += 2
    let tag = try self.name()
    guard self.isSame(tag, open.tag) else { throw self.problem("an end tag of another name") }
    self.skipBlanks()
    guard self.isNext(">") else { throw self.problem("no end of an end tag") }
    self.at += 1
    self.close(open)
  }

  private mutating func close(_ open: Open) {
    self.declarations.removeLast(self.declarations.count - open.scope)
    self.elements[open.place].end = self.elements.count
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
    let start = self.at
    // Most values stand as they are.
    while self.at < self.bytes.count, Self.isPlain(self.bytes[self.at]) { self.at += 1 }
    if self.at < self.bytes.count, self.bytes[self.at] == quote {
      defer { self.at += 1 }
      return String(decoding: self.bytes[start..<self.at], as: UTF8.self)
    }
    var value = Array(self.bytes[start..<self.at])
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

  func isNext(_ text: StaticString) -> Bool { self.stands(text, at: self.at) }

  private func stands(_ text: StaticString, at place: Int) -> Bool {
    let count = text.utf8CodeUnitCount
    guard place + count <= self.bytes.count else { return false }
    for index in 0..<count where self.bytes[place + index] != text.utf8Start[index] { return false }
    return true
  }

  func find(_ text: StaticString, from start: Int) -> Int? {
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

  /// In an attribute's value: neither a quote nor anything that means something else than itself.
  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 32 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "'") && byte != UInt8(ascii: "&")
      && byte != UInt8(ascii: "<")
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
