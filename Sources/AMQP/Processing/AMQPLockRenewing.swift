// SPDX-License-Identifier: Apache-2.0

/// Keeps the lock on a delivery that is being handled, where the bus locks for a time (Azure Service Bus).
public protocol AMQPLockRenewing: Sendable {
  /// How long the lock on a delivery that has just come lasts; nil when it has none.
  func lockDuration(of delivery: AMQPDelivery) -> Duration?

  /// Renews the lock.
  ///
  /// - Returns: how long it lasts from now.
  /// - Throws: ``AMQPError`` `requestRefused` when the lock is lost: the handler is cancelled, since another may get the message.
  ///   Anything else is tried again as long as the lock lasts.
  func renew(_ delivery: AMQPDelivery) async throws -> Duration
}
