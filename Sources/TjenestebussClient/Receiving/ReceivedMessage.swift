// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// A message that came, with where it came from. Its description never holds the body.
public struct ReceivedMessage: Sendable, CustomStringConvertible {
  /// With a ``MessageProtection`` configured, its body is the opened one; the content type is as it came.
  public var message: HealthMessage
  /// The bus it came by. ``TjenestebussClient/reply(to:with:within:)`` knows where an answer goes.
  public var bus: BusName
  /// The queue it was read from.
  public var queue: String
  public var kind: QueueKind
  /// `reply-to` as it came: a queue name or a full address. ``HealthMessage/replyTo`` has the queue name alone.
  public var replyTo: String?
  /// How often the bus says it was delivered in vain before; buses count differently, and some not at all.
  public var deliveryCount: UInt32
  /// All that the bus tells of earlier deliveries; nil for a message that no bus handed out.
  public var redelivery: AMQPRedelivery?
  /// Whether and why it was dead-lettered before: for who reads a dead-letter queue.
  public var deadLetter: AMQPDeadLetter?
  /// `enqueuedTimeUtc` as the sender wrote it: when it was handed to the bus.
  public var enqueued: MessageTimestamp?

  public var description: String { "\(self.message) from \(self.queue) on \(self.bus)" }

  /// What its conversation is known by: the conversation's id in the message's own header, else the correlation id, else its own.
  public var conversation: String {
    self.message.properties[HealthMessage.PropertyName.conversation] ?? self.message.correlationID ?? self.message.messageID
  }
}

/// Thrown by a handler that will never be able to take the message: it is rejected, and the bus dead-letters it (or drops
/// it where no dead-letter queue is set). Nobody is told; ``ReportError`` tells the sender. Any other error gives the message
/// back to be delivered again.
public struct Refuse: Error, Sendable, Hashable {
  /// A stable name for the reason, such as `transport:invalid-field-value`; goes on the wire.
  public var condition: String
  /// Goes on the wire as well: no health data.
  public var text: String?

  public init(condition: String, text: String? = nil) {
    self.condition = condition
    self.text = text
  }
}

/// Thrown by a handler that wants the message again after a time of its own choice, at most the configuration's longest
/// redelivery delay. It counts as a failure.
public struct TryAgain: Error, Sendable, Hashable {
  public var after: Duration

  public init(after: Duration) { self.after = after }
}

/// A queue to receive from, on every configured bus.
public struct OwnQueue: Sendable, Hashable {
  public var name: String
  public var kind: QueueKind
  /// Whose it is: who reports an error about a message that does not say to whom it is. Nil: the first served HER-ID.
  public var owner: HerID?

  public init(name: String, kind: QueueKind, owner: HerID? = nil) {
    self.name = name
    self.kind = kind
    self.owner = owner
  }
}
