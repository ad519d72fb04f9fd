// SPDX-License-Identifier: Apache-2.0

import Foundation
import Yams

/// A configuration file as it can be shown to anybody: what may be a secret is not in it.
enum RedactedConfiguration {
  static let redacted = "<redacted>"
  /// Keys that hold a secret themselves; with -file or -credential behind them they name where it is, which may be seen.
  private static let secretKeys: Set<String> = ["password", "connection-string", "shovel-address", "key", "token", "secret"]

  /// - Returns: YAML with the file's own keys and values, comments left out.
  static func text(of root: ConfigurationNode) throws -> String {
    try Yams.serialize(node: Self.redacting(root.node), allowUnicode: true)
  }

  static func redacting(_ node: Node) -> Node {
    switch node {
    case .mapping(let mapping):
      var shown = mapping
      for (key, value) in mapping {
        let isSecret = Self.secretKeys.contains(key.string ?? "")
        shown[key] = isSecret ? .scalar(Node.Scalar(Self.redacted, .implicit, .any, value.mark)) : Self.redacting(value)
      }
      return .mapping(shown)
    case .sequence(let sequence):
      var shown = sequence
      for (index, value) in sequence.enumerated() { shown[index] = Self.redacting(value) }
      return .sequence(shown)
    case .scalar(let scalar):
      return .scalar(Node.Scalar(Self.withoutLogin(scalar.string), scalar.tag, scalar.style, scalar.mark))
    default: return node
    }
  }

  /// An address with a login in it, wherever it stands: nobody should have written it there, but somebody will.
  private static func withoutLogin(_ text: String) -> String {
    guard let scheme = text.range(of: "://"), let at = text[scheme.upperBound...].lastIndex(of: "@") else { return text }
    let authority = text[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
    guard at < authority.endIndex else { return text }
    return text[..<scheme.upperBound] + Self.redacted + text[at...]
  }
}
