// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// An event loop of its own, and the gate to it: work of other threads, such as a clock's, comes in until it is shut down. From then
/// on it is dropped: nobody is left whom it could concern, and NIO complains of work for a loop that is no more.
final class LoopGate: Sendable {
  struct Closed: Error {}

  private enum State { case open, stopping, closed }

  let eventLoop: any EventLoop
  private let group: MultiThreadedEventLoopGroup
  private let state = NIOLockedValueBox(State.open)
  private let isShutDown = OneShot<Void>()

  init() {
    self.group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    self.eventLoop = self.group.next()
  }

  /// Runs `work` on the loop, unless that is closed.
  func execute(_ work: @escaping @Sendable () -> Void) {
    // Under the lock: between a look and the call the loop might go.
    self.state.withLockedValue { if $0 != .closed { self.eventLoop.execute(work) } }
  }

  /// The result of `work` on the loop.
  ///
  /// - Throws: what `work` throws; ``Closed``.
  func submit<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
    let future = self.state.withLockedValue { $0 != .closed ? self.eventLoop.submit(work) : nil }
    guard let future else { throw Closed() }
    return try await future.get()
  }

  /// Calls `work` on the loop after a while, unless that is closed by then.
  ///
  /// - Returns: what cancels it.
  func after(_ delay: Duration, _ work: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
    let timer = self.state.withLockedValue {
      $0 != .closed ? self.eventLoop.scheduleTask(in: TimeAmount(delay), work) : nil
    }
    // A timer that is cancelled makes work for its loop too.
    return { self.state.withLockedValue { if $0 != .closed { timer?.cancel() } } }
  }

  /// Runs `lastWork` while the loop still takes work, then closes what is left of its channels, and ends it. A second call waits for
  /// the end of the first.
  func shutDown(_ lastWork: () async -> Void = {}) async {
    let isFirst = self.state.withLockedValue { state in
      guard state == .open else { return false }
      state = .stopping
      return true
    }
    guard isFirst else { return await self.isShutDown.uncancelledValue() }
    await lastWork()
    self.state.withLockedValue { $0 = .closed }
    try? await self.group.shutdownGracefully()
    self.isShutDown.fulfil(())
  }
}
