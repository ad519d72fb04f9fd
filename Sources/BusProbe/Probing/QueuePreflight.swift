// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import TjenestebussClient

/// Whether a queue is ready on a bus, without a message sent or taken.
public struct QueuePreflight: Sendable, Hashable {
  public enum Existence: Sendable, Hashable {
    case exists
    case missing
    /// This bus does not tell, or could not be asked.
    case notKnown(because: String)
  }

  public var queue: String
  public var existence: Existence
  /// The count that was read; nil where the bus has no way to count.
  public var depth: DepthReading?
  /// Nil while we may send to it; else why not. On RabbitMQ 3 it is nil for a queue that does not exist, too.
  public var sendingRefused: AMQPError?

  /// Who listens; nil when not known.
  public var consumers: Int? { self.depth?.count?.consumers }

  /// Where expired messages go on to, a ping that nobody fetches among them; nil when nowhere, or it is not told.
  public var deadLetterExchange: String? { self.depth?.count?.settings?.deadLetterExchange }

  /// Puts together what counting and attaching said. Pure.
  init(queue: String, dialect: Dialect, depth: DepthReading?, sendingRefused: AMQPError?) {
    self.queue = queue
    self.depth = depth
    self.sendingRefused = sendingRefused
    switch depth?.value {
    case .counted, .unreadable(.countNotYet): self.existence = .exists
    case .missing: self.existence = .missing
    case .unreadable, nil:
      if sendingRefused?.code == .notFound {
        self.existence = .missing
      } else {
        // That an attach was let through proves nothing: to an exchange it always is, and RabbitMQ 3 lets it through anyway.
        var why = "\(dialect.rawValue) tells it only by counting, and no way to count is configured"
        if case .unreadable(let error)? = depth?.value { why = "[\(error.stableCode)] \(error.explanation.seen)" }
        self.existence = .notKnown(because: why)
      }
    }
  }
}
