// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What came to queues after their parties had been moved away: counted by looks, and told apart where messages could be looked at.
public struct LateArrivals: Sendable, Hashable, Codable {
  public struct Day: Sendable, Hashable, Codable {
    /// In Norway.
    public var date: LocalDate
    /// Counted at the queues, at least.
    public var counted: Int64 = 0
    /// Of those that could be looked at, by class.
    public var byClass: [String: Int64] = [:]
  }

  public struct Sender: Sendable, Hashable, Codable {
    /// Nil for messages that name no sender.
    public var herID: HerID?
    public var system: String?
    public var library: String?
    public var strandedClass: StrandedClass
    public var count: Int64
    public var first: Instant
    public var last: Instant
  }

  /// Days on which something came, in order.
  public var days: [Day] = []
  /// Most messages first.
  public var senders: [Sender] = []

  public init() {}
}

/// Late arrivals while they are being gathered.
struct LateBook {
  private struct SenderKey: Hashable {
    var herID: HerID?
    var system: String?
    var library: String?
    var strandedClass: StrandedClass
  }

  private var days: [LocalDate: LateArrivals.Day] = [:]
  private var senders: [SenderKey: LateArrivals.Sender] = [:]
  private var known: Set<String> = []

  /// More single messages are not told apart; they are counted all the same.
  static let most = 100_000

  mutating func count(_ count: Int64, at: Instant) {
    guard count > 0 else { return }
    self.change(at) { $0.counted += count }
  }

  /// A message of which the class is known; one that was seen before counts once.
  mutating func take(_ message: MessageSighting, _ strandedClass: StrandedClass, on queue: QueueAddress, seenAt: Instant) {
    let identity = message.messageID ?? message.sequenceNumber.map { "#\($0)" }
    if let identity {
      guard self.known.count < Self.most, self.known.insert("\(queue) \(identity)").inserted else { return }
    }
    let at = message.enqueuedAt.map(Instant.init(milliseconds:)) ?? seenAt
    self.change(at) { $0.byClass[strandedClass.rawValue, default: 0] += 1 }
    let key = SenderKey(
      herID: message.fromHerID, system: message.system, library: message.library, strandedClass: strandedClass)
    var sender =
      self.senders[key]
      ?? LateArrivals.Sender(
        herID: message.fromHerID, system: message.system, library: message.library, strandedClass: strandedClass, count: 0,
        first: at,
        last: at)
    sender.count += 1
    sender.first = min(sender.first, at)
    sender.last = max(sender.last, at)
    self.senders[key] = sender
  }

  private mutating func change(_ at: Instant, _ change: (inout LateArrivals.Day) -> Void) {
    let date = OsloTime.reading(at: at).date
    change(&self.days[date, default: LateArrivals.Day(date: date)])
  }

  static let sendersKept = 200

  var told: LateArrivals {
    var late = LateArrivals()
    late.days = self.days.values.sorted { $0.date < $1.date }
    let senders = self.senders.values.sorted { one, other in
      (-one.count, one.herID?.value ?? 0, one.strandedClass.rawValue, one.system ?? "", one.library ?? "")
        < (-other.count, other.herID?.value ?? 0, other.strandedClass.rawValue, other.system ?? "", other.library ?? "")
    }
    late.senders = Array(senders.prefix(Self.sendersKept))
    return late
  }
}

/// The service of the parties before, during and after, as far as anything measured it.
public struct ServiceFigures: Sendable, Hashable, Codable {
  /// Looks at the counters of the queues in one stretch of the move.
  public struct Stretch: Sendable, Hashable, Codable {
    public var from: Instant?
    public var to: Instant?
    public var looks: Int = 0
    public var unreadable: Int = 0
    /// Messages that came between two looks at a counter of arrivals.
    public var arrivals: Int64 = 0
    /// Milliseconds between the looks that ``arrivals`` were counted over, of all groups together.
    public var countedFor: Int64 = 0
    public var mostOnOneQueue: Int64 = 0
    public var countsArrivals: Bool = false

    public init() {}
  }

  /// At the source bus, before the cut-over.
  public var before = Stretch()
  /// At the source bus, from the cut-over on.
  public var during = Stretch()
  /// At the target bus while groups were watched.
  public var after = Stretch()
  /// Milliseconds from the first intent to write a group's entry until a ping proved that it is reached: shortest, median, longest.
  public var unprovenShortest: Int64?
  public var unprovenMedian: Int64?
  public var unprovenLongest: Int64?
  public var unprovenGroups: Int = 0
  /// Pings of verifications and watches, with what they took, in milliseconds.
  public var latencies: Int = 0
  public var latencyMedian: Int64?
  public var latencyMost: Int64?
  public var latency95: Int64?

  public init() {}
}
