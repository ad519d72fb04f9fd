// SPDX-License-Identifier: Apache-2.0

/// One message that lies on a queue, as its metadata tells; never its body. Had by looking without taking, where the dialect browses.
///
/// Times are milliseconds since 1970. What the message or the bus does not tell is nil.
public struct MessageSighting: Sendable, Hashable, Codable {
  public enum State: String, Sendable, Hashable, Codable, CaseIterable {
    case active, locked, deferred, scheduled, deadLettered = "dead-lettered"
  }

  /// The bus's own number of it, by which it is found again (Service Bus).
  public var sequenceNumber: Int64?
  public var state: State
  public var messageID: String?
  public var correlationID: String?
  /// The message's function: its subject.
  public var subject: String?
  public var fromHerID: HerID?
  public var toHerID: HerID?
  /// When it came to the queue, by the bus's own clock (`x-opt-enqueued-time`). What the sender's library wrote just before it sent is no
  /// such time: see ``sentAt``.
  public var enqueuedAt: Int64?
  /// When the sender made or sent it, by its own clock, which may be wrong: to be shown, and nothing is concluded from it.
  public var sentAt: Int64?
  /// When it expires.
  public var expiresAt: Int64?
  public var deliveryCount: Int64?
  /// The sending system, as it names itself (`X-SystemIdentifier`).
  public var system: String?
  /// The sender's client library and its version, where the message names them.
  public var library: String?
  public var libraryVersion: String?
  /// Why the bus or a receiver gave it up.
  public var deadLetterReason: String?
  /// Whether it is a ping of ours or the answer to one, by a property of its own; nil where it is not known to be.
  public var isPing: Bool?

  public init(state: State, sequenceNumber: Int64? = nil, messageID: String? = nil) {
    self.state = state
    self.sequenceNumber = sequenceNumber
    self.messageID = messageID
  }
}
