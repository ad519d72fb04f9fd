// SPDX-License-Identifier: Apache-2.0

import Migration

/// Figures over time in spans of equal length. When there come to be too many of them, the spans are made twice as long: however long a history is,
/// a plot of it takes no more room.
public struct TimeBuckets: Sendable, Hashable, Codable {
  public struct Bucket: Sendable, Hashable, Codable {
    /// The span's place, counted from ``TimeBuckets/start``.
    public var place: Int
    public var count: Int64
    public var sum: Int64
    public var least: Int64
    public var most: Int64
    /// The figure at the end of the span.
    public var last: Int64
    /// How often nothing could be read, or the thing failed.
    public var missed: Int64
  }

  static let capacity = 360
  /// A minute.
  static let shortest: Int64 = 60_000

  /// The start of the first span.
  public private(set) var start: Instant?
  /// A span's length in milliseconds.
  public private(set) var width: Int64 = Self.shortest
  /// Those in which something was seen, oldest first.
  public private(set) var buckets: [Bucket] = []

  public init() {}

  public var isEmpty: Bool { !self.buckets.contains { $0.count > 0 } }

  public func begin(of bucket: Bucket) -> Instant {
    Instant(milliseconds: (self.start?.milliseconds ?? 0) + Int64(bucket.place) * self.width)
  }

  public func end(of bucket: Bucket) -> Instant { Instant(milliseconds: self.begin(of: bucket).milliseconds + self.width) }

  mutating func take(_ value: Int64, at instant: Instant) {
    self.change(at: instant) { bucket in
      bucket.least = bucket.count == 0 ? value : min(bucket.least, value)
      bucket.most = bucket.count == 0 ? value : max(bucket.most, value)
      bucket.last = value
      bucket.sum += value
      bucket.count += 1
    }
  }

  mutating func miss(at instant: Instant) { self.change(at: instant) { $0.missed += 1 } }

  private mutating func change(at instant: Instant, _ change: (inout Bucket) -> Void) {
    // A clock that was set back must not make time before the first figure.
    let start = self.start ?? Instant(milliseconds: instant.milliseconds - Self.remainder(instant.milliseconds, Self.shortest))
    self.start = start
    var place = max(0, Int((instant.milliseconds - start.milliseconds) / self.width))
    while place >= Self.capacity {
      self.coarsen()
      place = max(0, Int((instant.milliseconds - start.milliseconds) / self.width))
    }
    if let last = self.buckets.last, last.place >= place {
      // The last one as a rule; an earlier one when the clock was set back.
      if let index = self.buckets.lastIndex(where: { $0.place <= place }), self.buckets[index].place == place {
        change(&self.buckets[index])
        return
      }
      let index = (self.buckets.lastIndex { $0.place < place }).map { $0 + 1 } ?? 0
      self.buckets.insert(Bucket(place: place, count: 0, sum: 0, least: 0, most: 0, last: 0, missed: 0), at: index)
      change(&self.buckets[index])
      return
    }
    self.buckets.append(Bucket(place: place, count: 0, sum: 0, least: 0, most: 0, last: 0, missed: 0))
    change(&self.buckets[self.buckets.count - 1])
  }

  private mutating func coarsen() {
    self.width *= 2
    var coarser: [Bucket] = []
    for bucket in self.buckets {
      var bucket = bucket
      bucket.place /= 2
      guard let before = coarser.last, before.place == bucket.place else {
        coarser.append(bucket)
        continue
      }
      var both = before
      if bucket.count > 0 {
        both.least = before.count == 0 ? bucket.least : min(before.least, bucket.least)
        both.most = before.count == 0 ? bucket.most : max(before.most, bucket.most)
        both.last = bucket.last
      }
      both.count += bucket.count
      both.sum += bucket.sum
      both.missed += bucket.missed
      coarser[coarser.count - 1] = both
    }
    self.buckets = coarser
  }

  private static func remainder(_ value: Int64, _ unit: Int64) -> Int64 {
    let rest = value % unit
    return rest < 0 ? rest + unit : rest
  }
}

/// What is drawn.
public struct ReportPlots: Sendable, Hashable, Codable {
  /// Messages that lay on all queues of a bus that are looked at, dead letters apart.
  public var sourceDepth = TimeBuckets()
  public var targetDepth = TimeBuckets()
  /// Milliseconds from sending a ping until the bus had accepted it; missed: pings that failed.
  public var accepted = TimeBuckets()
  /// Milliseconds until the party's system had answered.
  public var answered = TimeBuckets()
  /// Messages that came, where the bus counts them.
  public var sourceArrivals = TimeBuckets()
  public var targetArrivals = TimeBuckets()

  public init() {}
}
