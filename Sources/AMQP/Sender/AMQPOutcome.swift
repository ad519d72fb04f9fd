// SPDX-License-Identifier: Apache-2.0

/// What became of a message that was sent (spec 3.4).
///
/// Only ``accepted`` means that the peer has taken responsibility for it.
public enum AMQPOutcome: Sendable, Hashable {
  case accepted
  /// The peer refuses it; sending it again will not help.
  case rejected(AMQPCondition?)
  /// The peer gives it back unprocessed. On RabbitMQ 4: no queue is bound to the address.
  case released
  /// Given back, and changed.
  case modified(deliveryFailed: Bool, undeliverableHere: Bool)
  /// It was handed over, and nothing certain is known: it may have arrived or not. Sending it again with the same
  /// message id is at-least-once.
  case unknown(UnknownReason)

  /// Why an outcome is not known.
  public enum UnknownReason: Sendable, Hashable {
    /// No outcome came before the deadline.
    case timedOut
    /// The caller's task was cancelled while the outcome was outstanding.
    case cancelled
    /// The link, session or connection ended first.
    case lost(AMQPError)
    /// The peer settled without saying how.
    case settledWithoutOutcome
  }

  /// Whether the peer has taken responsibility for the message.
  public var isAccepted: Bool { self == .accepted }
}

// Interpolating an enumeration reflects what its cases carry, and a peer's words are not for everyone's eyes.
extension AMQPOutcome: CustomStringConvertible {
  public var description: String {
    switch self {
    case .accepted: "accepted"
    case .rejected(let condition): condition.map { "rejected (\($0.description))" } ?? "rejected"
    case .released: "released"
    case .modified(let failed, let undeliverable):
      "modified\(failed ? ", delivery failed" : "")\(undeliverable ? ", undeliverable here" : "")"
    case .unknown(let reason): "unknown (\(reason.description))"
    }
  }
}

extension AMQPOutcome.UnknownReason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .timedOut: "timed out"
    case .cancelled: "cancelled"
    case .lost(let error): "lost: \(error.description)"
    case .settledWithoutOutcome: "settled without outcome"
    }
  }
}

/// What a receiver says of a delivery (spec 3.4).
public enum AMQPDisposition: Sendable, Hashable {
  /// Processed: the bus forgets it.
  case accepted
  /// Cannot be processed: the bus dead-letters it, or drops it where no dead-letter queue is set.
  case rejected(AMQPCondition?)
  /// Given back unprocessed. On RabbitMQ 4.0 to 4.2 quorum queues this counts towards the delivery limit.
  case released
  /// Given back changed. RabbitMQ 3.x does not know it and ends the session: see the dialect's capabilities.
  case modified(deliveryFailed: Bool, undeliverableHere: Bool, annotations: AMQPMap = [:])
}
