// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// How long a queue was, when, and by which way that was read.
public struct DepthReading: Sendable, Hashable {
  public enum Value: Sendable, Hashable {
    case counted(QueueCount)
    /// The bus says there is no such queue.
    case missing
    /// Not known: never to be taken for zero.
    case unreadable(ProbeError)
  }

  public var queue: String
  public var way: DialectCapabilities.Counting?
  /// When it was asked, by the wall clock.
  public var readAt: RegistryInstant
  public var value: Value

  public init(queue: String, way: DialectCapabilities.Counting?, readAt: RegistryInstant, value: Value) {
    self.queue = queue
    self.way = way
    self.readAt = readAt
    self.value = value
  }

  public var count: QueueCount? {
    if case .counted(let count) = self.value { count } else { nil }
  }
}

/// What a queue holds and who listens.
public struct QueueCount: Sendable, Hashable {
  /// Messages in the queue. See ``includesUnsettled``.
  public var messages: Int
  /// Whether ``messages`` also counts those that are handed out and not settled yet. AMQP `/management` counts only those
  /// that wait; the HTTP interface counts both.
  public var includesUnsettled: Bool
  /// Who listens; nil when the bus did not say.
  public var consumers: Int?
  /// All messages that ever came since the bus began to count; it falls when the bus is started anew, or while a node
  /// of a cluster does not answer. nil when not known.
  public var arrivals: Int?

  public init(messages: Int, includesUnsettled: Bool, consumers: Int?, arrivals: Int? = nil) {
    self.messages = messages
    self.includesUnsettled = includesUnsettled
    self.consumers = consumers
    self.arrivals = arrivals
  }
}

/// A way to count queues of one bus.
public protocol QueueCounting: Sendable {
  var way: DialectCapabilities.Counting { get }
  /// How long after a change the count may still be the old one.
  var lag: Duration { get }
  /// Reads each queue; one reading for each name, in the same order. Bounded in time; never throws, since a count that could
  /// not be had is a reading too.
  func read(_ queues: [String]) async -> [DepthReading]
}

extension QueueCounting {
  public func read(_ queue: String) async -> DepthReading {
    await self.read([queue]).first
      ?? DepthReading(
        queue: queue, way: self.way, readAt: SystemRegistryClock().now,
        value: .unreadable(.countingUnreadable(way: self.way, seen: "no reading was made")))
  }
}
