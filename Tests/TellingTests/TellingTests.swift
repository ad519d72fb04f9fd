// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import GRDB
import Migration
import MigrationEngine
import NIOConcurrencyHelpers
import Testing

@testable import Telling

@Suite("Telling, over days and over changes of who is told", .timeLimit(.minutes(5)))
struct TellingTests {
  private static let start = Instant(milliseconds: 1_770_000_000_000)

  /// A clock that is where it is waited for, until its end: there it stands.
  private final class DayClock: MigrationClock {
    private let instant: NIOLockedValueBox<Instant>
    private let end: Instant
    let (stands, standing) = AsyncStream.makeStream(of: Void.self)

    init(_ start: Instant, end: Instant) {
      self.instant = NIOLockedValueBox(start)
      self.end = end
    }

    var now: Instant { self.instant.withLockedValue { $0 } }

    func sleep(until deadline: Instant) async throws {
      try Task.checkCancellation()
      if deadline <= self.end {
        self.instant.withLockedValue { $0 = max($0, deadline) }
        return await Task.yield()
      }
      self.standing.yield()
      try await Task.sleep(for: .seconds(86_400))
    }
  }

  private final class Channel: TellingChannel {
    let name: String
    let lowest = StandingCondition.Weight.person
    let mostAtOnce = 10
    let got = NIOLockedValueBox<[String]>([])
    let (told, telling) = AsyncStream.makeStream(of: Void.self)
    private let fails: Bool

    init(_ name: String, fails: Bool = false) {
      self.name = name
      self.fails = fails
    }

    func tell(_ messages: [TellingMessage]) async throws(TellingFailure) {
      if !self.fails { self.got.withLockedValue { $0 += messages.map { "\($0.kind.rawValue) \($0.code)" } } }
      self.telling.yield()
      if self.fails { throw TellingFailure("nobody there") }
    }
  }

  private final class Told: Notifier {
    let notices = NIOLockedValueBox<[Notice]>([])
    func notify(_ notice: Notice) { self.notices.withLockedValue { $0.append(notice) } }
  }

  private func withPath(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("telling-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.appendingPathComponent("history.telling").path)
  }

  /// A line that is stopped, for as long as it is.
  private static func stopped() -> MigrationState {
    var state = MigrationState()
    _ = state.apply(.lineStopped(by: "Kari", why: "strange answers"), at: Self.start)
    return state
  }

  /// Runs until `until` yields, or everything is told, and ends it.
  private func run(
    _ path: String, _ channels: [Channel], _ clock: DayClock, told: Told = Told(), state: MigrationState = stopped(),
    until: AsyncStream<Void>? = nil
  ) async throws {
    let (allTold, telling) = AsyncStream.makeStream(of: Void.self)
    let store = try await TellingStore.open(path: path)
    let teller = Telling(
      store: store, channels: channels, settings: Telling.Settings(), news: EngineNews(), clock: clock, notifier: told,
      onWaiting: { waiting in
        if waiting.isEmpty, channels.allSatisfy({ !$0.got.withLockedValue { $0 }.isEmpty }) { telling.yield() }
      }, state: { state })
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await teller.run() }
      for await _ in until ?? allTold { break }
      group.cancelAll()
    }
    store.close()
  }

  private func rows(_ path: String) throws -> Int {
    try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM telling") ?? -1 }
  }

  @Test("what was told is forgotten after thirty days, by a daemon that runs all that time, and not before")
  func forgetting() async throws {
    for (days, left) in [(Int64(29), 1), (32, 0)] {
      try await self.withPath { path in
        let channel = Channel("vakt")
        try await self.run(path, [channel], DayClock(Self.start, end: Self.start + .hours(1)))
        #expect(channel.got.withLockedValue { $0 } == ["began MIG-417"])
        #expect(try self.rows(path) == 1)
        let clock = DayClock(Self.start + .hours(1), end: Self.start + .days(days))
        try await self.run(path, [channel], clock, until: clock.stands)
        #expect(try self.rows(path) == left, "after \(days) days")
        // It stands all the time: nobody is told again, forgotten or not.
        #expect(channel.got.withLockedValue { $0 } == ["began MIG-417"])
      }
    }
  }

  @Test("a channel that is new is told what stands, once; who was told is not told again")
  func newcomer() async throws {
    try await self.withPath { path in
      let (first, second) = (Channel("vakt"), Channel("mail"))
      try await self.run(path, [first], DayClock(Self.start, end: Self.start + .hours(1)))
      try await self.run(path, [first, second], DayClock(Self.start + .hours(1), end: Self.start + .hours(2)))
      #expect(second.got.withLockedValue { $0 } == ["began MIG-417"])
      let clock = DayClock(Self.start + .hours(2), end: Self.start + .hours(3))
      try await self.run(path, [first, second], clock, until: clock.stands)
      #expect(first.got.withLockedValue { $0 } == ["began MIG-417"] && second.got.withLockedValue { $0 } == ["began MIG-417"])
    }
  }

  /// Takes a message, and has it on its way until it is let go.
  private final class SlowChannel: TellingChannel {
    let name = "vakt"
    let lowest = StandingCondition.Weight.person
    let mostAtOnce = 10
    let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
    let (free, freeing) = AsyncStream.makeStream(of: Void.self)
    let told = NIOLockedValueBox((whole: 0, cut: 0))

    func tell(_ messages: [TellingMessage]) async throws(TellingFailure) {
      self.beginning.yield()
      for await _ in self.free { break }
      let isCut = Task.isCancelled
      self.told.withLockedValue { isCut ? ($0.cut += 1) : ($0.whole += 1) }
      if isCut { throw TellingFailure("cut short") }
    }
  }

  @Test("who is relieved lets what is on its way arrive, and begins nothing more; who tells next does not tell it again")
  func relieved() async throws {
    try await self.withPath { path in
      let channel = SlowChannel()
      let store = try await TellingStore.open(path: path)
      let (relief, relieving) = AsyncStream.makeStream(of: Void.self)
      let clock = DayClock(Self.start, end: Self.start + .seconds(61))
      let teller = Telling(
        store: store, channels: [channel], settings: Telling.Settings(), news: EngineNews(), clock: clock, notifier: Told(),
        state: { Self.stopped() })
      let running = Task { await teller.run { for await _ in relief { break } } }
      for await _ in channel.begun { break }
      // From here on no time passes: neither is what is on its way given up.
      for await _ in clock.stands { break }
      relieving.yield()
      channel.freeing.yield()
      await running.value
      #expect(channel.told.withLockedValue { $0.whole } == 1 && channel.told.withLockedValue { $0.cut } == 0)
      #expect(try await store.waiting().isEmpty)
      store.close()
    }
  }

  @Test("what waits over a channel that is gone is given up, and the log says so")
  func gone() async throws {
    try await self.withPath { path in
      let (first, broken) = (Channel("vakt"), Channel("mail", fails: true))
      try await self.run(path, [first, broken], DayClock(Self.start, end: Self.start + .seconds(1)), until: broken.told)
      let told = Told()
      let clock = DayClock(Self.start + .hours(1), end: Self.start + .hours(2))
      try await self.run(path, [first], clock, told: told, until: clock.stands)
      let notice = told.notices.withLockedValue { $0.first }
      #expect(
        notice?.code == "TELL-003" && notice?.words.contains("mail") == true && notice?.words.contains("1 messages") == true)
      let store = try await TellingStore.open(path: path)
      #expect(try await store.waiting() == [:])
      store.close()
    }
  }

  @Test("a file of an earlier version names no channels: nobody is told again what stands")
  func earlier() async throws {
    try await self.withPath { path in
      let channel = Channel("vakt")
      try await self.run(path, [channel], DayClock(Self.start, end: Self.start + .hours(1)))
      try await DatabaseQueue(path: path).write { try $0.execute(sql: "DROP TABLE channel") }
      let clock = DayClock(Self.start + .hours(1), end: Self.start + .hours(2))
      try await self.run(path, [channel], clock, until: clock.stands)
      #expect(channel.got.withLockedValue { $0 } == ["began MIG-417"])
    }
  }
}
