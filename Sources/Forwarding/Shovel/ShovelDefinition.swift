// SPDX-License-Identifier: Apache-2.0

import Crypto
import Disclosure
import Foundation

/// One shovel as it is to be declared on the RabbitMQ 4 node: AMQP 0-9-1 on both sides, taken from the source when the target has confirmed.
public struct ShovelDefinition: Sendable, Hashable {
  /// As the broker knows it.
  public var name: String
  public var sourceQueue: String
  public var targetQueue: String
  /// Addresses with their logins, as the node that runs the shovel reaches the buses.
  public var source: Secret
  public var target: Secret
  /// Messages on their way; 1 lets nothing overtake anything.
  public var prefetch: Int

  public init(name: String, sourceQueue: String, targetQueue: String, source: Secret, target: Secret, rules: ForwardingRules) {
    self.name = name
    self.sourceQueue = sourceQueue
    self.targetQueue = targetQueue
    self.source = source
    self.target = target
    self.prefetch = rules.mode == .strict ? 1 : max(1, rules.window)
  }

  /// The names of one owner's shovels begin so: what begins otherwise is nobody's business of ours.
  public static func prefix(owner: String) -> String { "tjenestebuss.\(owner)." }

  /// The same queue has the same name in every run, so that a shovel which a dead run left is replaced and never doubled.
  public static func name(owner: String, source: String, queue: String, target: String) -> String {
    let digest = SHA256.hash(data: Data("\(source)\u{0}\(queue)\u{0}\(target)".utf8))
    return Self.prefix(owner: owner) + digest.prefix(8).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }

  /// Both queues must be there (`predeclared`), else a shovel makes them. It is never deleted by itself: who declared it removes it.
  func body() throws(ShovelError) -> Data {
    struct Body: Encodable {
      var value: [String: Value]
    }
    enum Value: Encodable {
      case text(String), number(Int), flag(Bool)
      func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .flag(let flag): try container.encode(flag)
        }
      }
    }
    let value: [String: Value] = [
      "src-protocol": .text("amqp091"), "src-uri": .text(self.source.withPlainText { $0 }), "src-queue": .text(self.sourceQueue),
      "src-predeclared": .flag(true), "src-prefetch-count": .number(self.prefetch), "src-delete-after": .text("never"),
      "dest-protocol": .text("amqp091"), "dest-uri": .text(self.target.withPlainText { $0 }),
      "dest-queue": .text(self.targetQueue), "dest-predeclared": .flag(true), "dest-add-forward-headers": .flag(false),
      "ack-mode": .text("on-confirm"), "reconnect-delay": .number(5),
    ]
    guard let data = try? JSONEncoder().encode(Body(value: value)) else {
      throw .answerUnreadable(tried: "write the shovel \(self.name)")
    }
    return data
  }

  /// Reads an address for shovels, without showing a piece of it.
  ///
  /// - Throws: ``ShovelError`` `addressInvalid`.
  public static func checked(_ address: Secret) throws(ShovelError) -> Secret {
    let problem: String? = address.withPlainText { text in
      guard let url = URLComponents(string: text), let scheme = url.scheme else { return "it is no address (not shown)" }
      guard scheme == "amqp" || scheme == "amqps" else { return "it begins with neither amqp:// nor amqps://" }
      guard let host = url.host, !host.isEmpty else { return "it names no host" }
      guard let user = url.user, !user.isEmpty, let password = url.password, !password.isEmpty else {
        return "it has no user, or no password"
      }
      return nil
    }
    if let problem { throw .addressInvalid(problem: problem) }
    return address
  }
}
