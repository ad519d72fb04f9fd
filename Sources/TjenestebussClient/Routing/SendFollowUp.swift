// SPDX-License-Identifier: Apache-2.0

import AMQP

/// What to do after a try at sending. Pure.
enum SendFollowUp: Hashable, Sendable {
  /// The result stands.
  case done
  /// The bus certainly did not take the message, and the reason may be that the party has moved: look its address up anew,
  /// and send once more if it is another one.
  case lookUpAnew

  init(after outcome: AMQPOutcome) {
    switch outcome {
    case .released: self = .lookUpAnew
    // `unknown` above all: it may have arrived, and only the caller may decide to risk a duplicate.
    case .accepted, .rejected, .modified, .unknown: self = .done
    }
  }

  /// An error means that the message did not leave.
  init(after error: AMQPError) {
    switch error.code {
    // Gone, or not to be used any more by this user: both are seen after a party has moved and its old queue was closed.
    case .notFound, .unauthorized: self = .lookUpAnew
    default:
      let name = error.condition?.name ?? ""
      self = Self.closedConditions.contains(name) ? .lookUpAnew : .done
    }
  }

  /// Conditions of Service Bus and of AMQP for an entity that is there but takes nothing.
  private static let closedConditions: Set<String> = [
    "com.microsoft:entity-disabled", "com.microsoft:messaging-entity-disabled", AMQPCondition.resourceDeleted,
    AMQPCondition.notFound, "amqp:not-allowed:entity-disabled",
  ]
}
