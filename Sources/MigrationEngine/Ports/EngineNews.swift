// SPDX-License-Identifier: Apache-2.0

import Migration
import NIOConcurrencyHelpers

/// Lets others wait until something has happened, in place of asking again and again.
public final class EngineNews: EngineObserver {
  private struct State {
    var sequence: Int64 = 0
    var isOver = false
    var lastWaiter = 0
    var waiters: [Int: (after: Int64, continuation: CheckedContinuation<Void, Never>)] = [:]
  }

  private let state = NIOLockedValueBox(State())
  private let onNews: @Sendable () -> Void

  /// - Parameter onNews: called by the engine's loop when something has happened; must return at once.
  public init(onNews: @escaping @Sendable () -> Void = {}) { self.onNews = onNews }

  /// The last event there is.
  public var sequence: Int64 { self.state.withLockedValue { $0.sequence } }

  public func turned(_ turn: EngineTurn, state: MigrationState) {
    let (isNews, ready) = self.state.withLockedValue { state -> (Bool, [CheckedContinuation<Void, Never>]) in
      let isNews = turn.sequence != state.sequence || turn.isStopping != state.isOver
      state.sequence = turn.sequence
      state.isOver = turn.isStopping
      let ready = state.waiters.filter { $0.value.after < turn.sequence || turn.isStopping }
      for number in ready.keys { state.waiters[number] = nil }
      return (isNews, ready.map(\.value.continuation))
    }
    for continuation in ready { continuation.resume() }
    if isNews { self.onNews() }
  }

  /// Returns when there is an event after `sequence`, the engine stops, or the task is cancelled.
  public func wait(after sequence: Int64) async {
    let number = self.state.withLockedValue { state in
      state.lastWaiter += 1
      return state.lastWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = self.state.withLockedValue { state in
          if state.sequence > sequence || state.isOver || Task.isCancelled { return true }
          state.waiters[number] = (sequence, continuation)
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      self.state.withLockedValue { $0.waiters.removeValue(forKey: number)?.continuation }?.resume()
    }
  }

  /// As ``wait(after:)``, and no longer than `span`.
  public func wait(after sequence: Int64, within span: TimeSpan, clock: any MigrationClock) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.wait(after: sequence) }
      group.addTask { try? await clock.sleep(until: clock.now + span) }
      await group.next()
      group.cancelAll()
    }
  }
}
