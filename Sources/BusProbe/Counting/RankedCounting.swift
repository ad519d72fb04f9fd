// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// Several ways to count one bus, best first: where one cannot be read or is refused, the next is asked, and the reading says which
/// way gave it and which were passed over. That a queue is missing is an answer.
///
/// A way that does not see what is handed out and unsettled (RabbitMQ 4's `/management`) is completed by the next one that does: a
/// queue whose messages somebody holds is not empty. The two are not of one moment; of the two sums the larger counts.
public struct RankedCounting: QueueCounting {
  public let ways: [any QueueCounting]
  public let way: DialectCapabilities.Counting
  /// The longest of the ways', since any may give the reading. A reading has its own.
  public let lag: Duration

  /// - Parameter ways: best first; nil when there is none.
  public init?(_ ways: [any QueueCounting]) {
    guard let first = ways.first else { return nil }
    self.ways = ways
    self.way = first.way
    self.lag = ways.map(\.lag).max() ?? .zero
  }

  public func read(_ queues: [String]) async -> [DepthReading] {
    guard let best = self.ways.first else { return [] }
    var readings = await best.read(queues)
    for next in self.ways.dropFirst() {
      let open = readings.indices.filter { Self.wants(readings[$0]) }
      if open.isEmpty { break }
      let further = await next.read(open.map { readings[$0].queue })
      for (place, reading) in zip(open, further) { readings[place] = Self.fold(readings[place], reading) }
    }
    return readings
  }

  /// Whether a further way is to be asked.
  static func wants(_ reading: DepthReading) -> Bool {
    switch reading.value {
    case .missing: false
    case .unreadable: true
    case .counted(let count): !count.includesUnsettled
    }
  }

  /// A reading, with what a further way says of the same queue.
  static func fold(_ better: DepthReading, _ further: DepthReading) -> DepthReading {
    switch (better.value, further.value) {
    case (.unreadable(let error), _):
      var reading = further
      if let way = better.way { reading.passedOver = better.passedOver + [.init(way: way, because: error)] + further.passedOver }
      return reading
    case (.counted(let exact), .counted(let whole)) where whole.includesUnsettled:
      var reading = better
      reading.value = .counted(Self.complete(exact, with: whole))
      reading.lag = max(better.lag, further.lag)
      return reading
    case (.counted, .unreadable(let error)):
      var reading = better
      if let way = further.way { reading.passedOver.append(.init(way: way, because: error)) }
      return reading
    case (.counted, .counted), (.counted, .missing), (.missing, _): return better
    }
  }

  private static func complete(_ exact: QueueCount, with whole: QueueCount) -> QueueCount {
    var count = exact
    let locked = whole.figures?.locked
    count.messages = max(exact.messages + Int(clamping: locked ?? 0), whole.messages)
    count.includesUnsettled = true
    count.consumers = exact.consumers ?? whole.consumers
    count.arrivals = exact.arrivals ?? whole.arrivals
    var figures = exact.figures ?? QueueFigures()
    figures.active = figures.active ?? whole.figures?.active
    figures.locked = locked
    count.figures = figures
    return count
  }
}
