// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix

/// What time it is for a broker, and how it is woken. ``VirtualClock`` is one that tests move.
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
