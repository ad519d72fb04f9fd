// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a vendor's system does with what comes.
public struct MessageHandlers: Sendable {
  /// Takes messages of asynchronous, synchronous and dead-letter queues, and of reply queues that are received from by name.
  ///
  /// What it does decides what becomes of the message:
  ///
  /// - it returns: accepted, the bus forgets it;
  /// - it throws ``ReportError``: the sender is told on its error queue, then it is accepted;
  /// - it throws ``Refuse``: dead-lettered;
  /// - it throws ``TryAgain`` or anything else: held for the redelivery delay, then delivered again; dead-lettered after the
  ///   configuration's poison limit.
  public var messages: @Sendable (ReceivedMessage) async throws -> Void
  /// Takes what comes to the error queues: somebody could not take a message of ours. When it throws, the report comes again.
  /// Required when an error queue is received from: a report that nobody reads is a message lost in silence.
  public var errorReports: (@Sendable (ErrorReport) async throws -> Void)?
  /// Told when a message has failed so often that it is about to be dead-lettered, and when it is.
  public var repeatedFailures: (@Sendable (RepeatedFailure) -> Void)?

  public init(
    messages: @escaping @Sendable (ReceivedMessage) async throws -> Void,
    errorReports: (@Sendable (ErrorReport) async throws -> Void)? = nil,
    repeatedFailures: (@Sendable (RepeatedFailure) -> Void)? = nil
  ) {
    self.messages = messages
    self.errorReports = errorReports
    self.repeatedFailures = repeatedFailures
  }
}

/// A message that fails again and again.
public struct RepeatedFailure: Sendable, Hashable {
  public var messageID: String?
  public var from: HerID?
  public var to: HerID?
  public var bus: BusName
  public var queue: String
  /// Failures so far: the bus's count or ours, whichever is higher.
  public var attempts: Int
  /// The failure at which it is dead-lettered.
  public var limit: Int
  /// It has just been dead-lettered.
  public var isDeadLettered: Bool
}
