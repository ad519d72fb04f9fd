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
    // Whoever looks for a field asks this of every other one, too.
    let isSame = text.utf8.withContiguousStorageIfAvailable { text in
      for offset in 0..<range.count where self.bytes[range.lowerBound + offset] != text[offset] { return false }
      return true
    }
    return isSame ?? text.utf8.elementsEqual(self.bytes[range])
  }

  /// Whether the namespace begins so.
  func isNamespace(_ place: Int, of prefix: StaticString) -> Bool {
    let count = prefix.utf8CodeUnitCount
    let isSame = self.namespaces[place].utf8.withContiguousStorageIfAvailable { name in
      guard name.count >= count else { return false }
      for offset in 0..<count where name[offset] != prefix.utf8Start[offset] { return false }
      return true
    }
    return isSame ?? self.namespaces[place].hasPrefix("\(prefix)")
  }
}
