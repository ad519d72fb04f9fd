// SPDX-License-Identifier: Apache-2.0

import BusModel

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
  package var lost: ReturnCounting

  package init(
    maximumLength: Int? = nil, timeToLive: Int64? = nil, deliveryLimit: Int? = nil, released: ReturnCounting = .nothing,
    lost: ReturnCounting = .deliveryCount
  ) {
    self.maximumLength = maximumLength
    self.timeToLive = timeToLive
    self.deliveryLimit = deliveryLimit
    self.released = released
    self.lost = lost
  }
}
