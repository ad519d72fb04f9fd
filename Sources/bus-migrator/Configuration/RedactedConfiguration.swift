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

  /// - Parameter isWebhook: in whose address whatever stands behind the host may be what lets in.
  static func redacting(_ node: Node, isWebhook: Bool = false) -> Node {
    switch node {
    case .mapping(let mapping):
      var shown = mapping
      for (key, value) in mapping {
        let name = key.string ?? ""
        let isSecret = Self.secretKeys.contains(name)
        shown[key] =
          isSecret
          ? .scalar(Node.Scalar(Self.redacted, .implicit, .any, value.mark))
          : Self.redacting(value, isWebhook: isWebhook || name == "webhooks")
      }
      return .mapping(shown)
    case .sequence(let sequence):
      var shown = sequence
      for (index, value) in sequence.enumerated() { shown[index] = Self.redacting(value, isWebhook: isWebhook) }
      return .sequence(shown)
    case .scalar(let scalar):
      return .scalar(
        Node.Scalar(Self.withoutSecrets(scalar.string, isWebhook: isWebhook), scalar.tag, scalar.style, scalar.mark))
    default: return node
    }
  }

  /// An address without a login, wherever one stands: nobody should have written it there, but somebody will. Neither with its query.
  private static func withoutSecrets(_ text: String, isWebhook: Bool) -> String {
    guard let scheme = text.range(of: "://") else { return text }
    var shown = String(text[..<scheme.upperBound])
    var rest = text[scheme.upperBound...]
    // A password may hold a slash: up to the last @, wherever it is.
    if let at = rest.lastIndex(of: "@") {
      shown += Self.redacted
      rest = rest[at...]
    }
    let place = rest.prefix { isWebhook ? $0 != "/" && $0 != "?" : $0 != "?" }
    return shown + place + (place.endIndex == rest.endIndex ? "" : isWebhook ? "/\(Self.redacted)" : "?\(Self.redacted)")
  }
}
