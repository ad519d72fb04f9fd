// SPDX-License-Identifier: Apache-2.0

/// A value that comes once, and that any number of tasks can wait for.
final class FirstValue<Value: Sendable>: Sendable {
  private struct State {
    var result: Result<Value, any Error>?
    var waiters: [Int: CheckedContinuation<Value, any Error>] = [:]
    var lastID = 0
  }

  private let state = LockedBox(State())

  /// The first result counts; later ones are ignored.
  func resolve(_ result: Result<Value, any Error>) {
    let waiters = self.state.withLock { state in
      guard state.result == nil else { return [CheckedContinuation<Value, any Error>]() }
      state.result = result
      defer { state.waiters.removeAll() }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume(with: result) }
  }

  /// Waits for it; ends early when the task is cancelled.
  var value: Value {
    get async throws {
      let id = self.state.withLock { state in
        state.lastID += 1
        return state.lastID
      }
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { waiter in
          let result = self.state.withLock { state in
            if state.result == nil { state.waiters[id] = waiter }
            return state.result
          }
          if let result { waiter.resume(with: result) }
          // Cancelled before it waited: then the handler found nobody. The flag was set before that.
          if Task.isCancelled { self.leave(id) }
        }
      } onCancel: {
        self.leave(id)
      }
    }
  }

  private func leave(_ id: Int) {
    let waiter = self.state.withLock { $0.waiters.removeValue(forKey: id) }
    waiter?.resume(throwing: CancellationError())
  }
}
