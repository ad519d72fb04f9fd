// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Many questions to the register, so many at a time: each lane asks one, reads the answer, and takes the next of the list.
///
/// A lane stays on one event loop, where the HTTP client's connections are served too. So an answer is read on the thread
/// that received it, and the next question leaves from there: no thread has to be woken for either, which would take longer than
/// reading the answer.
enum QuestionLanes {
  /// - Parameters:
  ///   - concurrency: how many lanes; less than 1 counts as 1.
  ///   - ask: gets the item and its place in the list, counted from 1. Must not block: other lanes share the event loop.
  /// - Throws: the first error of `ask`, after all lanes have ended; what has not been asked by then is not asked any more.
  ///   `CancellationError`.
  static func forEach<Item: Sendable>(
    _ items: [Item], concurrency: Int, _ ask: @escaping @Sendable (Item, _ place: Int) async throws -> Void
  ) async throws {
    let begun = NIOLockedValueBox(0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<min(max(concurrency, 1), items.count) {
        group.addTask(executorPreference: EventLoopExecutor(MultiThreadedEventLoopGroup.singleton.next())) {
          while true {
            let place = begun.withLockedValue { begun in
              begun += 1
              return begun
            }
            guard place <= items.count else { return }
            try Task.checkCancellation()
            try await ask(items[place - 1], place)
          }
        }
      }
      // The first that fails leaves this body, which gives up the others.
      while try await group.next() != nil {}
    }
  }

  /// Runs tasks on one event loop.
  private final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
      self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      self.loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
  }
}
