// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Ends a writing that is under way on a queue of its own, where a task's cancellation is not felt.
final class WriteStop: Sendable {
  private let isAsked = Atomic<Bool>(false)

  func ask() { self.isAsked.store(true, ordering: .releasing) }

  /// - Throws: `CancellationError` once it was asked for.
  func check() throws {
    if self.isAsked.load(ordering: .acquiring) { throw CancellationError() }
  }
}
