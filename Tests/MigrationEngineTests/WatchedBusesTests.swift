// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import Migration
import NIOConcurrencyHelpers
import Testing

@testable import MigrationEngine

@Suite("Looks at counters from one watch over a bus", .timeLimit(.minutes(5)))
struct WatchedBusesTests {
  /// Time that stands still until it is moved.
  private final class SetClock: MigrationClock {
    private let time = NIOLockedValueBox(Instant(milliseconds: 1_800_000_000_000))
    var now: Instant { self.time.withLockedValue { $0 } }
    func pass(_ span: TimeSpan) { self.time.withLockedValue { $0 = $0 + span } }
    func sleep(until deadline: Instant) async throws {
      while self.now < deadline { try await Task.sleep(for: .milliseconds(2)) }
    }
  }

  /// A bus that is asked queue by queue.
  private final class AskedBus: BusPort {
    let questions = NIOLockedValueBox(0)
    func look(at queues: [GroupQueue], on bus: BusName) async -> [QueueReading] {
      self.questions.withLockedValue { $0 += queues.count }
      return queues.map {
        QueueReading(address: $0.address, kind: $0.kind, count: .counted(depth: 0, arrivals: nil, consumers: 0))
      }
    }
    func preflight(
      source: BusName, sourceQueues: [GroupQueue], target: BusName, targetQueues: [GroupQueue]
    ) async -> [Finding<PreflightCheck>] { [] }
    func ping(_ herID: HerID, on bus: BusName, queues: [GroupQueue]) async -> PingReport {
      PingReport(herID: herID, bus: bus, findings: [])
    }
    func peek(at queues: [GroupQueue], on bus: BusName) async -> [QueueSightings] { [] }
  }

  /// A list of the whole bus, read when the test says so.
  private final class ListedBus: QueuesWatch {
    struct Watching: Sendable {
      var queues: [String]
      var looked: @Sendable ([DepthReading]) async -> Void
    }
    let watching = NIOLockedValueBox<Watching?>(nil)
    let listsQueues: Bool

    init(listsQueues: Bool = true) { self.listsQueues = listsQueues }

    func watch(_ queues: [String], looked: @escaping @Sendable ([DepthReading]) async -> Void) async {
      self.watching.withLockedValue { $0 = Watching(queues: queues, looked: looked) }
      while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(2)) }
    }

    func list(_ clock: SetClock, _ value: DepthReading.Value? = nil) async {
      guard let watching = self.watching.withLockedValue({ $0 }) else { return }
      let readAt = RegistryInstant(millisecondsSinceEpoch: clock.now.milliseconds)
      let counted = DepthReading.Value.counted(QueueCount(messages: 0, includesUnsettled: true, consumers: 0))
      await watching.looked(
        watching.queues.map { DepthReading(queue: $0, way: .managementHTTP, readAt: readAt, value: value ?? counted) })
    }
  }

  private static func groups(_ count: Int) throws -> [[GroupQueue]] {
    try (0..<count).map { number in
      try QueueKind.inRegister.map { kind in
        GroupQueue(address: try QueueAddress(text: "a.example/NHN/\(number)_\(kind.rawValue)"), kind: kind)
      }
    }
  }

  @Test("a thousand groups in an hour: a list every half minute instead of a question for each queue of each look")
  func thousand() async throws {
    let (clock, asked, listed) = (SetClock(), AskedBus(), ListedBus())
    let groups = try Self.groups(1_000)
    let watched = WatchedBuses(asked, watches: ["a": listed], clock: clock)
    let running = Task { await watched.run() }
    func round() async { for group in groups { _ = await watched.look(at: group, on: "a") } }
    // The first two looks of each are asked for: who looks once is not watched.
    await round()
    clock.pass(.minutes(5))
    await round()
    let perRound = 1_000 * QueueKind.inRegister.count
    #expect(asked.questions.withLockedValue { $0 } == 2 * perRound)
    clock.pass(.minutes(1))
    while listed.watching.withLockedValue({ $0?.queues.count }) != perRound { try await Task.sleep(for: .milliseconds(2)) }
    for _ in 0..<12 {
      clock.pass(.minutes(5))
      await listed.list(clock)
      await round()
    }
    #expect(asked.questions.withLockedValue { $0 } == 2 * perRound)
    #expect(await watched.answered == 12_000)
    // What the watch itself asks in an hour: a list of pages of 500, as often as its schedule says.
    var schedule = WatchSchedule([""], settings: .wholeBus)
    var (now, lists) = (Duration.zero, 0)
    while now < .seconds(3_600) {
      switch schedule.next(at: now) {
      case .ask(let names):
        lists += 1
        for name in names { schedule.answered(name, .same, at: now, draw: 0.5) }
      case .wait(let until): now = until
      case .idle: now = .seconds(3_600)
      }
    }
    let (before, after) = (12 * perRound, lists * (perRound / 500))
    #expect(before == 36_000 && after <= 1_080 && after > 0, "questions an hour: \(before) without a watch, \(after) with it")
    // A reading answers a look once, and an old one none.
    await round()
    #expect(asked.questions.withLockedValue { $0 } == 3 * perRound)
    await listed.list(clock)
    clock.pass(WatchedBuses.allowedAge * 2)
    await round()
    #expect(asked.questions.withLockedValue { $0 } == 4 * perRound)
    // What could not be read is asked for.
    clock.pass(.minutes(5))
    await listed.list(clock, .unreadable(.countNotYet(way: .managementHTTP)))
    await round()
    #expect(asked.questions.withLockedValue { $0 } == 5 * perRound)
    running.cancel()
    await running.value
  }

  @Test("the reading's own time goes along with it")
  func times() async throws {
    let (clock, asked, listed) = (SetClock(), AskedBus(), ListedBus())
    let groups = try Self.groups(40)
    let watched = WatchedBuses(asked, watches: ["a": listed], clock: clock)
    let running = Task { await watched.run() }
    for _ in 0..<2 { for group in groups { _ = await watched.look(at: group, on: "a") } }
    clock.pass(.minutes(1))
    while listed.watching.withLockedValue({ $0 == nil }) { try await Task.sleep(for: .milliseconds(2)) }
    await listed.list(clock)
    let readAt = clock.now
    clock.pass(.seconds(20))
    let readings = await watched.look(at: groups[0], on: "a")
    #expect(readings.count == QueueKind.inRegister.count && readings.allSatisfy { $0.readAt == readAt && $0.depth == 0 })
    running.cancel()
    await running.value
  }

  @Test("few queues, and buses that list nothing, are asked as before")
  func few() async throws {
    for (count, listsQueues) in [(5, true), (100, false)] {
      let (clock, asked, listed) = (SetClock(), AskedBus(), ListedBus(listsQueues: listsQueues))
      let groups = try Self.groups(count)
      let watched = WatchedBuses(asked, watches: ["a": listed], clock: clock)
      let running = Task { await watched.run() }
      for _ in 0..<3 {
        for group in groups { _ = await watched.look(at: group, on: "a") }
        clock.pass(.minutes(5))
      }
      #expect(asked.questions.withLockedValue { $0 } == 3 * count * QueueKind.inRegister.count)
      #expect(listed.watching.withLockedValue { $0 == nil })
      running.cancel()
      await running.value
    }
  }
}
