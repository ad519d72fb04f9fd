// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation

/// An executor of one thread, for tasks that block it: they then block all Swift code of those who run on it, as in a program
/// in which every cooperative thread is blocked, and nobody else's.
final class OneThread: TaskExecutor {
  private let queue = DispatchQueue(label: "one thread")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    self.queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }

  /// What a handler must not do, and some do.
  static func block(for duration: Duration) { Thread.sleep(forTimeInterval: duration / .seconds(1)) }
}
