// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import TjenestebussClient

/// Why a queue could not be counted, or a probe could not be made. Never read as zero, never as "nothing there".
public enum ProbeError: ExplainedError, Hashable {
  /// The management interface refused user or permission.
  case countingRefused(url: String, status: Int)
  case countingUnreachable(url: String, seen: String)
  case countingUnreadable(way: DialectCapabilities.Counting, seen: String)
  /// The queue is there, but the management interface has no count of it yet.
  case countNotYet(way: DialectCapabilities.Counting)
  case countingNotPossible(BusName, Dialect)
  /// AMQP `/management` could not be asked.
  case countingLinkFailed(TjenestebussError.Cause)
  case managementURLInvalid(problem: String)
  /// The management user is shown its own connections only.
  case connectionsHidden(url: String, tags: [String])
  /// The bus shows nobody a message without handing it out, or not by a way that is configured.
  case peekingNotPossible(BusName, Dialect)
  /// The bus does not list its queues, or not by a way that is configured.
  case censusNotPossible(BusName, Dialect)
  /// Queues came and went while the list was read: it may lack some.
  case censusUnsteady(tries: Int)

  public var stableCode: String {
    switch self {
    case .countingRefused: "PROBE-101"
    case .countingUnreachable: "PROBE-102"
    case .countingUnreadable: "PROBE-103"
    case .countingNotPossible: "PROBE-104"
    case .countingLinkFailed: "PROBE-105"
    case .managementURLInvalid: "PROBE-106"
    case .countNotYet: "PROBE-107"
    case .connectionsHidden: "PROBE-108"
    case .peekingNotPossible: "PROBE-109"
    case .censusNotPossible: "PROBE-110"
    case .censusUnsteady: "PROBE-111"
    }
  }

  public var explanation: Explanation {
    let unknown = "How many messages lie there is not known, which is not the same as none."
    return switch self {
    case .countingRefused(let url, let status):
      Explanation(
        tried: "count a queue by \(url)", seen: "HTTP status \(status)",
        meaning: "The user may not look at this queue. \(unknown)",
        next: "Check the management user and its permission for the virtual host.", owner: .caller)
    case .countingUnreachable(let url, let seen):
      Explanation(
        tried: "count a queue by \(url)", seen: seen, meaning: "The management interface did not answer. \(unknown)",
        next: "Check host, port and firewall of the management interface.", owner: .network)
    case .countingUnreadable(let way, let seen):
      Explanation(
        tried: "count a queue by \(way.rawValue)", seen: seen, meaning: "The answer has no count in it. \(unknown)",
        next: "See what was seen; ask those who run the bus.", owner: .bus)
    case .countNotYet(let way):
      Explanation(
        tried: "count a queue by \(way.rawValue)", seen: "no count yet",
        meaning: "The queue is there, but the bus has not counted it yet. \(unknown)", next: "Try again in some seconds.",
        owner: .bus)
    case .countingNotPossible(let bus, let dialect):
      Explanation(
        tried: "count a queue of bus \(bus)", seen: "no way is configured or known for \(dialect.rawValue)", meaning: unknown,
        next: "Configure the management interface of the bus, or ask those who run it.", owner: .caller)
    case .countingLinkFailed(let cause):
      Explanation(
        tried: "look at a queue by AMQP", seen: "[\(cause.code)] \(cause.explanation.seen)",
        meaning: "\(cause.explanation.meaning) \(unknown)", next: cause.explanation.next, owner: cause.explanation.owner)
    case .managementURLInvalid(let problem):
      Explanation(
        tried: "read the address of a management interface", seen: problem, meaning: "It is no address to ask.",
        next:
          "Write it as https://host:15671 (RabbitMQ) or https://host:9355 (Service Bus for Windows Server), without user and path.",
        owner: .caller)
    case .connectionsHidden(let url, let tags):
      Explanation(
        tried: "list who is connected by \(url)",
        seen: "a user with \(tags.isEmpty ? "no tags" : "the tags \(tags.joined(separator: ", "))")",
        meaning: "RabbitMQ shows such a user its own connections only: an empty list says nothing of others.",
        next: "Give the management user the tag monitoring (rabbitmqctl set_user_tags).", owner: .caller)
    case .peekingNotPossible(let bus, let dialect):
      Explanation(
        tried: "look at the messages of bus \(bus)",
        seen: "\(dialect.rawValue) shows a message only to who receives it, or no connection for looking is configured",
        meaning: "What lies there can be counted, and not told apart. Nothing was taken.",
        next: "Ask the party that owns the queue, or those who run the bus.", owner: .bus)
    case .censusNotPossible(let bus, let dialect):
      Explanation(
        tried: "list the queues of bus \(bus)", seen: "no way is configured or known for \(dialect.rawValue)",
        meaning: "Which queues there are is not known: what the register does not name is not seen.",
        next: "Configure the management interface of the bus, or ask those who run it for the list.", owner: .caller)
    case .censusUnsteady(let tries):
      Explanation(
        tried: "list the queues of the bus, \(tries) times", seen: "their number changed while the list was read",
        meaning: "The list may lack queues. \(unknown)", next: "Try again.", owner: .bus)
    }
  }
}

extension ProbeError {
  /// Whoever keeps the connections closes them: the process stops.
  public static let connectionsClosing = ProbeError.countingLinkFailed(
    .init(
      AMQPError(
        .connectionClosed, .connection, .local, tried: "look at a queue as its organisation", seen: "connections are being closed"
      )
    ))
}
