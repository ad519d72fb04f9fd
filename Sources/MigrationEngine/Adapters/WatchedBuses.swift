// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Migration

/// A way to watch many queues of one bus at once.
public protocol QueuesWatch: Sendable {
  /// Whether the bus lists all its queues in a few questions: only then a watch asks less than the groups' own looks do.
  var listsQueues: Bool { get }

  /// Watches until cancelled, or until it cannot.
  ///
  /// - Parameter looked: takes every reading, changed or not.
  func watch(_ queues: [String], looked: @escaping @Sendable ([DepthReading]) async -> Void) async
}

extension BusProbe: QueuesWatch {
  public func watch(_ queues: [String], looked: @escaping @Sendable ([DepthReading]) async -> Void) async {
    await self.watch(queues)?.run(looked: looked)
  }
}

/// The buses, with looks at counters answered from one watch over all the queues of a bus that groups look at again and again: a thousand
/// groups cost a list every half minute, and not a question for each queue of each.
///
/// No reading answers two looks of one queue, none that is older than ``allowedAge`` answers any, and one that could not be had answers
/// none: then the bus is asked as if nobody watched.
public actor WatchedBuses: BusPort {
  /// The oldest reading that may answer a look.
  public static let allowedAge = TimeSpan.seconds(60)
  /// So many queues are asked about one by one.
  static let fewQueues = 50
  /// A queue that nobody has looked at for so long is watched no more.
  static let interest = TimeSpan.hours(1)
  /// A watch is not begun anew more often, however many queues come and go.
  static let rest = TimeSpan.seconds(30)

  private struct Watched {
    var looks = 0
    var lastLookAt: Instant
    var reading: DepthReading?
    /// The reading that answered the last look.
    var givenAt: Instant?
  }

  private nonisolated let asked: any BusPort
  private let watches: [BusName: any QueuesWatch]
  private let clock: any MigrationClock
  private var queues: [BusName: [String: Watched]] = [:]
  /// Looks answered without asking, and those that were asked for.
  private(set) var answered = 0
  private(set) var passedOn = 0

  /// - Parameter asked: what answers everything else.
  public init(_ asked: any BusPort, watches: [BusName: any QueuesWatch], clock: any MigrationClock = SystemMigrationClock()) {
    self.asked = asked
    self.watches = watches.filter(\.value.listsQueues)
    self.clock = clock
  }

  public nonisolated func preflight(
    source: BusName, sourceQueues: [GroupQueue], target: BusName, targetQueues: [GroupQueue]
  ) async -> [Finding<PreflightCheck>] {
    await self.asked.preflight(source: source, sourceQueues: sourceQueues, target: target, targetQueues: targetQueues)
  }

  public nonisolated func ping(_ herID: HerID, on bus: BusName, queues: [GroupQueue]) async -> PingReport {
    await self.asked.ping(herID, on: bus, queues: queues)
  }

  public nonisolated func peek(at queues: [GroupQueue], on bus: BusName) async -> [QueueSightings] {
    await self.asked.peek(at: queues, on: bus)
  }

  public func look(at queues: [GroupQueue], on bus: BusName) async -> [QueueReading] {
    let now = self.clock.now
    let names = queues.map(\.address.queue)
    for name in names {
      var watched = self.queues[bus]?[name] ?? Watched(lastLookAt: now)
      watched.looks += 1
      watched.lastLookAt = now
      self.queues[bus, default: [:]][name] = watched
    }
    let found = names.map { self.fresh($0, on: bus, now: now) }
    guard !found.isEmpty, found.allSatisfy({ $0 != nil }) else {
      self.passedOn += 1
      return await self.asked.look(at: queues, on: bus)
    }
    self.answered += 1
    return zip(queues, found).compactMap { queue, reading in
      guard let reading else { return nil }
      let readAt = Instant(milliseconds: reading.readAt.millisecondsSinceEpoch)
      self.queues[bus]?[queue.address.queue]?.givenAt = readAt
      return QueueReading(
        address: queue.address, kind: queue.kind, count: ProbedBuses.count(reading.value), readAt: readAt)
    }
  }

  /// nil when there is none that may answer.
  private func fresh(_ name: String, on bus: BusName, now: Instant) -> DepthReading? {
    guard let watched = self.queues[bus]?[name], let reading = watched.reading else { return nil }
    if case .unreadable = reading.value { return nil }
    let readAt = Instant(milliseconds: reading.readAt.millisecondsSinceEpoch)
    let age = now.since(readAt)
    guard age.milliseconds >= 0, age <= Self.allowedAge, watched.givenAt.map({ $0 < readAt }) ?? true else { return nil }
    return reading
  }

  // MARK: the watch

  /// Watches until cancelled.
  public func run() async {
    await withTaskGroup(of: Void.self) { group in
      for (bus, watch) in self.watches { group.addTask { await self.follow(bus, watch) } }
    }
  }

  /// One bus: a watch over what is wanted now, begun anew when that is another.
  private func follow(_ bus: BusName, _ watch: any QueuesWatch) async {
    var watching: Set<String> = []
    var task: Task<Void, Never>?
    defer { task?.cancel() }
    while !Task.isCancelled {
      let wanted = self.wanted(on: bus)
      if wanted != watching {
        task?.cancel()
        await task?.value
        watching = wanted
        task =
          wanted.isEmpty
          ? nil : Task { await watch.watch(wanted.sorted()) { readings in await self.take(readings, on: bus) } }
      }
      guard (try? await self.clock.sleep(until: self.clock.now + Self.rest)) != nil else { break }
    }
    task?.cancel()
    await task?.value
  }

  /// Queues that were looked at twice of late; none when they are so few that asking costs less.
  private func wanted(on bus: BusName) -> Set<String> {
    let since = self.clock.now + .milliseconds(-Self.interest.milliseconds)
    let live = (self.queues[bus] ?? [:]).filter { $0.value.lastLookAt >= since }
    self.queues[bus] = live
    let wanted = Set(live.filter { $0.value.looks > 1 }.keys)
    return wanted.count > Self.fewQueues ? wanted : []
  }

  private func take(_ readings: [DepthReading], on bus: BusName) {
    for reading in readings where self.queues[bus]?[reading.queue] != nil { self.queues[bus]?[reading.queue]?.reading = reading }
  }
}
