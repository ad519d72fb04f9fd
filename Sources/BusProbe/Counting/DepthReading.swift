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

  /// A better way that was tried first and did not give a count.
  public struct PassedOver: Sendable, Hashable {
    public var way: DialectCapabilities.Counting
    public var because: ProbeError

    public init(way: DialectCapabilities.Counting, because: ProbeError) {
      self.way = way
      self.because = because
    }
  }

  public var queue: String
  /// The way that gave ``value``; nil when none was tried.
  public var way: DialectCapabilities.Counting?
  /// When it was asked, by the wall clock.
  public var readAt: RegistryInstant
  public var value: Value
  /// How long after a change the figures may still be the old ones: they may be of so long before ``readAt``.
  public var lag: Duration
  /// The better ways that were tried in vain, in that order.
  public var passedOver: [PassedOver]

  public init(
    queue: String, way: DialectCapabilities.Counting?, readAt: RegistryInstant, value: Value, lag: Duration = .zero,
    passedOver: [PassedOver] = []
  ) {
    self.queue = queue
    self.way = way
    self.readAt = readAt
    self.value = value
    self.lag = lag
    self.passedOver = passedOver
  }

  public var count: QueueCount? {
    if case .counted(let count) = self.value { count } else { nil }
  }
}

/// What a queue holds and who listens.
public struct QueueCount: Sendable, Hashable {
  /// Messages in the queue, dead letters in a sub-queue of its own apart. See ``includesUnsettled`` and ``isLowerBound``.
  public var messages: Int
  /// Whether ``messages`` also counts those that are handed out and not settled yet. AMQP `/management` counts only those
  /// that wait; the HTTP interface counts both.
  public var includesUnsettled: Bool
  /// Who listens; nil when the bus did not say.
  public var consumers: Int?
  /// All messages that ever came since the bus began to count; it falls when the bus is started anew, or while a node
  /// of a cluster does not answer. nil when not known.
  public var arrivals: Int?
  /// Every figure that the bus gave; nil where it gave none beside ``messages``. What a way cannot see is nil in it, not zero.
  public var figures: QueueFigures?
  /// Whether there are more than ``messages``: counting by looking stops at a bound.
  public var isLowerBound: Bool
  /// What the queue does with messages that nobody fetches; nil when it does nothing of the kind, or the bus did not say.
  public var settings: QueueSettings?

  public init(
    messages: Int, includesUnsettled: Bool, consumers: Int?, arrivals: Int? = nil, figures: QueueFigures? = nil,
    isLowerBound: Bool = false, settings: QueueSettings? = nil
  ) {
    self.messages = messages
    self.includesUnsettled = includesUnsettled
    self.consumers = consumers
    self.arrivals = arrivals
    self.figures = figures
    self.isLowerBound = isLowerBound
    self.settings = settings
  }

  /// Whether the queue has as many messages waiting as it may have, as far as that is known.
  public var isFull: Bool {
    guard let most = self.settings?.maximumMessages else { return false }
    return self.figures?.active.map { $0 >= Int64(most) } ?? (self.messages >= most)
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
        value: .unreadable(.countingUnreadable(way: self.way, seen: "no reading was made")), lag: self.lag)
  }
}
