// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What looks at counters tell of the traffic, while it is being gathered.
struct ServiceBook: Sendable {
  enum Stretch { case before, during, after }

  private struct Counter: Sendable {
    var at: Instant
    var arrivals: Int64
  }

  private(set) var figures = ServiceFigures()
  private var counters: [GroupID: Counter] = [:]
  private var targetCounters: [GroupID: Counter] = [:]
  private var sums: [GroupID: Int64] = [:]
  private var targetSums: [GroupID: Int64] = [:]
  private var latencies: [Int64] = []

  /// More are not kept: the figures are of the first so many then.
  static let latenciesKept = 100_000

  mutating func latency(_ milliseconds: Int64) {
    if self.latencies.count < Self.latenciesKept { self.latencies.append(milliseconds) }
  }

  mutating func look(_ readings: [QueueReading], of group: GroupID, in stretch: Stretch, at: Instant) {
    switch stretch {
    case .before: Self.take(readings, group, at, into: &self.figures.before, &self.counters)
    case .during: Self.take(readings, group, at, into: &self.figures.during, &self.counters)
    case .after: Self.take(readings, group, at, into: &self.figures.after, &self.targetCounters)
    }
  }

  private static func take(
    _ readings: [QueueReading], _ group: GroupID, _ at: Instant, into stretch: inout ServiceFigures.Stretch,
    _ counters: inout [GroupID: Counter]
  ) {
    let counted = readings.filter { $0.kind != .deadLetter && $0.count != .absent }
    guard !counted.isEmpty else { return }
    stretch.looks += 1
    stretch.from = stretch.from ?? at
    stretch.to = at
    guard readings.allSatisfy(\.isReadable) else {
      stretch.unreadable += 1
      return
    }
    stretch.mostOnOneQueue = max(stretch.mostOnOneQueue, counted.compactMap(\.lying).max() ?? 0)
    guard let arrivals = Self.sum(counted) else { return }
    defer { counters[group] = Counter(at: at, arrivals: arrivals) }
    // A counter that fell began anew: what it stood at before is not known.
    guard let before = counters[group], arrivals >= before.arrivals, at > before.at else { return }
    stretch.countsArrivals = true
    stretch.arrivals += arrivals - before.arrivals
    stretch.countedFor += at.since(before.at).milliseconds
  }

  private static func sum(_ readings: [QueueReading]) -> Int64? {
    var sum: Int64 = 0
    for reading in readings {
      guard let arrivals = reading.arrivals else { return nil }
      sum += arrivals
    }
    return sum
  }

  /// Messages that came since the last look at the group's queues on that bus; nil where it is not counted.
  mutating func came(_ readings: [QueueReading], of group: GroupID, isSource: Bool) -> Int64? {
    let counted = readings.filter { $0.kind != .deadLetter && $0.count != .absent }
    guard !counted.isEmpty, let sum = Self.sum(counted) else { return nil }
    let before = isSource ? self.sums.updateValue(sum, forKey: group) : self.targetSums.updateValue(sum, forKey: group)
    return before.flatMap { sum >= $0 ? sum - $0 : nil }
  }

  /// - Parameter unproven: of each group, milliseconds from the first intent to the first proof.
  func told(unproven: [Int64]) -> ServiceFigures {
    var told = self.figures
    let spans = unproven.sorted()
    told.unprovenGroups = spans.count
    told.unprovenShortest = spans.first
    told.unprovenMedian = spans.isEmpty ? nil : spans[spans.count / 2]
    told.unprovenLongest = spans.last
    let latencies = self.latencies.sorted()
    told.latencies = latencies.count
    if let most = latencies.last {
      told.latencyMost = most
      told.latencyMedian = latencies[latencies.count / 2]
      told.latency95 = latencies[min(latencies.count - 1, latencies.count * 95 / 100)]
    }
    return told
  }
}
