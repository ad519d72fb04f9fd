// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// A value that comes once, for any number of waiting tasks. A waiter ends by the value or by its own cancellation.
package final class OneShot<Value: Sendable>: Sendable {
  private enum State {
    case pending(lastWaiter: UInt64, waiters: [UInt64: CheckedContinuation<Value, any Error>])
    case done(Value)
  }

  private let state = NIOLockedValueBox(State.pending(lastWaiter: 0, waiters: [:]))

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
    let waiters: [CheckedContinuation<Value, any Error>]? = self.state.withLockedValue { state in
      guard case .pending(_, let waiters) = state else { return nil }
      state = .done(value)
      return Array(waiters.values)
    }
    waiters?.forEach { $0.resume(returning: value) }
    return waiters != nil
  }

  /// - Throws: `CancellationError` when the calling task is cancelled first.
  package func wait() async throws -> Value {
    let waiter: UInt64 = self.state.withLockedValue { state in
      guard case .pending(let last, let waiters) = state else { return 0 }
      state = .pending(lastWaiter: last + 1, waiters: waiters)
      return last + 1
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let now: Result<Value, any Error>? = self.state.withLockedValue { state in
          switch state {
          case .done(let value): return .success(value)
          case .pending(let last, var waiters):
            if Task.isCancelled { return .failure(CancellationError()) }
            waiters[waiter] = continuation
            state = .pending(lastWaiter: last, waiters: waiters)
            return nil
          }
        }
        if let now { continuation.resume(with: now) }
      }
    } onCancel: {
      let continuation: CheckedContinuation<Value, any Error>? = self.state.withLockedValue { state in
        guard case .pending(let last, var waiters) = state else { return nil }
        let continuation = waiters.removeValue(forKey: waiter)
        state = .pending(lastWaiter: last, waiters: waiters)
        return continuation
      }
      continuation?.resume(throwing: CancellationError())
    }
  }
}
