// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// The bytes of a body on their way from the task that has them to the event loop: one piece at a time, so that the task
/// waits while the connection takes no more.
final class OutgoingBody: Sendable {
  enum Part: Sendable {
    case piece(ArraySlice<UInt8>)
    /// Nothing yet.
    case waiting
    case finished
    /// The source failed, or gave another number of bytes than promised.
    case failed(AMQPError)
  }

  private struct State {
    var piece: [UInt8]?
    var writer: CheckedContinuation<Bool, Never>?
    var ending: Result<Void, AMQPError>?
    var isClosed = false
  }

  private let state = NIOLockedValueBox(State())

  /// Hands a piece over, and waits until the event loop has taken it.
  ///
  /// - Parameter wake: called when the piece is there to be taken.
  /// - Returns: false when nobody takes any more: the send has ended. A send always ends, at its deadline at the latest.
  func write(_ bytes: [UInt8], wake: () -> Void) async -> Bool {
    await withCheckedContinuation { continuation in
      let isClosed = self.state.withLockedValue { state in
        guard !state.isClosed else { return true }
        state.piece = bytes
        state.writer = continuation
        return false
      }
      if isClosed { continuation.resume(returning: false) } else { wake() }
    }
  }

  func finish(_ ending: Result<Void, AMQPError>) { self.state.withLockedValue { $0.ending = ending } }

  /// What is next, on the event loop.
  func take() -> Part {
    let (part, writer) = self.state.withLockedValue { state -> (Part, CheckedContinuation<Bool, Never>?) in
      if let piece = state.piece {
        defer {
          state.piece = nil
          state.writer = nil
        }
        return (.piece(piece[...]), state.writer)
      }
      switch state.ending {
      case nil: return (.waiting, nil)
      case .success?: return (.finished, nil)
      case .failure(let error)?: return (.failed(error), nil)
      }
    }
    writer?.resume(returning: true)
    return part
  }

  /// The send has ended: nothing is taken any more.
  func close() {
    let writer = self.state.withLockedValue { state in
      state.isClosed = true
      state.piece = nil
      defer { state.writer = nil }
      return state.writer
    }
    writer?.resume(returning: false)
  }
}
