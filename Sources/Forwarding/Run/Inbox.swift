// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// What comes from many sides for one task, taken together: as many as there are with one waking.
final class Inbox<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element] = []
    var waiter: CheckedContinuation<[Element], Never>?
  }

  private let state = NIOLockedValueBox(State())

  func put(_ element: Element) {
    let waiting = self.state.withLockedValue { state -> (CheckedContinuation<[Element], Never>, [Element])? in
      state.elements.append(element)
      guard let waiter = state.waiter else { return nil }
      state.waiter = nil
      defer { state.elements = [] }
      return (waiter, state.elements)
    }
    if let (waiter, elements) = waiting { waiter.resume(returning: elements) }
  }

  /// All that has come, if anything.
  func takeNow() -> [Element] {
    self.state.withLockedValue { state in
      defer { state.elements = [] }
      return state.elements
    }
  }

  /// All that has come, at least one. One task only may wait. Not ended by a cancellation: who cancels puts something in.
  func take() async -> [Element] {
    await withCheckedContinuation { continuation in
      let now = self.state.withLockedValue { state -> [Element]? in
        guard state.elements.isEmpty else {
          defer { state.elements = [] }
          return state.elements
        }
        state.waiter = continuation
        return nil
      }
      if let now { continuation.resume(returning: now) }
    }
  }
}
