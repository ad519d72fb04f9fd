// SPDX-License-Identifier: Apache-2.0

import Yams

/// A value that the environment and the command line may give, at its place in one file.
struct SettablePlace {
  enum Step: Hashable {
    case key(String)
    case index(Int)
  }

  /// As it is written: `buses.tjenestebuss.path`.
  var name: String
  /// As errors name it: `buses[1].path`.
  var path: String
  var steps: [Step]
  /// The parts of ``name``, in small letters, as the library makes the variable's name of them.
  var configKey: [String]
  var key: ConfigurationKey

  /// `BUS_MIGRATOR_SET_BUSES_TJENESTEBUSS_PATH`
  var variable: String {
    ([ConfigurationSource.prefix] + self.configKey.map(Self.encoded)).joined(separator: "_")
  }

  /// Letters and digits in capitals, everything else a low line.
  static func encoded(_ part: String) -> String {
    String(part.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  /// All in a file: those of lists for the entries that it has.
  static func all(in root: ConfigurationNode) -> [SettablePlace] {
    guard let key = root.key else { return [] }
    return Self.below(SettablePlace(name: "", path: "", steps: [], configKey: [], key: key), root.node)
  }

  /// Whether a name ends as one of a secret does: then the error says how secrets are given.
  static func isSecret(_ name: String) -> Bool {
    ["password", "connection-string", "connection_string", "shovel-address", "shovel_address", "secret", "token", "key"].contains
    {
      name.hasSuffix($0)
    }
  }

  private static func below(_ place: SettablePlace, _ node: Node?) -> [SettablePlace] {
    var found = place.key.isSettable ? [place] : []
    switch place.key.content {
    case .section(let keys, _):
      for key in keys { found += Self.below(place.followed(by: key), node?.mapping?[Node(key.name)]) }
    case .entries(let keys, _):
      for (index, entry) in (node?.sequence ?? []).enumerated() {
        guard let name = entry.mapping?["name"]?.string, !name.isEmpty else { continue }
        var one = place
        one.name += ".\(name)"
        one.path += "[\(index)]"
        one.steps.append(.index(index))
        one.configKey.append(name.lowercased())
        for key in keys { found += Self.below(one.followed(by: key), entry.mapping?[Node(key.name)]) }
      }
    case .value, .list, .sequence, .names: break
    }
    return found
  }

  private func followed(by key: ConfigurationKey) -> SettablePlace {
    func joined(_ text: String) -> String { text.isEmpty ? key.name : "\(text).\(key.name)" }
    return SettablePlace(
      name: joined(self.name), path: joined(self.path), steps: self.steps + [.key(key.name)],
      configKey: self.configKey + [key.name],
      key: key)
  }
}

extension ConfigurationKey {
  /// A value as text, as it would stand in the file: lists are separated by commas.
  static func node(_ text: String, of key: ConfigurationKey?) -> Node {
    guard case .list = key?.content else { return Node(text) }
    return Node(
      text.split(separator: ",").map { part in
        Node(String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()))
      })
  }
}
