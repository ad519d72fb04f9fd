// SPDX-License-Identifier: Apache-2.0

/// An element of a document that was read whole: name, namespace, attributes, text, children. Comments and processing
/// instructions are dropped.
package struct XMLNode: Sendable, Equatable {
  private let document: XMLDocument
  private let place: Int

  /// The document's root element.
  init(rootOf document: XMLDocument) {
    self.document = document
    self.place = 0
  }

  private init(document: XMLDocument, place: Int) {
    self.document = document
    self.place = place
  }

  private var element: XMLDocument.Element { self.document.elements[self.place] }

  /// The name without prefix.
  package var name: String { self.document.text(self.element.name) }

  /// The namespace name; empty for none.
  package var namespace: String { self.document.namespaces[self.element.namespace] }

  /// Whether the namespace's name begins so.
  func isInNamespace(of prefix: StaticString) -> Bool { self.document.isNamespace(self.element.namespace, of: prefix) }

  /// By the name as written, prefix included.
  package var attributes: [String: String] {
    var attributes: [String: String] = [:]
    for attribute in self.document.attributes[self.element.attributes] {
      attributes[self.document.text(attribute.name)] = attribute.value
    }
    return attributes
  }

  /// The character data right below the element, CDATA included, unchanged.
  package var text: String {
    switch self.document.elements[self.place].text {
    case .none: ""
    case .bytes(let range): self.document.text(range)
    case .made(let text): text
    }
  }

  package var children: [XMLNode] {
    var children: [XMLNode] = []
    self.forEachChild { children.append($0) }
    return children
  }

  package func children(_ name: String) -> [XMLNode] {
    var children: [XMLNode] = []
    self.forEachChild(name) { children.append($0) }
    return children
  }

  func forEachChild<Failure: Error>(_ body: (XMLNode) throws(Failure) -> Void) throws(Failure) {
    let end = self.end
    var place = self.place + 1
    while place < end {
      try body(XMLNode(document: self.document, place: place))
      place = self.document.elements[place].end
    }
  }

  /// The same for those of one name. A field of a party is looked for among thirty: the others are passed over by their places.
  func forEachChild<Failure: Error>(_ name: String, _ body: (XMLNode) throws(Failure) -> Void) throws(Failure) {
    let end = self.end
    var place = self.place + 1
    while place < end {
      if self.document.stands(name, at: self.document.elements[place].name) {
        try body(XMLNode(document: self.document, place: place))
      }
      place = self.document.elements[place].end
    }
  }

  private var end: Int { self.document.elements[self.place].end }

  /// The first child of this name, in whatever namespace: the register's own two namespaces are mixed within one answer.
  package func child(_ name: String) -> XMLNode? {
    let end = self.end
    var place = self.place + 1
    while place < end {
      if self.document.stands(name, at: self.document.elements[place].name) {
        return XMLNode(document: self.document, place: place)
      }
      place = self.document.elements[place].end
    }
    return nil
  }

  /// Whether there is no element in it.
  var isLeaf: Bool { self.end == self.place + 1 }

  /// Without making a text of the name.
  func isNamed(_ name: String) -> Bool { self.document.stands(name, at: self.document.elements[self.place].name) }

  /// Whether the element says that it stands for nothing (`xsi:nil`).
  package var isNil: Bool {
    let attributes = self.document.elements[self.place].attributes
    guard !attributes.isEmpty else { return false }
    return self.document.attributes[attributes].contains { attribute in
      let name = self.document.bytes[attribute.name]
      let isNilByName = name.count == 3 ? name.elementsEqual("nil".utf8) : name.suffix(4).elementsEqual(":nil".utf8)
      return isNilByName && (attribute.value == "true" || attribute.value == "1")
    }
  }

  /// The text of the first child of this name without blanks around it; nil when there is none, or it is nil or empty.
  package func value(_ name: String) -> String? {
    guard let child = self.child(name), !child.isNil else { return nil }
    let trimmed = child.text.trimmed
    return trimmed.isEmpty ? nil : trimmed
  }

  package static func == (one: XMLNode, other: XMLNode) -> Bool {
    one.name == other.name && one.namespace == other.namespace && one.attributes == other.attributes && one.text == other.text
      && one.children == other.children
  }
}

extension String {
  /// Without XML white space at both ends.
  package var trimmed: String {
    let isSpace: (UInt8) -> Bool = { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }
    guard let head = self.utf8.first, let tail = self.utf8.last, isSpace(head) || isSpace(tail) else { return self }
    let bytes = Array(self.utf8)
    guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) }) else {
      return ""
    }
    return String(decoding: bytes[first...last], as: UTF8.self)
  }
}
