// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import Testing

@testable import AddressRegistry

@Suite("Many questions, so many at a time", .timeLimit(.minutes(10)))
struct QuestionLanesTests {
  private struct Refused: Error {}

  /// A question that is not answered before somebody gives up on it.
  private static func unanswered() async throws { try await Task.sleep(for: .seconds(86_400)) }

  @Test("each is asked once, with its place in the list, however few or many lanes there are", arguments: [-1, 1, 3, 16, 500])
  func each(concurrency: Int) async throws {
    let asked = NIOLockedValueBox<[Int: String]>([:])
    let items = (1...100).map { "item \($0)" }
    try await QuestionLanes.forEach(items, concurrency: concurrency) { item, place in
      asked.withLockedValue { #expect($0.updateValue(item, forKey: place) == nil) }
    }
    #expect(asked.withLockedValue { $0 } == Dictionary(uniqueKeysWithValues: (1...100).map { ($0, "item \($0)") }))
  }

  @Test("nothing to ask is nothing to wait for")
  func nothing() async throws {
    try await QuestionLanes.forEach([Int](), concurrency: 16) { _, _ in Issue.record("something was asked") }
  }

  @Test("one that fails ends all: those under way are given up, and no other is asked")
  func failure() async throws {
    let asked = NIOLockedValueBox(0)
    await #expect(throws: Refused.self) {
      try await QuestionLanes.forEach(Array(1...1_000), concurrency: 4) { item, _ in
        asked.withLockedValue { $0 += 1 }
        if item == 3 { throw Refused() }
        try await Self.unanswered()
      }
    }
    #expect(asked.withLockedValue { $0 } <= 4)
  }

  @Test("whoever gives up the whole ends those under way")
  func cancelled() async throws {
    let begun = AsyncStream.makeStream(of: Void.self)
    let whole = Task {
      try await QuestionLanes.forEach(Array(1...1_000), concurrency: 4) { _, _ in
        begun.continuation.yield()
        try await Self.unanswered()
      }
    }
    for await _ in begun.stream { break }
    whole.cancel()
    await #expect(throws: CancellationError.self) { try await whole.value }
  }
}
