// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// What became of a message, by which route, after how many attempts.
///
/// Only ``Outcome/accepted`` means that a bus has taken responsibility for it, and on some buses not even that: see
/// ``acceptance``.
public struct SendResult: Sendable, Hashable {
  public enum Outcome: Sendable, Hashable {
    /// The bus has taken the message. See ``SendResult/acceptance`` for what that proves.
    case accepted
    /// The bus refuses it: full, too large, not allowed. The same message will be refused again.
    case rejected(AMQPCondition?)
    /// No queue stands behind the address; the bus gave it back. Certain not to be delivered.
    case released
    /// Given back, changed.
    case modified(deliveryFailed: Bool, undeliverableHere: Bool)
    /// It was handed over and nothing certain is known. Never sent again by the client; the caller may, with the same id.
    case unknown(AMQPOutcome.UnknownReason)
    /// It is certain that it did not leave, or was not even tried.
    case notSent(TjenestebussError)
  }

  /// What ``Outcome/accepted`` proves.
  public enum Acceptance: Sendable, Hashable {
    /// A queue has the message.
    case queueHasIt
    /// The dialect (RabbitMQ 3) answers `accepted` also when there is no such queue, and drops the message. That it lies in
    /// a queue is proven by the queue's depth, its consumer, or an answer; not by this.
    case provesNothingOfTheQueue
    /// The dialect (ActiveMQ) makes a queue that does not exist: it lies in a queue, perhaps one that nobody reads.
    case perhapsANewQueue
  }

  /// One try at sending.
  public struct Attempt: Sendable, Hashable {
    public var route: Route
    public var outcome: Outcome
  }

  public var messageID: String
  public var outcome: Outcome
  /// The tries in order: one, or two when the first was given back and the register then named another address.
  public var attempts: [Attempt]
  /// Only meaningful when the outcome is `accepted`; by the dialect of the bus.
  public var acceptance: Acceptance

  /// The route of the last try; nil when none was found.
  public var route: Route? { self.attempts.last?.route }

  public var isAccepted: Bool { self.outcome == .accepted }

  /// Throws unless the bus accepted.
  ///
  /// - Throws: ``TjenestebussError``: `notAccepted`, or why it was not sent.
  public func requireAccepted() throws(TjenestebussError) {
    switch self.outcome {
    case .accepted: return
    case .notSent(let error): throw error
    case .rejected, .released, .modified, .unknown: throw .notAccepted(messageID: self.messageID, outcome: self.outcome)
    }
  }
}

extension SendResult {
  /// It was not even tried.
  init(notSent message: HealthMessage, _ error: TjenestebussError) {
    self.init(messageID: message.messageID, outcome: .notSent(error), attempts: [], acceptance: .provesNothingOfTheQueue)
  }
}

extension SendResult.Outcome {
  init(_ outcome: AMQPOutcome) {
    switch outcome {
    case .accepted: self = .accepted
    case .rejected(let condition): self = .rejected(condition)
    case .released: self = .released
    case .modified(let deliveryFailed, let undeliverableHere):
      self = .modified(deliveryFailed: deliveryFailed, undeliverableHere: undeliverableHere)
    case .unknown(let reason): self = .unknown(reason)
    }
  }
}

extension SendResult.Acceptance {
  init(_ dialect: Dialect) {
    switch dialect.capabilities.unroutableMessage {
    case .refusesAttach, .releases: self = .queueHasIt
    case .acceptsAndLoses: self = .provesNothingOfTheQueue
    case .declaresQueue: self = .perhapsANewQueue
    }
  }
}

extension AMQPOutcome.UnknownReason {
  /// In words, without content.
  var words: String {
    switch self {
    case .timedOut: "none came before the deadline"
    case .cancelled: "the task was cancelled while it was outstanding"
    case .lost(let error): "the link or connection was lost [\(error.stableCode)]"
    case .settledWithoutOutcome: "the bus settled without saying how"
    }
  }
}
