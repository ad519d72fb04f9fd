// SPDX-License-Identifier: Apache-2.0

/// What goes into a ``QueueMachine`` and comes out of it.
extension QueueMachine {
  /// A consumer of this queue.
  package struct Consumer: Hashable, Sendable {
    package let number: Int
    package init(_ number: Int) { self.number = number }
  }

  /// A message handed out and not yet settled. Never reused.
  package struct Lock: Hashable, Sendable { let number: UInt64 }

  /// What is to be done.
  package enum Action: Sendable {
    case deliver(Handout)
    /// The consumer's credit is used up or given back, as its drain asked.
    case drained(Consumer)
    /// The message has left this queue and was not consumed; with the unsuccessful deliveries it had.
    case died(Content, DeathReason, deliveryCount: UInt32)
    /// The consumer held the message too long: it has gone back, or died.
    case lockLost(Lock, Consumer)
  }

  /// A message on its way to a consumer.
  package struct Handout: Sendable {
    package let consumer: Consumer
    /// Nil when the consumer takes messages settled: then it has left the queue.
    package let lock: Lock?
    package let content: Content
    /// Unsuccessful deliveries before this one.
    package let deliveryCount: UInt32
    /// Returns that counted towards the delivery limit.
    package let returns: UInt32
    /// How often it was handed out before.
    package let acquiredCount: UInt32
    /// When the lock is lost; nil for never.
    package let lockedUntil: Int64?
    /// Whether no consumer has had it before.
    package let isFirst: Bool
    /// When it expires; nil for never.
    package let expiresAt: Int64?
  }

  package enum Arrival: Sendable {
    case queued([Action])
    /// The queue holds as many as it may.
    case full
  }

  /// What a consumer, or its loss, says of a locked message.
  package enum Verdict: Hashable, Sendable {
    case consumed
    case released
    case rejected
    case modified(deliveryFailed: Bool, undeliverableHere: Bool)
    /// The session or connection was lost, or the lock.
    case lost
    /// The link was detached in order.
    case detached
    /// Laid aside, to be asked for by name: Service Bus.
    case deferred
  }

  /// A message that lies here, for those who look without taking.
  package struct Peeked: Sendable {
    package let content: Content
    package let deliveryCount: UInt32
    package let isDeferred: Bool
  }
}
