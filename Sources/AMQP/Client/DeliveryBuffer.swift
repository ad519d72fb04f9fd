// SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOConcurrencyHelpers

/// What has come and nobody has taken yet, over all generations of a receiving link. Bounded by the link's window.
final class DeliveryBuffer<Element: Sendable>: Sendable {
  private typealias Waiter = (number: UInt64, most: Int, continuation: CheckedContinuation<Result<[Element]?, AMQPError>, Never>)

  private struct State {
    var elements: Deque<Element> = []
    var waiters: Deque<Waiter> = []
    var lastWaiter: UInt64 = 0
    var ended: Result<Void, AMQPError>?

    mutating func take(_ most: Int) -> [Element] {
      defer { self.elements.removeFirst(min(most, self.elements.count)) }
      return Array(self.elements.prefix(most))
    }
  }

  private let state = NIOLockedValueBox(State())

  var count: Int { self.state.withLockedValue { $0.elements.count } }

  func append(_ added: [Element]) {
    let served = self.state.withLockedValue { state in
      state.elements.append(contentsOf: added)
      var served: [(Waiter, [Element])] = []
      while !state.elements.isEmpty, let waiter = state.waiters.popFirst() { served.append((waiter, state.take(waiter.most))) }
      return served
    }
    for (waiter, elements) in served { waiter.continuation.resume(returning: .success(elements)) }
  }

  /// Takes back what nobody has taken.
  func removeAll() -> [Element] {
    self.state.withLockedValue { state in
      defer { state.elements = [] }
      return Array(state.elements)
    }
  }

  /// Nothing more is taken from it; what is there stays, for ``removeAll()``. The first end counts.
  func end(_ result: Result<Void, AMQPError>) {
    let waiters = self.state.withLockedValue { state in
      if state.ended == nil { state.ended = result }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.continuation.resume(returning: result.map { nil }) }
  }

  /// At least one element and at most `most`; waits when there is none.
  ///
  /// - Returns: nil after an end without an error, or when the calling task is cancelled: nothing is taken then.
  func next(atMost most: Int) async -> Result<[Element]?, AMQPError> {
    let number = self.state.withLockedValue { state in
      state.lastWaiter += 1
      return state.lastWaiter
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now = self.state.withLockedValue { state -> Result<[Element]?, AMQPError>? in
          if Task.isCancelled { return .success(nil) }
          if let ended = state.ended { return ended.map { nil } }
          if !state.elements.isEmpty { return .success(state.take(most)) }
          state.waiters.append((number, most, continuation))
          return nil
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let waiter = self.state.withLockedValue { state in
        state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
      }
      waiter?.continuation.resume(returning: .success(nil))
    }
  }
}
