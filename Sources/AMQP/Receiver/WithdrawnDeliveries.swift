// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// Which deliveries of one link the peer has taken back, and who wants to know. Told by the event loop, asked by any task.
final class WithdrawnDeliveries: Sendable {
  /// How one is settled that the bus has taken back. Seen with RabbitMQ 4.3.6: accepted unlocks the link at once, and the
  /// message, which is the queue's again, is not lost by it; released leaves the link locked for good.
  static let settlement = AMQPDisposition.accepted

  private struct State {
    var withdrawn: Set<DeliveryID> = []
    var handlers: [DeliveryID: [UInt64: @Sendable (Bool) -> Void]] = [:]
    var lastHandler: UInt64 = 0
    var hasEnded = false
  }

  private let state = NIOLockedValueBox(State())

  func contains(_ id: DeliveryID) -> Bool { self.state.withLockedValue { $0.withdrawn.contains(id) } }

  /// The peer took it back.
  func withdraw(_ id: DeliveryID) {
    let handlers = self.state.withLockedValue { state -> [UInt64: @Sendable (Bool) -> Void] in
      guard !state.hasEnded else { return [:] }
      state.withdrawn.insert(id)
      return state.handlers.removeValue(forKey: id) ?? [:]
    }
    for handler in handlers.values { handler(true) }
  }

  /// Somebody settles these.
  ///
  /// - Returns: which of them had been taken back.
  func settled(_ ids: [DeliveryID]) -> Set<DeliveryID> {
    let (withdrawn, handlers) = self.state.withLockedValue { state -> (Set<DeliveryID>, [@Sendable (Bool) -> Void]) in
      var withdrawn: Set<DeliveryID> = []
      var handlers: [@Sendable (Bool) -> Void] = []
      if state.withdrawn.isEmpty, state.handlers.isEmpty { return ([], []) }
      for id in ids {
        if !state.withdrawn.isEmpty, state.withdrawn.remove(id) != nil { withdrawn.insert(id) }
        if !state.handlers.isEmpty, let waiting = state.handlers.removeValue(forKey: id) { handlers += waiting.values }
      }
      return (withdrawn, handlers)
    }
    for handler in handlers { handler(false) }
    return withdrawn
  }

  /// The link is gone: nobody is told any more.
  func end() {
    let handlers = self.state.withLockedValue { state in
      state.hasEnded = true
      defer {
        state.withdrawn = []
        state.handlers = [:]
      }
      return state.handlers.values.flatMap(\.values)
    }
    for handler in handlers { handler(false) }
  }

  /// Calls `handler` once: with true when the delivery is taken back, with false when it is settled or its link is gone.
  ///
  /// - Returns: what ``forget(_:of:)`` takes.
  @discardableResult
  func whenDecided(_ id: DeliveryID, _ handler: @escaping @Sendable (Bool) -> Void) -> UInt64 {
    let (number, now) = self.state.withLockedValue { state -> (UInt64, Bool?) in
      if state.withdrawn.contains(id) { return (0, true) }
      if state.hasEnded { return (0, false) }
      state.lastHandler += 1
      state.handlers[id, default: [:]][state.lastHandler] = handler
      return (state.lastHandler, nil)
    }
    if let now { handler(now) }
    return number
  }

  func forget(_ handler: UInt64, of id: DeliveryID) {
    self.state.withLockedValue { state in
      state.handlers[id]?[handler] = nil
      if state.handlers[id]?.isEmpty == true { state.handlers[id] = nil }
    }
  }
}
