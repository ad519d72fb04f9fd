// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// How many handlers may be at work at once. One task waits at a time: the one that hands messages out.
final class HandlerSlots: Sendable {
  private struct State {
    var free: Int
    var waiter: CheckedContinuation<Bool, Never>?
  }

  private let state: NIOLockedValueBox<State>

  init(_ count: Int) { self.state = NIOLockedValueBox(State(free: count)) }

  /// Takes a slot when one is free.
  func takeNow() -> Bool {
    self.state.withLockedValue { state in
      guard state.free > 0 else { return false }
      state.free -= 1
      return true
    }
  }

  /// Takes a slot; waits for one.
  ///
  /// - Returns: false when the task was cancelled first: no slot was taken.
  func take() async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now: Bool? = self.state.withLockedValue { state in
          if Task.isCancelled { return false }
          if state.free > 0 {
            state.free -= 1
            return true
          }
          state.waiter = continuation
          return nil
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let waiter = self.state.withLockedValue { state in
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume(returning: false)
    }
  }

  func giveBack() {
    let waiter = self.state.withLockedValue { state in
      defer { state.waiter = nil }
      if state.waiter == nil { state.free += 1 }
      return state.waiter
    }
    waiter?.resume(returning: true)
  }
}
