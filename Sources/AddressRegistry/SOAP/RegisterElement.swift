// SPDX-License-Identifier: Apache-2.0

/// An element of a SOAP answer.
struct RegisterElement: RegisterFields {
  /// All namespaces of the contract begin so; an element of another is a stranger, whatever its name.
  private static let namespaces: StaticString = "http://register.nhn.no/"

  let node: XMLNode

  func demand(_ name: String) {}

  /// The element of this name; nil when there is none, or it says that it stands for nothing.
  ///
  /// - Throws: when it is there twice.
  func element(_ name: String) throws(Problem) -> RegisterElement? {
    var found: XMLNode?
    try self.node.forEachChild(name) { (child) throws(Problem) in
      guard child.isInNamespace(of: Self.namespaces) else { return }
      guard found == nil else { throw Problem(field: "\(name) (it is there twice)") }
      found = child
    }
    guard let found, !found.isNil else { return nil }
    return RegisterElement(node: found)
  }

  /// The text as it is; nil when there is none.
  ///
  /// - Throws: also when there are elements where text should be.
  func text(_ name: String) throws(Problem) -> String? {
    guard let element = try self.element(name) else { return nil }
    guard element.node.isLeaf else { throw Problem(field: "\(name) (there are elements in it)") }
    return element.node.text
  }

  /// - Throws: also when it is there and no XML `int`.
  func number(_ name: String) throws(Problem) -> Int32? {
    guard let value = try self.value(name) else { return nil }
    guard let number = Int32(value) else { throw Problem(field: name) }
    return number
  }

  /// - Throws: also when it is absent.
  func boolean(_ name: String) throws(Problem) -> Bool {
    switch try self.value(name) {
    case "true", "1": return true
    case "false", "0": return false
    default: throw Problem(field: name)
    }
  }

  /// The items of a list, those that stand for nothing left out; nil when there is no list.
  ///
  /// - Throws: also when there is anything but such items in it: a list that lacks one is a wrong answer.
  func list(_ name: String, of item: String) throws(Problem) -> [RegisterElement]? {
    guard let list = try self.element(name) else { return nil }
    return try list.items(item)
  }

  /// The same for the items right in this element.
  func items(_ item: String) throws(Problem) -> [RegisterElement] {
    var items: [RegisterElement] = []
    for child in self.node.children {
      guard child.isNamed(item), child.isInNamespace(of: Self.namespaces) else {
        throw Problem(field: "\(item) (a <\(child.name.prefix(40))> is in its place)")
      }
      if !child.isNil { items.append(RegisterElement(node: child)) }
    }
    guard self.node.text.trimmed.isEmpty else { throw Problem(field: "\(item) (there is text in its place)") }
    return items
  }
}
