// SPDX-License-Identifier: Apache-2.0

/// Keeps the lock on a delivery that is being handled, where the bus locks for a time (Azure Service Bus).
public protocol AMQPLockRenewing: Sendable {
  /// How long the lock on a delivery that has just come lasts; nil when it has none.
  func lockDuration(of delivery: AMQPDelivery) -> Duration?

  /// Renews the lock.
  ///
  /// - Returns: how long it lasts from now.
  /// - Throws: when it cannot be renewed: the bus may give the message to another.
  func renew(_ delivery: AMQPDelivery) async throws -> Duration
}
