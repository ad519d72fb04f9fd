// SPDX-License-Identifier: Apache-2.0

import AMQP

/// A message as a broker keeps it: the sections it may change, and the bare message's bytes as the sender wrote them.
///
/// Its description holds the message id and nothing else.
package struct BrokerMessage: Sendable, CustomStringConvertible {
  package var header: AMQPHeader?
  package var messageAnnotations: AMQPMap
  package var properties: AMQPProperties
  package let applicationProperties: AMQPMap
  /// Properties, application properties, body, footer.
  package var bare: [UInt8]
  package let hasBody: Bool

  /// - Throws: ``AMQPDecodingError`` when it is no message.
  package init(_ payload: [UInt8]) throws(AMQPDecodingError) {
    let message = try AMQPMessage(decoding: payload)
    self.header = message.header
    // Delivery annotations are for the next hop only, and that is us (spec 3.2.2).
    self.messageAnnotations = message.messageAnnotations
    self.properties = message.properties
    self.applicationProperties = message.applicationProperties
    self.bare = Array(payload[try AMQPMessageSections(payload).bareStart...])
    self.hasBody = message.body != .absent
  }

  package var messageID: AMQPMessageID? { self.properties.messageID }

  /// Its time to live in milliseconds.
  package var timeToLive: Int64? { self.header?.timeToLive.map(Int64.init) }

  /// The encoded message for a consumer.
  ///
  /// - Parameter now: the time to live that is left is counted from here.
  package func encoded(deliveryCount: UInt32, isFirst: Bool, expiresAt: Int64?, now: Int64, durableByDefault: Bool) -> [UInt8] {
    var header = self.header ?? AMQPHeader(durable: durableByDefault)
    header.deliveryCount = deliveryCount
    header.firstAcquirer = isFirst
    if header.timeToLive != nil, let expiresAt { header.timeToLive = UInt32(clamping: max(0, expiresAt - now)) }
    return AMQPMessage(header: header, messageAnnotations: self.messageAnnotations, body: .absent).encodedCarriage() + self.bare
  }

  package var description: String { "message \(self.messageID.map(String.init(describing:)) ?? "without id")" }
}
