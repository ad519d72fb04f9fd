// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A definition of docs/schema/bus-migrator-1.schema.json, for answers that tools/tests/test_json_contract.py cannot have: which fields there must be
/// and may be, down to the objects in lists.
struct PromisedForm {
  private let definition: [String: Any]

  init(_ name: String) throws {
    let file = ConfigurationFileTests.root.appendingPathComponent("docs/schema/bus-migrator-1.schema.json")
    let schema = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    self.definition = try #require((schema["$defs"] as? [String: Any])?[name] as? [String: Any])
  }

  /// Where `answer` differs from what is promised.
  func differences(_ answer: String) throws -> [String] {
    Self.differences(try JSONSerialization.jsonObject(with: Data(answer.utf8)), self.definition, "answer")
  }

  private static func differences(_ value: Any, _ definition: [String: Any], _ place: String) -> [String] {
    if let items = definition["items"] as? [String: Any], let list = value as? [Any] {
      return list.enumerated().flatMap { Self.differences($0.element, items, "\(place)[\($0.offset)]") }
    }
    guard let properties = definition["properties"] as? [String: [String: Any]] else { return [] }
    guard let fields = value as? [String: Any] else { return ["\(place) is no object"] }
    let needed = Set(definition["required"] as? [String] ?? [])
    var found = needed.subtracting(fields.keys).sorted().map { "\(place).\($0) is not there" }
    for (name, field) in fields.sorted(by: { $0.key < $1.key }) {
      guard let known = properties[name] else {
        found.append("\(place).\(name) is not promised")
        continue
      }
      if let const = known["const"] as? String, const != field as? String { found.append("\(place).\(name) is not \(const)") }
      found += Self.differences(field, known, "\(place).\(name)")
    }
    return found
  }
}
