// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers

/// Lets messages of one conversation into their handlers one after the other, in the order in which they came.
final class ConversationOrder: Sendable {
  /// A message's turn: comes when the one before it in its conversation is done.
  final class Turn: Sendable {
    fileprivate let conversation: String
    fileprivate let before: Turn?
    fileprivate let isDone = OneShot<Bool>()

    fileprivate init(_ conversation: String, after before: Turn?) {
      self.conversation = conversation
      self.before = before
    }

    /// Waits for the turn. - Returns: false when the task was cancelled first.
    func comes() async -> Bool {
      guard let before else { return true }
      return (try? await before.isDone.wait()) != nil
    }
  }

  private let last = NIOLockedValueBox<[String: Turn]>([:])

  func enter(_ conversation: String) -> Turn {
    self.last.withLockedValue { last in
      let turn = Turn(conversation, after: last[conversation])
      last[conversation] = turn
      return turn
    }
  }

  /// In any case to be called for every turn, handled or not.
  func leave(_ turn: Turn) {
    self.last.withLockedValue { if $0[turn.conversation] === turn { $0[turn.conversation] = nil } }
    turn.isDone.fulfil(true)
  }
}
