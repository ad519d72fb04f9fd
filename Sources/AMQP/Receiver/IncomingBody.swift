// SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOConcurrencyHelpers

/// The bytes of a body as they come: filled by the event loop, never beyond its bound, and emptied by one reader.
final class IncomingBody: Sendable, Equatable {
  private struct State {
    var pieces: Deque<[UInt8]> = []
    var bytes = 0
    var waiter: CheckedContinuation<Result<[UInt8]?, AMQPError>, Never>?
    var ended: Result<Void, AMQPError>?
    var most = 0
  }

  /// The most bytes that wait to be read. What the peer sends beyond stays in the session's window, and then with the peer.
  static let bound = 256 << 10

  private let state = NIOLockedValueBox(State())

  static func == (lhs: IncomingBody, rhs: IncomingBody) -> Bool { lhs === rhs }

  var room: Int { self.state.withLockedValue { max(0, Self.bound - $0.bytes) } }
  /// The most bytes that ever waited.
  var most: Int { self.state.withLockedValue { $0.most } }

  func append(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    let waiter = self.state.withLockedValue { state -> CheckedContinuation<Result<[UInt8]?, AMQPError>, Never>? in
      guard state.ended == nil else { return nil }
      if let waiter = state.waiter {
        state.waiter = nil
        return waiter
      }
      state.pieces.append(bytes)
      state.bytes += bytes.count
      state.most = max(state.most, state.bytes)
      return nil
    }
    waiter?.resume(returning: .success(bytes))
  }

  /// No more comes: the body is whole, or something went wrong. A failure is told at once, whatever waits to be read.
  func end(_ result: Result<Void, AMQPError>) {
    let waiter = self.state.withLockedValue { state -> CheckedContinuation<Result<[UInt8]?, AMQPError>, Never>? in
      guard state.ended == nil else { return nil }
      state.ended = result
      if case .failure = result {
        state.pieces = []
        state.bytes = 0
      }
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(returning: result.map { nil })
  }

  /// The next piece; nil at the end of the body, or when the task is cancelled. One reader at a time: a second gets nil.
  func next() async -> Result<[UInt8]?, AMQPError> {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now = self.state.withLockedValue { state -> Result<[UInt8]?, AMQPError>? in
          if let piece = state.pieces.popFirst() {
            state.bytes -= piece.count
            return .success(piece)
          }
          if let ended = state.ended { return ended.map { nil } }
          if Task.isCancelled || state.waiter != nil { return .success(nil) }
          state.waiter = continuation
          return nil
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let waiter = self.state.withLockedValue { state in
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume(returning: .success(nil))
    }
  }
}
