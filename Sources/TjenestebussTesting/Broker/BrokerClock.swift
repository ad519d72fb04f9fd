// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import Foundation
import NIOCore
import NIOPosix

/// What time it is for a broker, and how it is woken.
public protocol BrokerClock: Sendable {
  /// Milliseconds since 1970.
  var milliseconds: Int64 { get }
  /// Calls `work` once, on any thread, when that time has come.
  ///
  /// - Returns: what cancels it; harmless when it has been called already.
  func wake(at milliseconds: Int64, _ work: @escaping @Sendable () -> Void) -> @Sendable () -> Void
}

/// The machine's own clock.
public struct SystemBrokerClock: BrokerClock {
  public init() {}

  public var milliseconds: Int64 {
    Int64(Date().timeIntervalSince1970 * 1_000)
  }

  public func wake(at milliseconds: Int64, _ work: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
    let delay = max(0, milliseconds - self.milliseconds)
    let timer = MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: .milliseconds(delay), work)
    return { timer.cancel() }
  }
}

/// A clock that stands still until it is moved.
public final class ManualBrokerClock: BrokerClock {
  private struct State {
    var now: Int64
    var lastNumber = 0
    var alarms: [Int: (at: Int64, work: @Sendable () -> Void)] = [:]
  }

  private let state: NIOLockedValueBox<State>

  /// - Parameter milliseconds: since 1970; by default a day in 2026.
  public init(milliseconds: Int64 = 1_790_000_000_000) { self.state = NIOLockedValueBox(State(now: milliseconds)) }

  public var milliseconds: Int64 { self.state.withLockedValue { $0.now } }

  public func wake(at milliseconds: Int64, _ work: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
    let number: Int? = self.state.withLockedValue { state in
      guard milliseconds > state.now else { return nil }
      state.lastNumber += 1
      state.alarms[state.lastNumber] = (milliseconds, work)
      return state.lastNumber
    }
    guard let number else {
      work()
      return {}
    }
    return { self.state.withLockedValue { $0.alarms[number] = nil } }
  }

  /// Moves the time on and wakes whoever waited for it, earliest first.
  public func advance(by duration: Duration) {
    let due = self.state.withLockedValue { state in
      state.now += Int64(duration / .milliseconds(1))
      let now = state.now
      let due = state.alarms.filter { $0.value.at <= now }
      for number in due.keys { state.alarms[number] = nil }
      return due.values.sorted { $0.at < $1.at }.map(\.work)
    }
    for work in due { work() }
  }
}
