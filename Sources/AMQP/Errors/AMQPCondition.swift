// SPDX-License-Identifier: Apache-2.0

/// An error condition as a peer states it on the wire (spec 2.8.14): a symbol, a text, further information.
///
/// Its description holds no content of messages; `String(reflecting:)` holds the peer's words whole, and is for the eyes of
/// those who may see messages.
public struct AMQPCondition: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
  public var name: String
  /// The peer's words as they came. RabbitMQ 4.0 puts parts of a message it could not read into them.
  public var text: String?
  public var info: AMQPMap

  public init(_ name: String, text: String? = nil, info: AMQPMap = [:]) {
    self.name = name
    self.text = text
    self.info = info
  }

  public var description: String {
    self.text.map { "\(PeerWords.shown(self.name)): \(PeerWords.shown($0))" } ?? PeerWords.shown(self.name)
  }

  public var debugDescription: String {
    let info = self.info.isEmpty ? "" : " \(self.info)"
    return (self.text.map { "\(self.name): \($0)" } ?? self.name) + info
  }
}

extension AMQPCondition {
  public static let internalError = "amqp:internal-error"
  public static let notFound = "amqp:not-found"
  public static let unauthorizedAccess = "amqp:unauthorized-access"
  public static let decodeError = "amqp:decode-error"
  public static let resourceLimitExceeded = "amqp:resource-limit-exceeded"
  public static let notAllowed = "amqp:not-allowed"
  public static let invalidField = "amqp:invalid-field"
  public static let notImplemented = "amqp:not-implemented"
  public static let resourceDeleted = "amqp:resource-deleted"
  public static let connectionForced = "amqp:connection:forced"
  public static let framingError = "amqp:connection:framing-error"
  public static let linkDetachForced = "amqp:link:detach-forced"
  public static let linkStolen = "amqp:link:stolen"
  /// Service Bus: the queue is there, and closed.
  public static let entityDisabled = "com.microsoft:entity-disabled"
  public static let messageSizeExceeded = "amqp:link:message-size-exceeded"
}
