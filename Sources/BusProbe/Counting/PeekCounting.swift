// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// Counts by looking at each message without taking it: what can be done where a bus shows messages and tells no number.
public struct PeekCounting: QueueCounting {
  public var way: DialectCapabilities.Counting { self.peeking.way }
  public let lag = Duration.zero
  private let peeking: any QueuePeeking
  private let bound: Int

  /// - Parameter bound: the most messages looked at in one queue; where there are more, the count says that it is a lower bound.
  public init(_ peeking: any QueuePeeking, bound: Int = 10_000) {
    self.peeking = peeking
    self.bound = bound
  }

  public func read(_ queues: [String]) async -> [DepthReading] {
    var readings: [DepthReading] = []
    for queue in queues { readings.append(await self.count(queue)) }
    return readings
  }

  private func count(_ queue: String) async -> DepthReading {
    let seen = await self.peeking.look(at: queue, from: nil, atMost: self.bound)
    var reading = DepthReading(queue: queue, way: self.way, readAt: seen.readAt, value: .missing)
    switch seen.value {
    case .missing: break
    case .unreadable(let error): reading.value = .unreadable(error)
    case .seen(let sightings):
      var dead: SightingReading?
      // A queue of Service Bus has its dead letters below itself.
      if self.way == .peek, !ServiceBusPeeking.isDeadLetterQueue(queue) {
        dead = await self.peeking.look(at: "\(queue)/$DeadLetterQueue", from: nil, atMost: self.bound)
      }
      if case .unreadable(let error)? = dead?.value {
        // Dead letters that could not be looked at are not none.
        reading.value = .unreadable(error)
      } else {
        reading.value = .counted(Self.count(sightings, hasMore: seen.hasMore, dead: dead, way: self.way))
      }
    }
    return reading
  }

  /// - Parameter dead: what was seen of the dead letters; nil where they lie in a queue of their own, or were not looked at.
  static func count(
    _ sightings: [MessageSighting], hasMore: Bool, dead: SightingReading?, way: DialectCapabilities.Counting
  ) -> QueueCount {
    var figures = QueueFigures(active: 0)
    if way == .peek {
      figures.deferred = 0
      figures.scheduled = 0
    }
    for sighting in sightings {
      switch sighting.state {
      case .deferred: figures.deferred = (figures.deferred ?? 0) + 1
      case .scheduled: figures.scheduled = (figures.scheduled ?? 0) + 1
      case .active, .locked, .deadLettered: figures.active = (figures.active ?? 0) + 1
      }
    }
    // Of more than is looked at the bound itself: above what was there before it is still more.
    if let dead { figures.deadLettered = dead.sightings.map { Int64($0.count) } }
    return QueueCount(
      messages: sightings.count, includesUnsettled: true, consumers: nil, figures: figures,
      isLowerBound: hasMore)
  }
}
