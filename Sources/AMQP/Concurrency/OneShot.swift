// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// A value that comes once, for any number of waiting tasks. A waiter ends by the value or by its own cancellation.
package final class OneShot<Value: Sendable>: Sendable {
  private enum State {
    case pending(
      lastWaiter: UInt64, waiters: [UInt64: CheckedContinuation<Value, any Error>], observers: [@Sendable (Value) -> Void])
    case done(Value)
  }

  private let state = NIOLockedValueBox(State.pending(lastWaiter: 0, waiters: [:], observers: []))

  package init() {}

  /// The value, if it has come.
  package var current: Value? {
    self.state.withLockedValue { if case .done(let value) = $0 { value } else { nil } }
  }

  /// Gives the value; the first one counts.
  ///
  /// - Returns: whether this was the first.
  @discardableResult
  package func fulfil(_ value: Value) -> Bool {
    let waiting: ([CheckedContinuation<Value, any Error>], [@Sendable (Value) -> Void])? = self.state.withLockedValue { state in
      guard case .pending(_, let waiters, let observers) = state else { return nil }
      state = .done(value)
      return (Array(waiters.values), observers)
    }
    guard let (waiters, observers) = waiting else { return false }
    for waiter in waiters { waiter.resume(returning: value) }
    for observer in observers { observer(value) }
    return true
  }

  /// - Throws: `CancellationError` when the calling task is cancelled first.
  package func wait() async throws -> Value {
    let waiter: UInt64 = self.state.withLockedValue { state in
      guard case .pending(let last, let waiters, let observers) = state else { return 0 }
      state = .pending(lastWaiter: last + 1, waiters: waiters, observers: observers)
      return last + 1
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let now: Result<Value, any Error>? = self.state.withLockedValue { state in
          switch state {
          case .done(let value): return .success(value)
          case .pending(let last, var waiters, let observers):
            if Task.isCancelled { return .failure(CancellationError()) }
            waiters[waiter] = continuation
            state = .pending(lastWaiter: last, waiters: waiters, observers: observers)
            return nil
          }
        }
        if let now { continuation.resume(with: now) }
      }
    } onCancel: {
      let continuation: CheckedContinuation<Value, any Error>? = self.state.withLockedValue { state in
        guard case .pending(let last, var waiters, let observers) = state else { return nil }
        let continuation = waiters.removeValue(forKey: waiter)
        state = .pending(lastWaiter: last, waiters: waiters, observers: observers)
        return continuation
      }
      continuation?.resume(throwing: CancellationError())
    }
  }

  /// The value, whether the calling task is cancelled or not: only for values that are sure to come.
  package func uncancelledValue() async -> Value {
    await withCheckedContinuation { (continuation: CheckedContinuation<Value, Never>) in
      self.whenDone { continuation.resume(returning: $0) }
    }
  }

  /// Calls `work` with the value, once, from wherever the value is given; at once when it is there.
  package func whenDone(_ work: @escaping @Sendable (Value) -> Void) {
    let now: Value? = self.state.withLockedValue { state in
      switch state {
      case .done(let value): return value
      case .pending(let last, let waiters, var observers):
        observers.append(work)
        state = .pending(lastWaiter: last, waiters: waiters, observers: observers)
        return nil
      }
    }
    if let now { work(now) }
  }
}
