// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

extension HealthMessage {
  private static let reserved: Set<String> = [
    PropertyName.from, PropertyName.to, PropertyName.timestamp, PropertyName.cpaID, PropertyName.enqueued,
  ]

  /// The message as both buses carry it and receivers check it.
  ///
  /// Header: always durable; a time to live only when there is one. Properties: message id and correlation id (the message id
  /// when none is given) as texts, `to` the short queue name, subject, content type, reply-to; never a user id, which buses
  /// refuse from another user. Application properties: all texts. No annotations. Exactly one data section, also when empty:
  /// RabbitMQ 4 ends the session of a sender whose message has none.
  ///
  /// - Parameters:
  ///   - queue: the receiver's short queue name.
  ///   - enqueued: goes out as `enqueuedTimeUtc`.
  /// - Throws: ``TjenestebussError`` `messageUnsendable`, naming the field.
  public func amqpMessage(toQueue queue: String, enqueued: MessageTimestamp) throws(TjenestebussError) -> AMQPMessage {
    try self.checkSendable()
    var properties: AMQPMap = [
      PropertyName.from: .string(self.from.description), PropertyName.to: .string(self.to.description),
      PropertyName.timestamp: .string(self.timestamp.description), PropertyName.enqueued: .string(enqueued.withoutZone),
    ]
    if let cpaID { properties[PropertyName.cpaID] = .string(cpaID) }
    for (name, value) in self.properties.sorted(by: { $0.key < $1.key }) { properties[name] = .string(value) }
    return AMQPMessage(
      header: AMQPHeader(durable: true, timeToLive: self.timeToLiveMilliseconds),
      properties: AMQPProperties(
        messageID: .string(self.messageID), to: queue, subject: self.subject, replyTo: self.replyTo,
        correlationID: .string(self.correlationID ?? self.messageID), contentType: self.contentType),
      applicationProperties: properties, body: .data(self.body))
  }

  /// Whether it can be sent as it is. - Throws: ``TjenestebussError`` `messageUnsendable`.
  func checkSendable() throws(TjenestebussError) {
    for (field, text) in [("message id", self.messageID), ("subject", self.subject), ("content type", self.contentType)] {
      if text.isEmpty { throw .messageUnsendable(field: field, problem: "is empty") }
      // A symbol or a log line cannot hold them, and no id of the field has them.
      if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
        throw .messageUnsendable(field: field, problem: "holds control characters")
      }
    }
    if !self.contentType.utf8.allSatisfy({ $0 < 0x80 }) {
      throw .messageUnsendable(field: "content type", problem: "holds letters beyond ASCII")
    }
    if self.timeToLiveMilliseconds == 0 {
      throw .messageUnsendable(field: "time to live", problem: "is zero: the message would expire at once")
    }
    if let taken = self.properties.keys.filter({ Self.reserved.contains($0) }).min() {
      throw .messageUnsendable(field: "properties", problem: "\(taken) is set from the message's own fields")
    }
    if self.properties.keys.contains("") { throw .messageUnsendable(field: "properties", problem: "a name is empty") }
  }
}
