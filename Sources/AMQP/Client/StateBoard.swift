// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOConcurrencyHelpers

/// Where connections and links of a client write down how they are, and others read it.
final class StateBoard: Sendable {
  private struct State {
    var history = StateHistory()
    var observers: [UInt64: AsyncStream<AMQPClientState>.Continuation] = [:]
    var lastObserver: UInt64 = 0
    var hasEnded = false
  }

  private let endpoints: String
  private let logger: Logger
  private let state = NIOLockedValueBox(State())

  init(endpoints: String, logger: Logger) {
    self.endpoints = endpoints
    self.logger = logger
  }

  func set(_ state: AMQPClientState) {
    // Yielding under the lock keeps the order of changes; a continuation's yield calls nothing of ours.
    let isNews = self.state.withLockedValue { board in
      guard board.history.note(state) else { return false }
      for observer in board.observers.values { observer.yield(state) }
      return true
    }
    if isNews { self.log(state) }
  }

  var current: [AMQPClientState] {
    self.state.withLockedValue { $0.history.current.values.sorted { "\($0.subject)" < "\($1.subject)" } }
  }

  func current(_ subject: AMQPClientState.Subject) -> AMQPClientState? {
    self.state.withLockedValue { $0.history.current[subject] }
  }

  /// Every state now, and every change that is news. Ends with the client; a slow reader gets the newest 256.
  var states: AsyncStream<AMQPClientState> {
    let (stream, continuation) = AsyncStream.makeStream(of: AMQPClientState.self, bufferingPolicy: .bufferingNewest(256))
    let id = self.state.withLockedValue { board in
      board.lastObserver += 1
      for state in board.history.current.values { continuation.yield(state) }
      if board.hasEnded { continuation.finish() } else { board.observers[board.lastObserver] = continuation }
      return board.lastObserver
    }
    continuation.onTermination = { [weak self] _ in _ = self?.state.withLockedValue { $0.observers.removeValue(forKey: id) } }
    return stream
  }

  func end() {
    let observers = self.state.withLockedValue { board in
      board.hasEnded = true
      defer { board.observers = [:] }
      return board.observers
    }
    for observer in observers.values { observer.finish() }
  }

  private func log(_ state: AMQPClientState) {
    var metadata: Logger.Metadata = [
      LogKey.endpoint.rawValue: "\(self.endpoints)", LogKey.attempt.rawValue: "\(state.attempt)",
      LogKey.address.rawValue: "\(state.subject)",
    ]
    if let cause = state.cause {
      metadata[LogKey.error.rawValue] = "\(cause.stableCode) \(cause.condition?.name ?? "")"
    }
    if let wait = state.nextAttemptIn { metadata[LogKey.waitMilliseconds.rawValue] = "\(wait.milliseconds)" }
    switch state.phase {
    case .connecting: self.logger.log(level: state.cause == nil ? .debug : .info, "connecting", metadata: metadata)
    case .open: self.logger.debug("open", metadata: metadata)
    case .waiting: self.logger.notice("lost or refused; trying again", metadata: metadata)
    case .ended:
      let isFault = state.cause.map { $0.code != .clientStopped && $0.code != .cancelled } ?? false
      self.logger.log(level: isFault ? .error : .debug, "ended", metadata: metadata)
    }
  }
}
