// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// How many calls are under way, and whether new ones may begin: so that leaving can wait for the last.
final class WorkUnderWay: Sendable {
  private struct State {
    var count = 0
    var isClosed = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = NIOLockedValueBox(State())

  /// - Returns: false after ``close()``.
  func begin() -> Bool {
    self.state.withLockedValue { state in
      guard !state.isClosed else { return false }
      state.count += 1
      return true
    }
  }

  func end() {
    let waiter = self.state.withLockedValue { state -> CheckedContinuation<Void, Never>? in
      state.count -= 1
      guard state.isClosed, state.count == 0 else { return nil }
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// No new calls from now on.
  func close() { self.state.withLockedValue { $0.isClosed = true } }

  /// Returns when the last call has ended, after `limit`, or when the calling task is cancelled. For one task, after
  /// ``close()``.
  func waitForTheLast(within limit: Duration) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.waitForTheLast() }
      group.addTask { try? await ContinuousClock().sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
  }

  private func waitForTheLast() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = self.state.withLockedValue { state in
          if state.count == 0 || Task.isCancelled { return true }
          state.waiter = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      let waiter = self.state.withLockedValue { state in
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume()
    }
  }
}
