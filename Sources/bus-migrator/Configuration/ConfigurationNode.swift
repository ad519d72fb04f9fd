// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import Yams

/// A place in a YAML file, read strictly: unknown keys, missing keys and wrong types are errors that name file and line.
struct ConfigurationNode {
  /// Paths are meant from its folder.
  let file: String
  let path: String
  let node: Node
  /// What may stand here; nil where the reader says so itself.
  var key: ConfigurationKey?
  /// Which values are not the file's own, by their path.
  var origins: [String: ConfigurationOrigin] = [:]

  /// Reads a whole file.
  static func file(_ path: String, key: ConfigurationKey? = nil) throws -> ConfigurationNode {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      let seen = FileManager.default.fileExists(atPath: path) ? "it cannot be read" : "there is no such file"
      throw CommandLineError.fileUnreadable(path: path, seen: seen)
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw CommandLineError.fileUnreadable(path: path, seen: "it is not UTF-8 text")
    }
    return try Self.text(text, file: path, key: key)
  }

  static func text(_ text: String, file: String, key: ConfigurationKey? = nil) throws -> ConfigurationNode {
    do {
      guard let node = try Yams.compose(yaml: text) else {
        throw CommandLineError.yamlBroken(path: file, line: nil, seen: "the file is empty")
      }
      return ConfigurationNode(file: file, path: "", node: node, key: key)
    } catch let error as YamlError {
      throw CommandLineError.yamlBroken(path: file, line: Self.line(of: error), seen: Self.words(error))
    }
  }

  private static func line(of error: YamlError) -> Int? {
    switch error {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
    case .duplicatedKeysInMapping(_, let context): context.mark.line
    default: nil
    }
  }

  /// The parser's complaint without the text of the file, which may hold a secret.
  private static func words(_ error: YamlError) -> String {
    switch error {
    case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
    case .duplicatedKeysInMapping: "a key stands twice"
    default: "it cannot be parsed"
    }
  }

  /// Of a mapping: each key with a number for what it holds, the same in one process while that is the same.
  var sections: [String: Int] {
    guard case .mapping(let mapping) = self.node else { return [:] }
    return Dictionary(mapping.compactMap { key, value in key.string.map { ($0, value.hashValue) } }) { $1 }
  }

  var place: String {
    if let origin = self.origins[self.path] { return "\(origin.words)\(self.path.isEmpty ? "" : ", \(self.path)")" }
    let line = self.node.mark.map { ", line \($0.line)" } ?? ""
    return "\(self.file)\(line)\(self.path.isEmpty ? "" : ", \(self.path)")"
  }

  /// This node as a mapping that holds no key but those that ``ConfigurationKey`` names.
  func mapping() throws -> Fields { try self.mapping((self.key?.below ?? []).map(\.name)) }

  /// This node as a mapping that holds no key but `known`.
  func mapping(_ known: [String]) throws -> Fields {
    guard case .mapping(let mapping) = self.node else {
      // Often a secret that stands where the name of its file should.
      throw self.wrong(wanted: "a mapping with the keys \(known.joined(separator: ", "))", isSecret: true)
    }
    for (key, _) in mapping {
      let name = key.string ?? "?"
      guard known.contains(name) else {
        let place = self.below(self.path, key, nil).place
        throw CommandLineError.keyUnknown(place: place, key: name, known: known)
      }
    }
    return Fields(of: self, mapping: mapping)
  }

  var isMapping: Bool { if case .mapping = self.node { true } else { false } }

  var elements: [ConfigurationNode] {
    get throws {
      guard case .sequence(let sequence) = self.node else { throw self.wrong(wanted: "a list", isSecret: true) }
      return sequence.enumerated().map {
        self.below("\(self.path)[\($0.offset)]", $0.element, self.key)
      }
    }
  }

  /// A node below this one; of a folder of its own where another than the file gave it.
  fileprivate func below(_ path: String, _ node: Node, _ key: ConfigurationKey?) -> ConfigurationNode {
    ConfigurationNode(
      file: self.origins[path].flatMap(\.file) ?? self.file, path: path, node: node, key: key, origins: self.origins)
  }

  /// What is wrong with this node. The text is not shown where it may be a secret.
  func wrong(wanted: String, isSecret: Bool = false) -> CommandLineError {
    let seen: String =
      switch self.node {
      // Before an @ there may be a login.
      case .scalar(let scalar):
        isSecret || scalar.string.contains("@") ? "a text that does not fit (not shown)" : "\"\(scalar.string.prefix(60))\""
      case .mapping: "a mapping"
      case .sequence: "a list"
      default: "an alias"
      }
    return .valueWrong(place: self.place, seen: seen, wanted: wanted)
  }

  var text: String {
    get throws {
      guard case .scalar(let scalar) = self.node, !scalar.string.isEmpty else { throw self.wrong(wanted: "a text") }
      return scalar.string
    }
  }

  /// Refuses every address, here and below, that has a login in it: it would be shown with the address, in logs and on screens.
  func checkAddresses() throws {
    switch (self.key?.content, self.node) {
    case (.value(.url, _), .scalar(let scalar)) where scalar.string.contains("@"):
      throw self.wrong(wanted: "an address without a login in it: user and password are keys of their own")
    case (.section, .mapping(let mapping)):
      let fields = Fields(of: self, mapping: mapping)
      for key in self.key?.below ?? [] { try fields.optional(key.name)?.checkAddresses() }
    case (.entries, .sequence), (.sequence, .sequence):
      for entry in try self.elements {
        guard case .mapping(let mapping) = entry.node else { continue }
        let fields = Fields(of: entry, mapping: mapping)
        for key in self.key?.below ?? [] { try fields.optional(key.name)?.checkAddresses() }
      }
    default: break
    }
  }

  /// A path, meant from the folder of whoever gave it.
  var absolutePath: String { get throws { Paths.absolute(try self.text, besides: self.file) } }

  var integer: Int {
    get throws {
      guard let value = Int(try self.text) else { throw self.wrong(wanted: "a whole number") }
      return value
    }
  }

  var flag: Bool {
    get throws {
      switch try self.text {
      case "true": return true
      case "false": return false
      default: throw self.wrong(wanted: "true or false")
      }
    }
  }

  var span: TimeSpan {
    get throws {
      guard let span = TimeSpan(text: try self.text) else {
        throw self.wrong(wanted: "a whole number and a unit: 14d, 24h, 30m, 90s, 250ms")
      }
      return span
    }
  }

  var seconds: Double { get throws { Double(try self.span.milliseconds) / 1_000 } }

  var herID: HerID {
    get throws {
      let text = try self.text
      do { return try HerID(text: text) } catch { throw self.wrong(wanted: "a HER-ID: digits only, greater than zero") }
    }
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type) throws -> Choice where Choice.RawValue == String {
    guard let choice = Choice(rawValue: try self.text) else {
      throw self.wrong(wanted: "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  /// The fields of a mapping.
  struct Fields {
    let of: ConfigurationNode
    let mapping: Node.Mapping

    func optional(_ key: String) -> ConfigurationNode? {
      guard let node = self.mapping[Node(key)] else { return nil }
      if case .scalar(let scalar) = node, scalar.string.isEmpty || scalar.string == "~" || scalar.string == "null" { return nil }
      return self.of.below(self.path(of: key), node, self.known(key))
    }

    /// The key's node; where it is left out, what holds without it.
    func required(_ key: String) throws -> ConfigurationNode {
      if let node = self.optional(key) { return node }
      guard case .usual(let usual) = self.known(key)?.absence else {
        throw CommandLineError.keyMissing(place: self.of.place, key: key)
      }
      return self.of.below(self.path(of: key), ConfigurationKey.node(usual, of: self.known(key)), self.known(key))
    }

    /// A section's fields; none of them given where the section is left out.
    func section(_ key: String) throws -> Fields {
      try self.optional(key)?.mapping() ?? self.sectionLeftOut(key)
    }

    /// The fields of a section of which none is given.
    func sectionLeftOut(_ key: String) throws -> Fields {
      try self.of.below(self.path(of: key), Node.mapping([:]), self.known(key)).mapping()
    }

    /// Whether there is such a key at all.
    func knows(_ key: String) -> Bool { self.of.key == nil || self.known(key) != nil }

    private func known(_ key: String) -> ConfigurationKey? { self.of.key?.below.first { $0.name == key } }
    private func path(of key: String) -> String { self.of.path.isEmpty ? key : "\(self.of.path).\(key)" }

    /// Sets `value` when the key is there.
    func read<Value>(_ key: String, into value: inout Value, _ read: (ConfigurationNode) throws -> Value) throws {
      if let node = self.optional(key) { value = try read(node) }
    }
  }
}
