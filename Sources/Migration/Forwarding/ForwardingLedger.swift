// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What was ordered and done about carrying over what strands on the bus that is being left in one direction.
public struct ForwardingLedger: Sendable, Hashable, Codable {
  public struct Stop: Sendable, Hashable, Codable {
    public var queue: QueueAddress
    /// The stable code of what was met.
    public var code: String
    public var seen: String
    public var at: Instant
  }

  /// The last word of one run on one queue.
  public struct Total: Sendable, Hashable, Codable {
    public var queue: QueueAddress
    public var count: ForwardingCount
    public var at: Instant
    /// The forwarder that told it is gone.
    public var isOver: Bool = false
  }

  /// The newest one.
  public internal(set) var order: ForwardingOrder
  public internal(set) var approvedAt: Instant
  public internal(set) var pause: Note?
  public internal(set) var ended: Note?
  /// Queues on which it waits for a person.
  public internal(set) var stops: [Stop] = []
  public internal(set) var totals: [Total] = []

  /// Runs of one queue that are told apart; what older ones did is added up under ``earlier``.
  static let runsKept = 8
  static let earlier = "earlier runs"

  init(_ order: ForwardingOrder, at now: Instant) {
    self.order = order
    self.approvedAt = now
  }

  /// Not ended: it is carried out whenever nothing keeps it back.
  public var stands: Bool { self.ended == nil }

  /// All runs on all queues.
  public var total: ForwardingCount { self.sum { _ in true } }

  public func total(of queue: QueueAddress) -> ForwardingCount { self.sum { $0 == queue } }

  /// What one run had set aside the next one's journal remembers: the last that told of it is right.
  private func sum(_ isMeant: (QueueAddress) -> Bool) -> ForwardingCount {
    var sum = ForwardingCount(run: "")
    for total in self.totals where isMeant(total.queue) { sum.add(total.count) }
    var told: [QueueAddress: Total] = [:]
    for total in self.totals where isMeant(total.queue) && total.count.aside != nil {
      if told[total.queue].map({ $0.at <= total.at }) ?? true { told[total.queue] = total }
    }
    for total in told.values {
      sum.aside = (sum.aside ?? [:]).merging(total.count.aside ?? [:], uniquingKeysWith: +)
    }
    return sum
  }

  private var newest: [QueueAddress: Total] {
    var newest: [QueueAddress: Total] = [:]
    for total in self.totals where newest[total.queue].map({ $0.at <= total.at }) ?? true { newest[total.queue] = total }
    return newest
  }

  /// Taken by the newest run on each queue and not accounted for. What an older run held lies on its queue again: a bus gives back
  /// what a dead connection has not settled.
  public var open: Int64 { self.newest.values.reduce(0) { $1.isOver ? $0 : $0 + $1.count.open } }

  /// On hand in runs that ended without a last word: the bus has given it back, or the target had it and it was settled when it came again.
  public var interrupted: Int64 { self.totals.reduce(0) { $0 + $1.count.open } - self.open }

  /// The daemon was started again: what its forwarder held lies on its queue.
  mutating func endRuns() {
    for place in self.totals.indices { self.totals[place].isOver = true }
  }

  mutating func approve(_ order: ForwardingOrder, at now: Instant) {
    self.order = order
    self.approvedAt = now
    self.pause = nil
    self.ended = nil
    self.stops = []
  }

  mutating func note(_ count: ForwardingCount, of queue: QueueAddress, at now: Instant) {
    if let place = self.totals.firstIndex(where: { $0.queue == queue && $0.count.run == count.run }) {
      // A word that came late says less than the one before it: totals only grow.
      guard count.received >= self.totals[place].count.received else { return }
      self.totals[place].count = count
      self.totals[place].at = now
      self.totals[place].isOver = false
      return
    }
    self.totals.append(Total(queue: queue, count: count, at: now))
    let ofQueue = self.totals.indices.filter { self.totals[$0].queue == queue && self.totals[$0].count.run != Self.earlier }
    guard ofQueue.count > Self.runsKept, let oldest = ofQueue.first else { return }
    var old = self.totals.remove(at: oldest)
    old.count.run = Self.earlier
    if let place = self.totals.firstIndex(where: { $0.queue == queue && $0.count.run == Self.earlier }) {
      self.totals[place].count.add(old.count)
    } else {
      self.totals.insert(old, at: 0)
    }
  }

  mutating func note(_ stop: Stop) {
    self.stops.removeAll { $0.queue == stop.queue }
    self.stops.append(stop)
  }
}
