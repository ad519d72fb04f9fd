// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// Lets many callers that want the same thing at once share one piece of work.
///
/// Each caller can be cancelled for itself and returns at once; the work goes on while anybody waits, and is cancelled when
/// nobody does. The work runs in a task of its own since it belongs to no single caller; it must end by itself (a deadline).
final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  typealias Work = @Sendable () async throws -> Value
  private typealias Waiter = CheckedContinuation<Value, any Error>

  private struct Flight {
    var id: Int
    var task: Task<Void, Never>?
    /// Nobody waits any more and its task is being cancelled: nobody new may join it.
    var abandoned = false
    var waiters: [Int: Waiter] = [:]
    /// Those who came while it ran and want work that starts after they came; they get the next flight.
    var next: [Int: Waiter] = [:]
    var nextWork: Work?
  }

  private struct State {
    var flights: [Key: Flight] = [:]
    var lastID = 0

    mutating func newID() -> Int {
      self.lastID += 1
      return self.lastID
    }
  }

  private let state = NIOLockedValueBox(State())
  /// Told how many wait for a key, after each that comes: lets a test wait for that without guessing.
  private let onWaiting: @Sendable (Int) -> Void

  init(onWaiting: @escaping @Sendable (Int) -> Void = { _ in }) { self.onWaiting = onWaiting }

  /// - Parameter joiningRunning: whether work that already runs serves this caller too; otherwise it waits for work that
  ///   starts after it came (and shares that with others who wait likewise).
  func value(for key: Key, joiningRunning: Bool, _ work: @escaping Work) async throws -> Value {
    let caller = self.state.withLockedValue { $0.newID() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { waiter in
        self.enter(key, caller: caller, waiter: waiter, joiningRunning: joiningRunning, work: work)
      }
    } onCancel: {
      self.leave(key, caller: caller)
    }
  }

  private func enter(_ key: Key, caller: Int, waiter: Waiter, joiningRunning: Bool, work: @escaping Work) {
    let started: Int? = self.state.withLockedValue { state in
      guard let flight = state.flights[key] else {
        let id = state.newID()
        state.flights[key] = Flight(id: id, waiters: [caller: waiter])
        return id
      }
      if joiningRunning, !flight.abandoned {
        state.flights[key]?.waiters[caller] = waiter
      } else {
        state.flights[key]?.next[caller] = waiter
        state.flights[key]?.nextWork = work
      }
      return nil
    }
    if let started { self.start(key, flight: started, work: work) }
    self.onWaiting(self.state.withLockedValue { ($0.flights[key]?.waiters.count ?? 0) + ($0.flights[key]?.next.count ?? 0) })
    // Cancelled before it was entered above: then `leave` found nobody. The flag was set before that, so it is seen here.
    if Task.isCancelled { self.leave(key, caller: caller) }
  }

  private func start(_ key: Key, flight: Int, work: @escaping Work) {
    let task = Task {
      let result: Result<Value, any Error>
      do { result = .success(try await work()) } catch { result = .failure(error) }
      self.land(key, flight: flight, result: result)
    }
    let abandoned = self.state.withLockedValue { state in
      guard let running = state.flights[key], running.id == flight else { return false }
      state.flights[key]?.task = task
      return running.abandoned
    }
    if abandoned { task.cancel() }
  }

  private func land(_ key: Key, flight: Int, result: Result<Value, any Error>) {
    let (waiters, next) = self.state.withLockedValue { state -> ([Waiter], (flight: Int, work: Work)?) in
      guard let landed = state.flights[key], landed.id == flight else { return ([], nil) }
      guard !landed.next.isEmpty, let work = landed.nextWork else {
        state.flights[key] = nil
        return (Array(landed.waiters.values), nil)
      }
      let id = state.newID()
      state.flights[key] = Flight(id: id, waiters: landed.next)
      return (Array(landed.waiters.values), (id, work))
    }
    for waiter in waiters { waiter.resume(with: result) }
    if let next { self.start(key, flight: next.flight, work: next.work) }
  }

  /// Idempotent; a caller that was served already is not there any more.
  private func leave(_ key: Key, caller: Int) {
    let (waiter, orphan) = self.state.withLockedValue { state -> (Waiter?, Task<Void, Never>?) in
      if let waiter = state.flights[key]?.next.removeValue(forKey: caller) { return (waiter, nil) }
      guard let waiter = state.flights[key]?.waiters.removeValue(forKey: caller) else { return (nil, nil) }
      guard let flight = state.flights[key], flight.waiters.isEmpty else { return (waiter, nil) }
      state.flights[key]?.abandoned = true
      return (waiter, flight.task)
    }
    waiter?.resume(throwing: CancellationError())
    orphan?.cancel()
  }
}
