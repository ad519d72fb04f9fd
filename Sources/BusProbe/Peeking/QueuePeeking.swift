// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// What lies on a queue, message by message, by its metadata alone: no body is read, and nothing is taken.
public struct SightingReading: Sendable, Hashable {
  public enum Value: Sendable, Hashable {
    /// In the order in which they lie there.
    case seen([MessageSighting])
    /// The bus says there is no such queue.
    case missing
    /// Not known: never to be taken for none.
    case unreadable(ProbeError)
  }

  public var queue: String
  public var way: DialectCapabilities.Counting?
  /// When it was asked, by the wall clock.
  public var readAt: RegistryInstant
  public var value: Value
  /// Whether more lies there than was looked at: the bound was reached.
  public var hasMore: Bool
  /// The sequence number to look from next; nil when nothing is left, or when the bus numbers nothing (ActiveMQ), which can only be
  /// looked at from its beginning with a higher bound.
  public var next: Int64?

  public init(
    queue: String, way: DialectCapabilities.Counting?, readAt: RegistryInstant, value: Value, hasMore: Bool = false,
    next: Int64? = nil
  ) {
    self.queue = queue
    self.way = way
    self.readAt = readAt
    self.value = value
    self.hasMore = hasMore
    self.next = next
  }

  /// What was seen; nil when it is not known.
  public var sightings: [MessageSighting]? {
    if case .seen(let sightings) = self.value { sightings } else { nil }
  }
}

/// A way to look at the messages of a queue without taking them. `QUEUE/$DeadLetterQueue` names the dead letters of a queue of Service
/// Bus.
public protocol QueuePeeking: Sendable {
  var way: DialectCapabilities.Counting { get }
  /// Looks at a queue. Bounded in time; never throws, since what could not be seen is a reading too.
  ///
  /// - Parameters:
  ///   - sequenceNumber: where to begin, on a bus that numbers its messages; nil for the beginning.
  ///   - bound: the most messages looked at, over all pages that this takes.
  func look(at queue: String, from sequenceNumber: Int64?, atMost bound: Int) async -> SightingReading
}

extension QueuePeeking {
  /// From the beginning.
  public func look(at queue: String, atMost bound: Int = 1_000) async -> SightingReading {
    await self.look(at: queue, from: nil, atMost: bound)
  }
}
