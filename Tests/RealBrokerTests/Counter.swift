// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers

/// Counts, and lets others wait until it has come so far.
final class Counter: Sendable {
  private struct State {
    var value = 0
    var waiters: [(count: Int, reached: OneShot<Void>)] = []
  }

  private let state = NIOLockedValueBox(State())

  var value: Int { self.state.withLockedValue { $0.value } }

  /// - Returns: how many it is now.
  @discardableResult
  func add() -> Int {
    let (value, reached) = self.state.withLockedValue { state in
      state.value += 1
      let reached = state.waiters.filter { $0.count <= state.value }.map(\.reached)
      state.waiters.removeAll { $0.count <= state.value }
      return (state.value, reached)
    }
    for waiter in reached { waiter.fulfil(()) }
    return value
  }

  /// - Throws: `CancellationError`.
  func wait(for count: Int) async throws {
    let reached = OneShot<Void>()
    self.state.withLockedValue { state in
      if state.value >= count { reached.fulfil(()) } else { state.waiters.append((count, reached)) }
    }
    try await reached.wait()
  }
}
