// SPDX-License-Identifier: Apache-2.0

/// Something that one task at a time may have; the others wait, in the order in which they came.
actor Turn {
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// Runs `work` when nobody else has the turn. It always comes to that: whoever has it gives it back when its own work ends.
  func take<Value: Sendable>(_ work: @Sendable () async throws -> Value) async throws -> Value {
    if self.isTaken {
      await withCheckedContinuation { self.waiting.append($0) }
    } else {
      self.isTaken = true
    }
    defer { self.giveBack() }
    return try await work()
  }

  private func giveBack() {
    if self.waiting.isEmpty {
      self.isTaken = false
    } else {
      self.waiting.removeFirst().resume()
    }
  }
}
