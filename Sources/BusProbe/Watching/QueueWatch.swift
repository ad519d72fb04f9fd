// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A queue that is not as it was when it was looked at before.
public struct QueueChange: Sendable, Hashable {
  /// Nil at the first look.
  public var before: DepthReading.Value?
  public var reading: DepthReading
}

/// Watches thousands of queues of one bus gently, over one connection, and tells what changed.
///
/// ```swift
/// await QueueWatch(queues, counting: counting).run { changes in
///   for change in changes { ... }
/// }
/// ```
///
/// Where the way of counting lists the whole bus in a few questions (RabbitMQ by HTTP, Service Bus for Windows Server, ActiveMQ), the
/// list is read every 20 to 30 s; elsewhere each queue is asked about on its own, as ``WatchSchedule`` has it. A count that cannot be
/// had is a change like any other, told once.
public struct QueueWatch: Sendable {
  private let queues: [String]
  private let counting: any QueueCounting
  private let census: (any BusCensus)?
  private let settings: WatchSchedule.Settings

  /// - Parameters:
  ///   - queues: each once.
  ///   - census: the list of the whole bus; nil for `counting`, where that can list.
  ///   - wholeBus: whether that list is used where there is one. Default: for more than fifty queues.
  ///   - settings: nil for the defaults: `WatchSchedule.Settings()`, or `.wholeBus`.
  public init(
    _ queues: [String], counting: any QueueCounting, census: (any BusCensus)? = nil, wholeBus: Bool? = nil,
    settings: WatchSchedule.Settings? = nil
  ) {
    self.queues = queues
    self.counting = counting
    let listing = census ?? counting as? any BusCensus
    self.census = wholeBus ?? (queues.count > Self.fewQueues) ? listing : nil
    self.settings = settings ?? (self.census == nil ? WatchSchedule.Settings() : .wholeBus)
  }

  /// So many queues are asked about one by one even where the bus could list them all.
  private static let fewQueues = 50

  /// Watches until the task is cancelled.
  ///
  /// - Parameter report: called with what changed, never twice at once; the first look at a queue is a change. The next look waits for
  ///   it.
  public func run(_ report: @Sendable ([QueueChange]) async -> Void) async { await self.run(looked: { _ in }, report) }

  /// As ``run(_:)``, for who must know when each queue was last read.
  ///
  /// - Parameter looked: called with every reading, changed or not, as it comes.
  public func run(looked: @Sendable ([DepthReading]) async -> Void) async { await self.run(looked: looked) { _ in } }

  private func run(
    looked: @Sendable ([DepthReading]) async -> Void, _ report: @Sendable ([QueueChange]) async -> Void
  ) async {
    let clock = ContinuousClock()
    let begun = clock.now
    var schedule = WatchSchedule(self.census == nil ? self.queues : [""], settings: self.settings)
    var last: [String: DepthReading.Value] = [:]
    while !Task.isCancelled {
      switch schedule.next(at: begun.duration(to: clock.now)) {
      case .idle: return
      case .wait(let until):
        do { try await clock.sleep(until: begun + until, tolerance: .milliseconds(100)) } catch { return }
      case .ask(let names):
        let changes: [QueueChange]
        let readings: [DepthReading]
        if let census {
          let asked = begun.duration(to: clock.now)
          readings = await self.list(census)
          changes = Self.changes(readings, &last)
          // Counted from its beginning, or a list that takes long would be late twice; but never without a rest for the bus.
          let from = max(asked, begun.duration(to: clock.now) - self.settings.shortest * 0.6)
          schedule.answered("", changes.isEmpty ? .same : .changed, at: from, draw: .random(in: 0..<1))
        } else {
          readings = await self.counting.read(names)
          changes = Self.changes(readings, &last)
          let changed = Set(changes.map(\.reading.queue))
          let now = begun.duration(to: clock.now)
          for reading in readings {
            let look: WatchSchedule.Look =
              if case .unreadable = reading.value { .unreadable } else { changed.contains(reading.queue) ? .changed : .same }
            schedule.answered(reading.queue, look, at: now, draw: .random(in: 0..<1))
          }
        }
        // What a cancellation cut off is no reading.
        if Task.isCancelled { return }
        await looked(readings)
        if !changes.isEmpty { await report(changes) }
      }
    }
  }

  /// The watched queues as the list has them.
  private func list(_ census: any BusCensus) async -> [DepthReading] {
    let reading = await census.census()
    func all(_ value: DepthReading.Value) -> [DepthReading] {
      self.queues.map { DepthReading(queue: $0, way: reading.way, readAt: reading.readAt, value: value) }
    }
    switch reading.value {
    case .unreadable(let error), .notPossible(let error): return all(.unreadable(error))
    case .listed(let found):
      let byName = Dictionary(found.map { ($0.queue, $0) }, uniquingKeysWith: { first, _ in first })
      return self.queues.map {
        byName[$0] ?? DepthReading(queue: $0, way: reading.way, readAt: reading.readAt, value: .missing)
      }
    }
  }

  static func changes(_ readings: [DepthReading], _ last: inout [String: DepthReading.Value]) -> [QueueChange] {
    var changes: [QueueChange] = []
    for reading in readings where last[reading.queue] != reading.value {
      changes.append(QueueChange(before: last.updateValue(reading.value, forKey: reading.queue), reading: reading))
    }
    return changes
  }
}
