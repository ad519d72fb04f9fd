// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Testing

/// Runs a test on a thread of its own, away from the pool.
///
/// The pool has a thread for each core. A test that computes for half a second between two awaits keeps everybody else's tasks waiting for as
/// long, and ten of them beside each other kept tests that talk to a broker waiting for a minute and a half: for each of the many turns that
/// one answer needs. With this trait those who compute stand in a line of their own. Such a suite is `.serialized` as well, or its
/// cases take all the places that tests may run in while they stand in that line.
public struct ComputingTrait: SuiteTrait, TestTrait, TestScoping {
  public var isRecursive: Bool { true }

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(ComputingThread.shared) { try await function() }
  }
}

extension Trait where Self == ComputingTrait {
  /// For tests that compute and wait for nobody.
  public static var computing: Self { Self() }
}

private final class ComputingThread: TaskExecutor {
  static let shared = ComputingThread()

  private let queue = DispatchQueue(label: "tests that compute")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    self.queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
