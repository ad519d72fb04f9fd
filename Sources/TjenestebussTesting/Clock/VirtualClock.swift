// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers

/// A clock that stands still until a test moves it: for `Task.sleep(for:clock:)`, for code that takes a `Clock`, and as the
/// ``InMemoryBroker``'s own time.
///
/// Sleepers wake in the order of their deadlines, those of one deadline in the order in which they lay down; nothing wakes by
/// itself. Waiting for a sleeper to lie down is ``waitForSleepers(_:)``, so a test needs neither real time nor luck:
///
/// ```swift
/// let clock = VirtualClock()
/// async let rung: Void = clock.sleep(for: .seconds(300))
/// try await clock.waitForSleepers(1)
/// clock.advance(by: .seconds(300))
/// try await rung
/// ```
public final class VirtualClock: Clock, BrokerClock {
  /// A time since the clock was made.
  public struct Instant: InstantProtocol, CustomStringConvertible {
    public let offset: Duration

    public init(offset: Duration) { self.offset = offset }

    public func advanced(by duration: Duration) -> Instant { Instant(offset: self.offset + duration) }
    public func duration(to other: Instant) -> Duration { other.offset - self.offset }
    public static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.offset < rhs.offset }
    public var description: String { "\(self.offset)" }
  }

  private struct Sleeper {
    let number: Int
    let deadline: Instant
    let wake: @Sendable () -> Void
  }

  private struct State {
    var now = Instant(offset: .zero)
    var lastNumber = 0
    var sleepers: [Sleeper] = []
    var continuations: [Int: CheckedContinuation<Void, any Error>] = [:]
    var watchers: [(count: Int, met: OneShotBox)] = []
  }

  private let state = NIOLockedValueBox(State())
  private let start: Int64

  /// - Parameter milliseconds: what time it is at the beginning, in milliseconds since 1970; by default a day in 2026.
  public init(milliseconds: Int64 = 1_790_000_000_000) { self.start = milliseconds }

  public var now: Instant { self.state.withLockedValue { $0.now } }
  public var minimumResolution: Duration { .nanoseconds(1) }

  /// Milliseconds since 1970.
  public var milliseconds: Int64 { self.start + Int64(self.now.offset / .milliseconds(1)) }

  /// How many sleep now.
  public var sleeperCount: Int { self.state.withLockedValue { $0.sleepers.count } }

  /// When the next one wakes; nil when none sleeps.
  public var nextDeadline: Instant? { self.state.withLockedValue { $0.sleepers.map(\.deadline).min() } }

  // MARK: Sleeping

  /// Sleeps until a test has moved the clock there. A deadline that has passed already returns at once.
  ///
  /// - Throws: `CancellationError` when the task is cancelled first.
  public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    let number = self.state.withLockedValue { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (now, met) = self.state.withLockedValue { state -> (Result<Void, any Error>?, [OneShotBox]) in
          // Cancelled before this lock was taken: the handler below has found no continuation.
          if Task.isCancelled { return (.failure(CancellationError()), []) }
          if deadline <= state.now { return (.success(()), []) }
          state.continuations[number] = continuation
          state.sleepers.append(Sleeper(number: number, deadline: deadline) { [weak self] in self?.end(number, .success(())) })
          return (nil, VirtualClock.met(&state))
        }
        for one in met { one.shot.fulfil(()) }
        if let now { continuation.resume(with: now) }
      }
    } onCancel: {
      self.state.withLockedValue { $0.sleepers.removeAll { $0.number == number } }
      self.end(number, .failure(CancellationError()))
    }
  }

  private func end(_ number: Int, _ result: Result<Void, any Error>) {
    self.state.withLockedValue { $0.continuations.removeValue(forKey: number) }?.resume(with: result)
  }

  /// Calls `work` once when that time has come, as ``BrokerClock`` has it; at once when it has passed.
  public func wake(at milliseconds: Int64, _ work: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
    let deadline = Instant(offset: .milliseconds(milliseconds - self.start))
    let (number, met) = self.state.withLockedValue { state -> (Int?, [OneShotBox]) in
      guard deadline > state.now else { return (nil, []) }
      state.lastNumber += 1
      state.sleepers.append(Sleeper(number: state.lastNumber, deadline: deadline, wake: work))
      return (state.lastNumber, VirtualClock.met(&state))
    }
    for one in met { one.shot.fulfil(()) }
    guard let number else {
      work()
      return {}
    }
    return { self.state.withLockedValue { $0.sleepers.removeAll { $0.number == number } } }
  }

  // MARK: Moving the time

  /// Moves the time on and wakes whoever waited for it, earliest first.
  ///
  /// A task that wakes runs when the scheduler lets it; one that lies down again for a time that has passed does not sleep.
  public func advance(by duration: Duration) { self.advance(to: self.now.advanced(by: duration)) }

  /// Moves the time on to this instant; never back.
  public func advance(to instant: Instant) {
    while let sleeper = self.takeNext(until: instant) { sleeper.wake() }
    self.state.withLockedValue { $0.now = max($0.now, instant) }
  }

  /// Moves the time on to the next deadline and wakes those that have it. - Returns: false when nobody sleeps.
  @discardableResult
  public func advanceToNext() -> Bool {
    guard let next = self.nextDeadline else { return false }
    self.advance(to: next)
    return true
  }

  /// One at a time, with the time at its deadline: what it does then sees the time it waited for.
  private func takeNext(until instant: Instant) -> Sleeper? {
    self.state.withLockedValue { state in
      let due = state.sleepers.indices.filter { state.sleepers[$0].deadline <= instant }
      let first = due.min {
        (state.sleepers[$0].deadline, state.sleepers[$0].number) < (state.sleepers[$1].deadline, state.sleepers[$1].number)
      }
      guard let first else { return nil }
      let sleeper = state.sleepers.remove(at: first)
      state.now = max(state.now, sleeper.deadline)
      return sleeper
    }
  }

  /// Waits until at least so many sleep.
  ///
  /// - Throws: `CancellationError`.
  public func waitForSleepers(_ count: Int) async throws {
    let box = OneShotBox()
    let isMet = self.state.withLockedValue { state in
      if state.sleepers.count >= count { return true }
      state.watchers.append((count, box))
      return false
    }
    if isMet { return }
    do {
      try await box.shot.wait()
    } catch {
      self.state.withLockedValue { $0.watchers.removeAll { $0.met === box } }
      throw error
    }
  }

  private static func met(_ state: inout State) -> [OneShotBox] {
    let count = state.sleepers.count
    let met = state.watchers.filter { $0.count <= count }
    state.watchers.removeAll { $0.count <= count }
    return met.map(\.met)
  }
}

private final class OneShotBox: Sendable {
  let shot = OneShot<Void>()
}
