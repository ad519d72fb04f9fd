// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// What has arrived on a receiving link and no task has taken yet. Filled by the event loop, emptied a batch at a time.
final class ReceiverBuffer: Sendable {
  private struct State {
    var deliveries: [IncomingTransfer] = []
    var waiters: [(number: UInt64, continuation: CheckedContinuation<Result<[IncomingTransfer]?, AMQPError>, Never>)] = []
    var lastWaiter: UInt64 = 0
    /// Nil while open; `.success` after a close from this side, `.failure` when the link was lost.
    var ended: Result<Void, AMQPError>?
  }

  private let state = NIOLockedValueBox(State())

  var hasEnded: Bool { self.state.withLockedValue { $0.ended != nil } }

  func append(_ delivery: IncomingTransfer) {
    let waiter = self.state.withLockedValue {
      state -> (CheckedContinuation<Result<[IncomingTransfer]?, AMQPError>, Never>, [IncomingTransfer])? in
      state.deliveries.append(delivery)
      guard !state.waiters.isEmpty else { return nil }
      let first = state.waiters.removeFirst()
      defer { state.deliveries = [] }
      return (first.continuation, state.deliveries)
    }
    if let (continuation, batch) = waiter { continuation.resume(returning: .success(batch)) }
  }

  /// Ends it. What no task has taken is returned, to be released.
  func end(_ result: Result<Void, AMQPError>) -> [IncomingTransfer] {
    let (waiters, left) = self.state.withLockedValue { state in
      guard state.ended == nil else {
        return ([], []) as ([CheckedContinuation<Result<[IncomingTransfer]?, AMQPError>, Never>], [IncomingTransfer])
      }
      state.ended = result
      defer {
        state.waiters = []
        state.deliveries = []
      }
      return (state.waiters.map(\.continuation), state.deliveries)
    }
    for waiter in waiters { waiter.resume(returning: result.map { nil }) }
    return left
  }

  /// Everything that has arrived; waits when there is nothing. Nil after a close from this side, or when the task is cancelled.
  func nextBatch() async -> Result<[IncomingTransfer]?, AMQPError> {
    let number = self.state.withLockedValue { state in
      state.lastWaiter += 1
      return state.lastWaiter
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now = self.state.withLockedValue { state -> Result<[IncomingTransfer]?, AMQPError>? in
          if !state.deliveries.isEmpty {
            defer { state.deliveries = [] }
            return .success(state.deliveries)
          }
          if let ended = state.ended { return ended.map { nil } }
          if Task.isCancelled { return .success(nil) }
          state.waiters.append((number, continuation))
          return nil
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let continuation = self.state.withLockedValue { state in
        state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0).continuation }
      }
      continuation?.resume(returning: .success(nil))
    }
  }
}
