// SPDX-License-Identifier: Apache-2.0

/// What processing must know of a delivery before its handler does: taken from its sections before the body.
struct DeliveryFacts: Sendable, Equatable {
  var messageID: AMQPMessageID?
  /// How many deliveries before this one count towards the queue's limit, as far as the bus tells.
  var earlierDeliveries = 0

  init(_ delivery: AMQPDelivery) {
    // What cannot be read is for the handler to find out.
    guard let message = try? AMQPMessage(decodingBeforeBody: delivery.payload) else { return }
    self.messageID = message.properties.messageID
    self.earlierDeliveries = Int(clamping: message.redelivery.attemptsTowardsLimit)
  }
}
