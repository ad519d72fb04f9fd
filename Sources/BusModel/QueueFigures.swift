// SPDX-License-Identifier: Apache-2.0

/// Every figure that a bus may give of one queue, each nil where it does not tell it: what is not told is not zero.
public struct QueueFigures: Sendable, Hashable, Codable {
  /// Messages that a receiver would get now.
  public var active: Int64?
  /// Handed out, and not settled yet.
  public var locked: Int64?
  /// Set aside by a receiver, to be asked for by their numbers (Service Bus).
  public var deferred: Int64?
  /// Not to be handed out before a time that their sender named (Service Bus).
  public var scheduled: Int64?
  /// In the queue's own sub-queue of dead letters (Service Bus).
  public var deadLettered: Int64?
  /// On their way to another queue by the bus's own forwarding (Service Bus).
  public var transfer: Int64?
  /// Those of them that could not be carried on (Service Bus).
  public var transferDeadLettered: Int64?

  public init(
    active: Int64? = nil, locked: Int64? = nil, deferred: Int64? = nil, scheduled: Int64? = nil, deadLettered: Int64? = nil,
    transfer: Int64? = nil, transferDeadLettered: Int64? = nil
  ) {
    self.active = active
    self.locked = locked
    self.deferred = deferred
    self.scheduled = scheduled
    self.deadLettered = deadLettered
    self.transfer = transfer
    self.transferDeadLettered = transferDeadLettered
  }

  /// All that is told to lie there, dead letters apart; nil when nothing is told.
  public var lying: Int64? {
    let told = [self.active, self.locked, self.deferred, self.scheduled, self.transfer].compactMap { $0 }
    return told.isEmpty ? nil : told.reduce(0, +)
  }
}
