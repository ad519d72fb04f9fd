// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What was seen of the messages that lie on one queue, by metadata.
public struct QueueSightings: Sendable, Hashable, Codable {
  /// So many are kept of one look at one queue.
  public static let most = 50

  public var queue: QueueAddress
  public var sightings: [MessageSighting]
  /// Nothing else lay there.
  public var isWhole: Bool

  public init(queue: QueueAddress, sightings: [MessageSighting], isWhole: Bool) {
    self.queue = queue
    self.sightings = sightings
    self.isWhole = isWhole
  }

  /// On a bus that does not say by its own clock when a message came, what stands as that is its sender's.
  var withoutArrivalTimes: QueueSightings {
    var told = self
    for place in told.sightings.indices {
      told.sightings[place].sentAt = told.sightings[place].sentAt ?? told.sightings[place].enqueuedAt
      told.sightings[place].enqueuedAt = nil
    }
    return told
  }

  var bounded: QueueSightings {
    self.sightings.count <= Self.most
      ? self : QueueSightings(queue: self.queue, sightings: Array(self.sightings.prefix(Self.most)), isWhole: false)
  }
}

extension DrainLedger {
  /// The last look at the messages of one queue.
  public struct Sighted: Sendable, Hashable, Codable {
    public var queue: QueueAddress
    public var at: Instant
    public var sightings: [MessageSighting]
    public var isWhole: Bool
    /// No look at the counters came after it.
    var followsLook: Bool = true
  }

  /// A sender of which messages were seen that came after the watermark.
  public struct SenderSeen: Sendable, Hashable, Codable {
    public var herID: HerID
    /// When its first and its last such message came to a queue.
    public var firstAt: Int64
    public var lastAt: Int64
    /// The first that came later than anything lawful.
    public var suspectedAt: Int64?
    /// The entries were read after that and are as they should be, and still it sends here.
    public var convictedAt: Int64?
    public var isConvicted: Bool { self.convictedAt != nil }
  }
}
