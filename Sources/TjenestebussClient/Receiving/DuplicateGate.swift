// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// The ``DuplicateWindow`` of a client, with the tasks that stand in line.
final class DuplicateGate: Sendable {
  private struct State {
    var window: DuplicateWindow
    var lastWaiter: DuplicateWindow.Waiter = 0
    var waiting: [DuplicateWindow.Waiter: CheckedContinuation<DuplicateWindow.Arrival, Never>] = [:]
  }

  private let state: NIOLockedValueBox<State>
  private let clock = ContinuousClock()
  private let start = ContinuousClock.now

  init(_ window: DuplicateWindow) { self.state = NIOLockedValueBox(State(window: window)) }

  private var now: Duration { self.clock.now - self.start }

  var waitingCount: Int { self.state.withLockedValue { $0.waiting.count } }

  func arrives(_ key: MessageKey) -> DuplicateWindow.Arrival {
    let now = self.now
    return self.state.withLockedValue { $0.window.arrives(key, at: now) }
  }

  /// Waits for the one in its handler to end.
  ///
  /// - Returns: `handledBefore`, or `first` when it failed and this copy takes its place; `underWay` when it had not ended after
  ///   `limit`, or when the task was cancelled.
  func wait(for key: MessageKey, within limit: Duration) async -> DuplicateWindow.Arrival {
    let waiter = self.state.withLockedValue { state in
      state.lastWaiter += 1
      return state.lastWaiter
    }
    return await withTaskGroup(of: Void.self) { group in
      group.addTask {
        try? await self.clock.sleep(for: limit)
        self.leave(waiter, key)
      }
      let arrival = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let now = self.now
          let known: DuplicateWindow.Arrival? = self.state.withLockedValue { state in
            if Task.isCancelled { return .underWay }
            if let known = state.window.getInLine(waiter, for: key, at: now) { return known }
            state.waiting[waiter] = continuation
            return nil
          }
          if let known { continuation.resume(returning: known) }
        }
      } onCancel: {
        self.leave(waiter, key)
      }
      group.cancelAll()
      return arrival
    }
  }

  private func leave(_ waiter: DuplicateWindow.Waiter, _ key: MessageKey) {
    let continuation = self.state.withLockedValue { state in
      state.window.leaveLine(waiter, of: key) ? state.waiting.removeValue(forKey: waiter) : nil
    }
    continuation?.resume(returning: .underWay)
  }

  func handled(_ key: MessageKey) {
    let now = self.now
    let waiting = self.state.withLockedValue { state in
      state.window.handled(key, at: now).compactMap { state.waiting.removeValue(forKey: $0) }
    }
    for continuation in waiting { continuation.resume(returning: .handledBefore) }
  }

  func failed(_ key: MessageKey) {
    let next = self.state.withLockedValue { state in
      state.window.failed(key).flatMap { state.waiting.removeValue(forKey: $0) }
    }
    next?.resume(returning: .first)
  }
}
