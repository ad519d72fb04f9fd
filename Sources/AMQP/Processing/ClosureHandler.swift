// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// A closure as a handler: what it throws becomes a verdict by the policy's reaction.
struct ClosureHandler<Key: Hashable & Sendable>: AMQPDeliveryHandler {
  private let key: @Sendable (AMQPDelivery) -> Key?
  private let policy: AMQPProcessPolicy
  private let body: @Sendable (AMQPDelivery) async throws -> Void
  private let failure = NIOLockedValueBox<(any Error)?>(nil)

  init(
    orderedBy key: @escaping @Sendable (AMQPDelivery) -> Key?, _ policy: AMQPProcessPolicy,
    _ body: @escaping @Sendable (AMQPDelivery) async throws -> Void
  ) {
    self.key = key
    self.policy = policy
    self.body = body
  }

  /// What the handler threw to which the reaction was to stop.
  var stopError: (any Error)? { self.failure.withLockedValue { $0 } }

  func read(_ delivery: AMQPDelivery) -> Key? { self.key(delivery) }
  func key(of item: Key?) -> Key? { item }
  func needsPlace(_ item: Key?) -> Bool { true }

  func handle(_ item: Key?, _ delivery: AMQPDelivery, _ place: AMQPHandlerPlace) async -> AMQPVerdict {
    do {
      try await delivery.processing { try await self.body(delivery) }
      return .accept
    } catch {
      switch self.policy.reaction(error, delivery) {
      case .retryNow: return .retryNow
      case .retryLater(let delay): return .handBack(after: delay ?? self.policy.retryDelay, failed: true)
      case .deadLetter(let reason): return .deadLetter(reason)
      case .stop:
        self.failure.withLockedValue { if $0 == nil { $0 = error } }
        return .stop
      }
    }
  }
}
