// SPDX-License-Identifier: Apache-2.0

import Crypto
import Migration

/// One row of the history: an event, who brought it about, and its place in the chain.
public struct StoredEvent: Sendable, Hashable {
  /// From 1, without gaps.
  public var sequence: Int64
  public var at: Instant
  /// The fencing token of the writer (I-12).
  public var fence: Int64
  /// Who or what brought it about: a person's name as given, or `daemon`.
  public var actor: String
  public var event: MigrationEvent
  public var previous: String
  public var hash: String
}

/// Where the history ends. Kept outside the machine it shows later whether anything was changed or cut off (I-19).
public struct ChainHead: Sendable, Hashable, Codable {
  public var sequence: Int64
  public var hash: String

  public init(sequence: Int64, hash: String) {
    self.sequence = sequence
    self.hash = hash
  }

  /// Before the first event.
  public static let empty = ChainHead(sequence: 0, hash: String(repeating: "0", count: 64))
}

/// The chain: each row's hash is over the row before and all of its own fields.
enum EventChain {
  /// Lengths stand before texts, so that no text can imitate another field.
  static func hash(
    previous: String, sequence: Int64, at: Int64, fence: Int64, actor: String, kind: String, version: Int64, body: String
  ) -> String {
    var text = "event/1\n"
    for field in [previous, "\(sequence)", "\(at)", "\(fence)", actor, kind, "\(version)", body] {
      text += "\(field.utf8.count):\(field)\n"
    }
    return CanonicalJSON.hex(SHA256.hash(data: Array(text.utf8)))
  }
}
