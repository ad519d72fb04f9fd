// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Runs tasks on an event loop, between what comes from its sockets.
///
/// A forwarder's task wakes for every read of either socket. On the loop of both it does so without a second thread being woken, and finds
/// what it works on in the same core's cache.
final class LoopExecutor: TaskExecutor {
  private let eventLoop: any EventLoop

  init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    self.eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
