// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// How many handlers may be at work at once. Those who wait get their slot in the order in which they came.
final class HandlerSlots: Sendable {
  private struct State {
    var free: Int
    var lastWaiter: UInt64 = 0
    var waiting: [(number: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
  }

  private let state: NIOLockedValueBox<State>

  init(_ count: Int) { self.state = NIOLockedValueBox(State(free: count)) }

  var waitingCount: Int { self.state.withLockedValue { $0.waiting.count } }

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
    let number = self.state.withLockedValue { state in
      state.lastWaiter += 1
      return state.lastWaiter
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now: Bool? = self.state.withLockedValue { state in
          if Task.isCancelled { return false }
          if state.free > 0 {
            state.free -= 1
            return true
          }
          state.waiting.append((number, continuation))
          return nil
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let waiter = self.state.withLockedValue { state in
        state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0).continuation }
      }
      waiter?.resume(returning: false)
    }
  }

  func giveBack() {
    let waiter = self.state.withLockedValue { state -> CheckedContinuation<Bool, Never>? in
      guard !state.waiting.isEmpty else {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst().continuation
    }
    waiter?.resume(returning: true)
  }
}

/// One delivery's place among the handlers: held or not. Used by one task at a time.
final class HandlerPlace: Sendable {
  private let slots: HandlerSlots
  private let held: NIOLockedValueBox<Bool>

  init(_ slots: HandlerSlots, isHeld: Bool) {
    self.slots = slots
    self.held = NIOLockedValueBox(isHeld)
  }

  var isHeld: Bool { self.held.withLockedValue { $0 } }

  /// Waits for a place unless there is one.
  ///
  /// - Returns: false when the task was cancelled first.
  func take() async -> Bool {
    if self.isHeld { return true }
    guard await self.slots.take() else { return false }
    self.held.withLockedValue { $0 = true }
    return true
  }

  func giveBack() {
    let wasHeld = self.held.withLockedValue { held in
      defer { held = false }
      return held
    }
    if wasHeld { self.slots.giveBack() }
  }
}
