// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import NIOConcurrencyHelpers

/// Brings answers to those who wait for them.
final class AnswerDesk: Sendable {
  enum Answer: Sendable {
    case message(ReceivedMessage)
    case refused(ErrorReport)
  }

  private struct State {
    var book = AnswerBook()
    var waiting: [String: OneShot<Answer>] = [:]
  }

  private let state = NIOLockedValueBox(State())

  /// - Returns: nil when a question of this id waits already.
  func ask(_ id: String, of partner: HerID) -> OneShot<Answer>? {
    self.state.withLockedValue { state in
      guard state.book.ask(id, of: partner) else { return nil }
      let answer = OneShot<Answer>()
      state.waiting[id] = answer
      return answer
    }
  }

  @discardableResult
  func arrives(_ answer: Answer, to id: String, from: HerID?) -> AnswerBook.Arrival {
    let (arrival, waiting) = self.state.withLockedValue { state -> (AnswerBook.Arrival, OneShot<Answer>?) in
      let arrival = state.book.arrives(id, from: from)
      return (arrival, arrival == .awaited ? state.waiting.removeValue(forKey: id) : nil)
    }
    waiting?.fulfil(answer)
    return arrival
  }

  func close(_ id: String) {
    self.state.withLockedValue { state in
      state.book.close(id)
      state.waiting[id] = nil
    }
  }

  /// The answer, or nil when none came in time. - Throws: `CancellationError`.
  static func wait(for answer: OneShot<Answer>, until deadline: ContinuousClock.Instant) async throws -> Answer? {
    try await withThrowingTaskGroup(of: Answer?.self) { group in
      group.addTask { try await answer.wait() }
      group.addTask {
        try await ContinuousClock().sleep(until: deadline)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }
}
