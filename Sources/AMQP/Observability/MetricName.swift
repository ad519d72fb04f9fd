// SPDX-License-Identifier: Apache-2.0

/// The names of all metrics, in one place.
///
/// The first four are OpenTelemetry's semantic conventions for messaging; the others are ours, for what only an AMQP client
/// knows of itself. Durations are recorded by swift-metrics timers, in nanoseconds.
public enum AMQPMetricName: String, Sendable, CaseIterable {
  /// Counter: messages handed to a bus, by destination and outcome; not sent ones have the error's code.
  case sentMessages = "messaging.client.sent.messages"
  /// Counter: messages given to the application, by destination.
  case consumedMessages = "messaging.client.consumed.messages"
  /// Timer: how long one operation took, from the call to its result.
  case operationDuration = "messaging.client.operation.duration"
  /// Timer: how long the application worked on a message.
  case processDuration = "messaging.process.duration"

  /// Gauge: messages the peer may still send on a receiving link, or takes on a sending one.
  case credit = "amqp.client.link.credit"
  /// Gauge: deliveries handed out and not settled; on a sending link messages without an outcome yet.
  case unsettled = "amqp.client.link.unsettled"
  /// Gauge: deliveries that arrived and no task has taken.
  case buffered = "amqp.client.link.buffered"
  /// Gauge: sends that wait for credit.
  case waitingSends = "amqp.client.link.waiting_sends"
  /// Gauge: seconds since the peer was last heard of.
  case lastFrameAge = "amqp.client.last_frame_age"
  /// Counter: links, sessions and connections that were made anew.
  case recoveries = "amqp.client.recoveries"
  /// Counter: deliveries the bus took back because they were not settled in time (RabbitMQ 4.3).
  case withdrawn = "amqp.client.deliveries.withdrawn"
  /// Counter: links that looked open while nothing moved, and were given up.
  case stalls = "amqp.client.stalls"
}

/// The names of what metrics and spans are broken down by: OpenTelemetry's, where it has one.
public enum AMQPAttributeName: String, Sendable, CaseIterable {
  case system = "messaging.system"
  case operationName = "messaging.operation.name"
  case operationType = "messaging.operation.type"
  case destination = "messaging.destination.name"
  case messageID = "messaging.message.id"
  case conversationID = "messaging.message.conversation_id"
  case batchCount = "messaging.batch.message_count"
  case server = "server.address"
  case port = "server.port"
  /// A stable code ("AMQP-401"), never words.
  case error = "error.type"
  /// Ours: accepted, rejected, released, modified, unknown.
  case outcome = "amqp.outcome"
  /// Ours: link, session or connection.
  case tier = "amqp.recovery.tier"
  /// Ours: sender or receiver.
  case role = "amqp.link.role"
}
