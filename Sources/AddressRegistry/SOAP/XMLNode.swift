// SPDX-License-Identifier: Apache-2.0

/// An element of a document that was read whole: name, namespace, attributes, text, children. Comments and processing
/// instructions are dropped.
package struct XMLNode: Sendable, Hashable {
  /// The name without prefix.
  package var name: String
  /// The namespace name; empty for none.
  package var namespace: String
  /// By the name as written, prefix included.
  package var attributes: [String: String]
  /// The character data right below the element, CDATA included, unchanged.
  package var text: String
  package var children: [XMLNode]

  package init(
    name: String, namespace: String = "", attributes: [String: String] = [:], text: String = "", children: [XMLNode] = []
  ) {
    self.name = name
    self.namespace = namespace
    self.attributes = attributes
    self.text = text
    self.children = children
  }

  /// The first child of this name, in whatever namespace: the register's own two namespaces are mixed within one answer.
  package func child(_ name: String) -> XMLNode? { self.children.first { $0.name == name } }

  package func children(_ name: String) -> [XMLNode] { self.children.filter { $0.name == name } }

  /// Whether the element says that it stands for nothing (`xsi:nil`).
  package var isNil: Bool {
    !self.attributes.isEmpty
      && self.attributes.contains { key, value in
        (key == "nil" || key.hasSuffix(":nil")) && (value == "true" || value == "1")
      }
  }

  /// The text of the first child of this name without blanks around it; nil when there is none, or it is nil or empty.
  package func value(_ name: String) -> String? {
    guard let child = self.child(name), !child.isNil else { return nil }
    let trimmed = child.text.trimmed
    return trimmed.isEmpty ? nil : trimmed
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
