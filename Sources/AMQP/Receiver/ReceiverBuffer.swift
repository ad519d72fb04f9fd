// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// What has arrived on a receiving link and no task has taken yet. Filled by the event loop, emptied a batch at a time.
final class ReceiverBuffer: Sendable {
  private struct State {
    var deliveries: [IncomingTransfer] = []
    var bytes = 0
    var waiters: [(number: UInt64, continuation: CheckedContinuation<Result<[IncomingTransfer]?, AMQPError>, Never>)] = []
    var lastWaiter: UInt64 = 0
    /// Nil while open; `.success` after a close from this side, `.failure` when the link was lost.
    var ended: Result<Void, AMQPError>?

    mutating func takeAll() -> [IncomingTransfer] {
      defer {
        self.deliveries = []
        self.bytes = 0
      }
      return self.deliveries
    }
  }

  private let state = NIOLockedValueBox(State())
  /// Which of the link's deliveries the peer has taken back.
  let withdrawn = WithdrawnDeliveries()

  /// What waits to be taken.
  var size: (count: Int, bytes: Int) { self.state.withLockedValue { ($0.deliveries.count, $0.bytes) } }

  var hasEnded: Bool { self.state.withLockedValue { $0.ended != nil } }

  /// Why the link was lost; nil while it is open, and after a close from this side.
  var lostBecause: AMQPError? {
    self.state.withLockedValue { state in
      if case .failure(let error)? = state.ended { error } else { nil }
    }
  }

  func append(_ deliveries: [IncomingTransfer]) {
    let waiter = self.state.withLockedValue {
      state -> (CheckedContinuation<Result<[IncomingTransfer]?, AMQPError>, Never>, [IncomingTransfer])? in
      if state.deliveries.isEmpty { state.deliveries = deliveries } else { state.deliveries += deliveries }
      state.bytes += deliveries.reduce(0) { $0 + $1.payload.count }
      guard !state.waiters.isEmpty else { return nil }
      let first = state.waiters.removeFirst()
      return (first.continuation, state.takeAll())
    }
    if let (continuation, batch) = waiter { continuation.resume(returning: .success(batch)) }
  }

  /// What no task has taken.
  func takeAll() -> [IncomingTransfer] { self.state.withLockedValue { $0.takeAll() } }

  /// Takes one out again, if no task has it.
  func remove(_ delivery: DeliveryID) -> Bool {
    self.state.withLockedValue { state in
      guard let index = state.deliveries.firstIndex(where: { $0.delivery == delivery }) else { return false }
      state.bytes -= state.deliveries.remove(at: index).payload.count
      return true
    }
  }

  /// Ends it. What no task has taken is returned, to be released.
  func end(_ result: Result<Void, AMQPError>) -> [IncomingTransfer] {
    let (waiters, left) = self.state.withLockedValue { state in
      guard state.ended == nil else {
        return ([], []) as ([CheckedContinuation<Result<[IncomingTransfer]?, AMQPError>, Never>], [IncomingTransfer])
      }
      state.ended = result
      defer { state.waiters = [] }
      return (state.waiters.map(\.continuation), state.takeAll())
    }
    self.withdrawn.end()
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
          if !state.deliveries.isEmpty { return .success(state.takeAll()) }
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
