// SPDX-License-Identifier: Apache-2.0

import AMQP

/// Lets so many in at once.
actor Turnstile {
  private var free: Int
  private var waiting: [OneShot<Void>] = []

  init(_ count: Int) { self.free = count }

  func pass<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    if self.free > 0 {
      self.free -= 1
    } else {
      let turn = OneShot<Void>()
      self.waiting.append(turn)
      // Not cancelled by anyone here; if it were, the place that comes later is handed on below.
      try await turn.wait()
    }
    defer { self.leave() }
    return try await body()
  }

  private func leave() {
    if self.waiting.isEmpty { self.free += 1 } else { self.waiting.removeFirst().fulfil(()) }
  }
}
