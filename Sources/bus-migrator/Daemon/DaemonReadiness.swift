// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// Whether the daemon is ready: its history is recovered and its socket takes connections. Told once, when both are true.
final class DaemonReadiness: Sendable {
  private struct State {
    var isRecovered = false
    var isListening = false
    var isStopping = false
    var lastWait = 0
    var waits: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  private let state = NIOLockedValueBox(State())
  private let onReady: @Sendable () -> Void

  init(onReady: @escaping @Sendable () -> Void) { self.onReady = onReady }

  /// Whether the history is recovered: what the engine says of puljer before that is nothing.
  var isRecovered: Bool { self.state.withLockedValue { $0.isRecovered } }
  var isReady: Bool { self.state.withLockedValue { $0.isRecovered && $0.isListening && !$0.isStopping } }

  /// Waits for the history to be recovered.
  ///
  /// - Returns: whether it is; also when the wait was over, or cancelled, before it was.
  func isRecovered(within limit: Duration) async -> Bool {
    if self.isRecovered { return true }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.recovery() }
      group.addTask { try? await Task.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
    return self.isRecovered
  }

  private func recovery() async {
    let number = self.state.withLockedValue { state in
      state.lastWait += 1
      return state.lastWait
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = self.state.withLockedValue { state in
          if state.isRecovered || Task.isCancelled { return true }
          state.waits[number] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      self.state.withLockedValue { $0.waits.removeValue(forKey: number) }?.resume()
    }
  }

  func recovered() {
    self.change { $0.isRecovered = true }
    let waits = self.state.withLockedValue { state in
      defer { state.waits = [:] }
      return state.waits.values
    }
    for wait in waits { wait.resume() }
  }

  func listens() { self.change { $0.isListening = true } }
  func stopping() { self.state.withLockedValue { $0.isStopping = true } }

  private func change(_ body: (inout State) -> Void) {
    let becameReady = self.state.withLockedValue { state in
      let was = state.isRecovered && state.isListening
      body(&state)
      return !was && state.isRecovered && state.isListening
    }
    if becameReady { self.onReady() }
  }
}
