// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// Keeps deadlines on an event loop: a timer there costs far less than a sleeping task.
struct DeadlineKeeper: Sendable {
  private let eventLoop: any EventLoop

  init(_ group: (any EventLoopGroup)?) { self.eventLoop = (group ?? NIOSingletons.posixEventLoopGroup).any() }

  func after(_ delay: Duration, _ work: @escaping @Sendable () -> Void) -> Scheduled<Void> {
    self.eventLoop.scheduleTask(in: TimeAmount(max(delay, .zero)), work)
  }

  /// The value of `shot`, or the error that `late` makes at the deadline.
  ///
  /// - Parameter deadline: nil for none.
  func wait<Value: Sendable>(
    for shot: OneShot<Result<Value, AMQPError>>, until deadline: ContinuousClock.Instant?, cancelled: AMQPError,
    late: @escaping @Sendable () -> AMQPError
  ) async throws(AMQPError) -> Value {
    if let now = shot.current { return try now.get() }
    let timer = deadline.map { deadline in
      self.after(deadline - .now) { if shot.current == nil { shot.fulfil(.failure(late())) } }
    }
    defer { timer?.cancel() }
    do {
      return try await shot.wait().get()
    } catch let error as AMQPError {
      throw error
    } catch {
      throw cancelled
    }
  }
}
