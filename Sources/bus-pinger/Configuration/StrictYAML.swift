// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Yams

/// One mapping of a YAML file, read strictly: a key nobody asked for is a misspelling, and said to be.
struct StrictYAML {
  let file: String
  /// Where in the file, such as `buses[1]`; empty at the top.
  let place: String
  private let mapping: Node.Mapping

  /// - Throws: ``PingerError`` `configurationNotYAML`, `fieldInvalid`.
  init(text: String, file: String) throws(PingerError) {
    let node: Node?
    do { node = try compose(yaml: text) } catch {
      // Yams's own words quote the line, which may hold a password: only the place is told.
      throw .configurationNotYAML(path: file, seen: Self.placeOf(error))
    }
    guard case .mapping(let mapping)? = node else {
      throw .fieldInvalid(path: file, field: "the file", problem: "is not a list of keys and values")
    }
    try self.init(mapping, place: "", file: file)
  }

  private init(_ mapping: Node.Mapping, place: String, file: String) throws(PingerError) {
    self.mapping = mapping
    self.place = place
    self.file = file
  }

  private static func placeOf(_ error: any Error) -> String {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
      "line \(mark.line), column \(mark.column): \(problem)"
    case .duplicatedKeysInMapping: "a key stands twice in one mapping"
    default: "it cannot be read"
    }
  }

  func invalid(_ key: String, _ problem: String) -> PingerError {
    .fieldInvalid(path: self.file, field: self.field(key), problem: problem)
  }

  func field(_ key: String) -> String { self.place.isEmpty ? key : "\(self.place).\(key)" }

  /// Fails when the mapping has keys beside these.
  func allow(_ keys: [String]) throws(PingerError) {
    for (key, _) in self.mapping {
      guard let name = key.string, keys.contains(name) else {
        let meant = key.string.flatMap { NearestWord.to($0, among: keys) }.map { " (was \($0) meant?)" } ?? ""
        throw self.invalid(
          key.string.map { String($0.prefix(40)) } ?? "?", "unknown key\(meant); known are \(keys.joined(separator: ", "))")
      }
    }
  }

  /// Whether the key stands there at all.
  func has(_ key: String) -> Bool { self.node(key) != nil }

  private func node(_ key: String) -> Node? {
    guard let node = self.mapping[Node(key)], node.null == nil else { return nil }
    return node
  }

  func text(_ key: String) throws(PingerError) -> String? {
    guard let node = self.node(key) else { return nil }
    guard case .scalar(let scalar) = node else { throw self.invalid(key, "must be a text") }
    return scalar.string
  }

  func requiredText(_ key: String) throws(PingerError) -> String {
    guard let text = try self.text(key), !text.isEmpty else { throw self.invalid(key, "is missing") }
    return text
  }

  func number(_ key: String, in range: ClosedRange<Double>) throws(PingerError) -> Double? {
    guard let node = self.node(key) else { return nil }
    guard let number = node.float ?? node.int.map(Double.init), range.contains(number) else {
      throw self.invalid(key, "must be a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func flag(_ key: String) throws(PingerError) -> Bool? {
    guard let node = self.node(key) else { return nil }
    guard let flag = node.bool else { throw self.invalid(key, "must be true or false") }
    return flag
  }

  func texts(_ key: String) throws(PingerError) -> [String]? {
    guard let node = self.node(key) else { return nil }
    guard case .sequence(let sequence) = node else { throw self.invalid(key, "must be a list") }
    var texts: [String] = []
    for item in sequence {
      guard case .scalar(let scalar) = item, !scalar.string.isEmpty else { throw self.invalid(key, "must be a list of texts") }
      texts.append(scalar.string)
    }
    return texts
  }

  func inner(_ key: String) throws(PingerError) -> StrictYAML? {
    guard let node = self.node(key) else { return nil }
    guard case .mapping(let mapping) = node else { throw self.invalid(key, "must hold keys and values") }
    return try StrictYAML(mapping, place: self.field(key), file: self.file)
  }

  func list(_ key: String) throws(PingerError) -> [StrictYAML] {
    guard let node = self.node(key) else { return [] }
    guard case .sequence(let sequence) = node else { throw self.invalid(key, "must be a list") }
    var items: [StrictYAML] = []
    for (index, item) in sequence.enumerated() {
      guard case .mapping(let mapping) = item else { throw self.invalid("\(key)[\(index)]", "must hold keys and values") }
      items.append(try StrictYAML(mapping, place: "\(self.field(key))[\(index)]", file: self.file))
    }
    return items
  }
}
