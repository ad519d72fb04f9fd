// SPDX-License-Identifier: Apache-2.0

/// A message that may have arrived at the target twice.
public struct PossibleDuplicate: Sendable, Hashable, Codable {
  public enum Reason: UInt8, Sendable, Hashable, Codable, CaseIterable {
    /// It was on its way when the link to the target was lost, and went again.
    case outcomeUnknown = 1
    /// It was on its way when this program or the machine ended, and went again.
    case interrupted = 2
    /// One with the same bytes was carried before, and the bus does not say that this is the same: its sender may have sent it twice.
    case sameAgain = 3
  }

  /// The message id; the fingerprint in hexadecimal where it has none.
  public let messageID: String
  /// Source and target queue, as ``ForwardingRoute`` names them.
  public let queue: String
  /// In milliseconds since 1970.
  public let at: Int64
  public let reason: Reason

  public init(messageID: String, queue: String, at: Int64, reason: Reason) {
    self.messageID = messageID
    self.queue = queue
    self.at = at
    self.reason = reason
  }
}

/// A message that stays on the source, to be decided on by people.
public struct SetAside: Sendable, Hashable, Codable {
  public enum Reason: UInt8, Sendable, Hashable, Codable, CaseIterable {
    /// The target did not accept it, and a later message of the same sender has gone before it.
    case overtaken = 1
    /// Its time to live is over.
    case expired = 2
    /// It has a time to live, and nobody knows since when.
    case unknownAge = 3
    /// Larger than the target takes.
    case tooLarge = 4
    /// The target ends the link over it, or would.
    case poison = 5
    /// A synchronous one: whoever asked waits no longer.
    case leftToExpire = 6
    /// The source bus would drop or dead-letter it if it were handed out a few times more.
    case nearDeliveryLimit = 7
  }

  /// The message id; the fingerprint in hexadecimal where it has none.
  public let messageID: String
  public let queue: String
  /// In milliseconds since 1970.
  public let at: Int64
  public let reason: Reason
  /// What was seen, without content.
  public let seen: String

  public init(messageID: String, queue: String, at: Int64, reason: Reason, seen: String) {
    self.messageID = messageID
    self.queue = queue
    self.at = at
    self.reason = reason
    self.seen = seen
  }
}
