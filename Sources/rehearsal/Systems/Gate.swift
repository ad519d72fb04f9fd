// SPDX-License-Identifier: Apache-2.0

/// Something that one task waits for and another lets happen, once.
final class Gate: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (self.stream, self.continuation) = AsyncStream.makeStream(of: Void.self) }

  func open() { self.continuation.finish() }

  /// Returns when it is open, or when the task is cancelled.
  func wait() async { for await _ in self.stream {} }
}
