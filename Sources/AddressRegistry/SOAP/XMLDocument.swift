// SPDX-License-Identifier: Apache-2.0

/// A document that was read whole: its bytes, and where in them its elements are. Texts are made of the bytes when somebody wants
/// them: of a register's answer a third is never looked at.
final class XMLDocument: Sendable {
  struct Element: Sendable {
    /// The name without prefix, in the bytes.
    var name: Range<Int>
    /// Its place in ``XMLDocument/namespaces``.
    var namespace: Int
    /// Its part of ``XMLDocument/attributes``.
    var attributes: Range<Int>
    var text = Text.none
    /// The element behind this one and all that is in it: its next sibling, where it has one. What is in it begins right behind it.
    var end: Int
  }

  struct Attribute: Sendable {
    /// As written, prefix included, in the bytes.
    var name: Range<Int>
    var value: String
  }

  enum Text: Sendable {
    case none
    /// As it stands in the bytes.
    case bytes(Range<Int>)
    /// Put together from pieces, references resolved.
    case made(String)
  }

  let bytes: [UInt8]
  /// In the order of their start tags; the first is the root.
  let elements: [Element]
  let attributes: [Attribute]
  /// The names of namespaces; the first is that of none.
  let namespaces: [String]

  init(bytes: [UInt8], elements: [Element], attributes: [Attribute], namespaces: [String]) {
    self.bytes = bytes
    self.elements = elements
    self.attributes = attributes
    self.namespaces = namespaces
  }

  func text(_ range: Range<Int>) -> String { String(decoding: self.bytes[range], as: UTF8.self) }

  func stands(_ text: String, at range: Range<Int>) -> Bool {
    guard text.utf8.count == range.count else { return false }
    var place = range.lowerBound
    for byte in text.utf8 {
      guard self.bytes[place] == byte else { return false }
      place += 1
    }
    return true
  }
}
