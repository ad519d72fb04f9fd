// SPDX-License-Identifier: Apache-2.0

import Yams

/// One value as it holds, and where it comes from. Secrets are not in it.
struct ConfigurationValue: Encodable, Hashable {
  enum Origin: String, Encodable {
    case file, environment
    case commandLine = "command-line"
    /// Nobody said anything: what holds by itself.
    case usual
  }

  /// `buses.tjenestebuss.path`; entries without a name by their number, from 0.
  var key: String
  var value: String
  var origin: Origin
  /// The line of the file, or the variable; nil where neither is.
  var place: String?

  var line: String { "\(self.key): \(self.value)    # \(self.place ?? self.origin.rawValue)" }

  /// All in the order of ``ConfigurationKey/all``.
  static func all(in root: ConfigurationNode) -> [ConfigurationValue] {
    guard let key = root.key else { return [] }
    let redacted = RedactedConfiguration.redacting(root.node)
    return Self.below("", "", key, redacted, root)
  }

  private static func below(_ name: String, _ path: String, _ key: ConfigurationKey, _ node: Node?, _ root: ConfigurationNode)
    -> [ConfigurationValue]
  {
    func joined(_ before: String, _ name: String) -> String { before.isEmpty ? name : "\(before).\(name)" }
    switch (key.content, node) {
    case (.section(let keys, let absence), _):
      if case .scalar(let scalar)? = node { return [Self.given(name, path, scalar.string, node, root)] }
      // A section of its own that is left out says nothing of what would hold in it; one whose values hold by themselves does.
      guard node != nil || absence != .needed else { return [] }
      if node == nil, keys.contains(where: { $0.absence == .needed }) { return [] }
      return keys.flatMap { Self.below(joined(name, $0.name), joined(path, $0.name), $0, node?.mapping?[Node($0.name)], root) }
    case (.entries(let keys, _), .sequence(let entries)?), (.sequence(let keys, _), .sequence(let entries)?):
      return entries.enumerated().flatMap { index, entry in
        let own = entry.mapping?["name"]?.string ?? "\(index)"
        return keys.flatMap { key in
          Self.below("\(name).\(own).\(key.name)", "\(path)[\(index)].\(key.name)", key, entry.mapping?[Node(key.name)], root)
        }
      }
    case (.names, .mapping(let names)?):
      return names.map { Self.given("\(name).\($0.key.string ?? "")", path, $0.value.string ?? "", $0.value, root) }
    case (.list, .sequence(let values)?):
      return [Self.given(name, path, values.compactMap(\.string).joined(separator: ", "), node, root)]
    case (_, .scalar(let scalar)?): return [Self.given(name, path, scalar.string, node, root)]
    case (_, _):
      guard case .usual(let usual) = key.absence else { return [] }
      return [ConfigurationValue(key: name, value: usual, origin: .usual, place: nil)]
    }
  }

  private static func given(_ name: String, _ path: String, _ value: String, _ node: Node?, _ root: ConfigurationNode)
    -> ConfigurationValue
  {
    switch root.origins[path] {
    case .environment(let variable, _): ConfigurationValue(key: name, value: value, origin: .environment, place: variable)
    case .commandLine: ConfigurationValue(key: name, value: value, origin: .commandLine, place: "--set")
    case nil: ConfigurationValue(key: name, value: value, origin: .file, place: node?.mark.map { "line \($0.line)" })
    }
  }
}
