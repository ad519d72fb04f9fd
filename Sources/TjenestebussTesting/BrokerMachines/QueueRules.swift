// SPDX-License-Identifier: Apache-2.0

/// Why a message left a queue without being consumed.
public enum DeathReason: String, Sendable, Hashable {
  case rejected
  /// A receiver modified it as undeliverable there.
  case undeliverable
  case expired
  /// Given back more often than the queue allows.
  case deliveryLimit = "delivery_limit"
}

/// What a return to the queue counts as.
package enum ReturnCounting: Sendable, Hashable {
  case nothing
  /// Towards the delivery limit, and the header's delivery-count stays.
  case limit
  /// Towards the delivery limit, and the header's delivery-count rises.
  case deliveryCount
}

/// What a queue does with its messages.
package struct QueueRules: Sendable, Hashable {
  /// The most messages it holds; nil for no limit.
  package var maximumLength: Int?
  /// The milliseconds a message may lie here; nil for no limit.
  package var timeToLive: Int64?
  /// The most returns a message survives; nil for no limit.
  package var deliveryLimit: Int?
  package var released: ReturnCounting
  /// Modified as failed.
  package var failed: ReturnCounting
  /// The session or connection was lost.
  package var lost: ReturnCounting
  /// The link was detached in order.
  package var detached: ReturnCounting
  /// Whether a rejected message has one more unsuccessful delivery where it lies dead.
  package var rejectedCounts: Bool
  /// Whether annotations of `modified` stay on the message.
  package var keepsAnnotations: Bool
  /// Whether returns towards the limit are told in the annotation `x-delivery-count`, as RabbitMQ 4.0 does it.
  package var tellsLimitAsDeliveryCount: Bool
  /// Whether `x-acquired-count` and `x-delivery-count` are told, as RabbitMQ 4.3 does it.
  package var tellsAcquiredCount: Bool
  /// The milliseconds a consumer may hold a message; nil for ever.
  package var lockDuration: Int64?
  /// Whether a consumer that held a message too long gets nothing more until it settles it, as with RabbitMQ 4.3.
  package var lostLocksBlock = false

  package init(
    maximumLength: Int? = nil, timeToLive: Int64? = nil, deliveryLimit: Int? = nil, released: ReturnCounting = .nothing,
    failed: ReturnCounting = .deliveryCount, lost: ReturnCounting = .deliveryCount, detached: ReturnCounting = .nothing,
    rejectedCounts: Bool = false, keepsAnnotations: Bool = true, tellsLimitAsDeliveryCount: Bool = false,
    tellsAcquiredCount: Bool = false, lockDuration: Int64? = nil
  ) {
    self.maximumLength = maximumLength
    self.timeToLive = timeToLive
    self.deliveryLimit = deliveryLimit
    self.released = released
    self.failed = failed
    self.lost = lost
    self.detached = detached
    self.rejectedCounts = rejectedCounts
    self.keepsAnnotations = keepsAnnotations
    self.tellsLimitAsDeliveryCount = tellsLimitAsDeliveryCount
    self.tellsAcquiredCount = tellsAcquiredCount
    self.lockDuration = lockDuration
  }
}
