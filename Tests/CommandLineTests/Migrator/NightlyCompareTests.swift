// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Migration
import MigrationEngine
import NIOConcurrencyHelpers
import Testing

@testable import bus_migrator

@Suite("The whole cache is compared with the register every night", .timeLimit(.minutes(5)))
struct NightlyCompareTests {
  /// A clock that is where it is waited for, until its last night: then it stands, and whoever waits, waits to be cancelled.
  private final class NightClock: MigrationClock {
    private let instant: NIOLockedValueBox<Instant>
    private let end: Instant
    let (stands, standing) = AsyncStream.makeStream(of: Void.self)

    init(_ instant: Instant, end: Instant) {
      self.instant = NIOLockedValueBox(instant)
      self.end = end
    }

    var now: Instant { self.instant.withLockedValue { $0 } }

    func sleep(until deadline: Instant) async throws {
      if deadline <= self.end { return self.instant.withLockedValue { $0 = max($0, deadline) } }
      self.standing.yield()
      try await Task.sleep(for: .seconds(86_400))
    }
  }

  private final class Register: AddressRegisterReading {
    private let state: NIOLockedValueBox<(records: [HerID: PartyRecord], isAway: Bool)>
    init(_ records: [PartyRecord]) {
      self.state = NIOLockedValueBox((Dictionary(records.map { ($0.herID, $0) }) { $1 }, false))
    }
    func put(_ record: PartyRecord) { self.state.withLockedValue { $0.records[record.herID] = record } }
    func remove(_ herID: HerID) { self.state.withLockedValue { $0.records[herID] = nil } }
    func setAway(_ isAway: Bool) { self.state.withLockedValue { $0.isAway = isAway } }
    func party(_ herID: HerID) async throws -> PartyRecord {
      let (record, isAway) = self.state.withLockedValue { ($0.records[herID], $0.isAway) }
      if isAway { throw AddressRegistryError.registerUnreachable(url: "u", seen: "away") }
      guard let record else { throw AddressRegistryError.partyUnknown(herID, askedRegister: true) }
      return record
    }
  }

  private final class Told: Notifier {
    private let notices = NIOLockedValueBox<[Notice]>([])
    var all: [Notice] { self.notices.withLockedValue { $0 } }
    func notify(_ notice: Notice) { self.notices.withLockedValue { $0.append(notice) } }
  }

  private static func instant(_ text: String) throws -> Instant {
    Instant(milliseconds: Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970 * 1_000))
  }

  private struct Stage {
    var cache: AddressCache
    var register: Register
    var told = Told()
    var records: [PartyRecord]
  }

  private func withStage(_ body: (Stage) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nightly-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = try await AddressCache.open(path: folder.appendingPathComponent("c.sqlite").path, access: .readWrite)
    let records = try [Int32(100), 200, 300].map { try madeUpRecord($0) }
    let readAt = RegistryInstant(millisecondsSinceEpoch: try Self.instant("2026-01-10T12:00:00Z").milliseconds)
    for record in records { try await cache.save(record, source: .soap, readAt: readAt, now: readAt) }
    try await body(Stage(cache: cache, register: Register(records), records: records))
    try await cache.close()
  }

  /// Runs the service from one instant until it would sleep beyond another.
  private func run(
    _ stage: Stage, from start: String, until end: String, written: [HerID: RegistryComparison.Written] = [:]
  ) async throws {
    let clock = NightClock(try Self.instant(start), end: try Self.instant(end))
    let service = NightlyCompare(
      at: try #require(TimeOfDay(text: "03:00")), cache: stage.cache, register: stage.register, written: { written },
      notifier: stage.told, clock: clock)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await service.run() }
      for await _ in clock.stands { break }
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  @Test("when it is next 03:00 in Norway, in winter and in summer, and in the nights when the clock is changed")
  func timeOfDay() throws {
    let three = try #require(TimeOfDay(text: "03:00"))
    let halfPastTwo = try #require(TimeOfDay(text: "02:30"))
    #expect(try three.next(after: Self.instant("2026-01-10T12:00:00Z")) == Self.instant("2026-01-11T02:00:00Z"))
    #expect(try three.next(after: Self.instant("2026-01-11T02:00:00Z")) == Self.instant("2026-01-12T02:00:00Z"))
    #expect(try three.next(after: Self.instant("2026-07-10T12:00:00Z")) == Self.instant("2026-07-11T01:00:00Z"))
    // 29 March 2026: after 01:59 comes 03:00. 25 October 2026: 02:30 comes twice.
    #expect(try halfPastTwo.next(after: Self.instant("2026-03-28T12:00:00Z")) == Self.instant("2026-03-29T01:00:00Z"))
    #expect(try halfPastTwo.next(after: Self.instant("2026-10-24T12:00:00Z")) == Self.instant("2026-10-25T00:30:00Z"))
    #expect(try halfPastTwo.next(after: Self.instant("2026-10-25T00:30:00Z")) == Self.instant("2026-10-26T01:30:00Z"))
  }

  @Test("every night: silent differences are told, kept, and read into the cache; the next night there are none")
  func silent() async throws {
    try await self.withStage { stage in
      var changed = stage.records[1]
      changed.name = "renamed"
      stage.register.put(changed)
      stage.register.remove(stage.records[2].herID)
      try await self.run(stage, from: "2026-01-10T12:00:00Z", until: "2026-01-11T12:00:00Z")
      let report = try #require(try await stage.cache.lastComparison())
      #expect(report.silent.map(\.herID.value) == [200] && report.gone.map(\.value) == [300] && report.compared == 3)
      #expect(report.begunAt.millisecondsSinceEpoch == (try Self.instant("2026-01-11T02:00:00Z").milliseconds))
      #expect(stage.told.all.map(\.weight) == [.warning])
      #expect(stage.told.all.first?.words.contains("1 differ silently (HER-ID 200)") == true)
      #expect(try await stage.cache.party(changed.herID)?.record == changed)

      stage.register.put(stage.records[2])
      // A new daemon, two nights on: the night that was missed is made up for at once, and then comes the next.
      try await self.run(stage, from: "2026-01-13T09:00:00Z", until: "2026-01-14T12:00:00Z")
      #expect(stage.told.all.map(\.weight) == [.warning, .information, .information])
      #expect(try stage.told.all.map(\.at) == ["11T02", "13T09", "14T02"].map { try Self.instant("2026-01-\($0):00:00Z") })
      #expect(try await stage.cache.lastComparison()?.isAgreed == true)
    }
  }

  @Test("an entry that we wrote and somebody else has changed since is an alarm; one that is as we wrote it is not")
  func foreign() async throws {
    try await self.withStage { stage in
      var after = stage.records[0]
      after.addresses[0].text = "b.example/NHN/100_async"
      var others = after
      others.addresses[1].text = "elsewhere.example/NHN/100_sync"
      let written = [after.herID: RegistryComparison.Written(before: stage.records[0], after: after)]
      let readAt = RegistryInstant(millisecondsSinceEpoch: try Self.instant("2026-01-10T13:00:00Z").milliseconds)
      try await stage.cache.save(after, source: .soap, readAt: readAt, now: readAt)
      stage.register.put(after)
      try await self.run(stage, from: "2026-01-10T14:00:00Z", until: "2026-01-11T12:00:00Z", written: written)
      stage.register.put(others)
      try await self.run(stage, from: "2026-01-11T14:00:00Z", until: "2026-01-12T12:00:00Z", written: written)
      #expect(stage.told.all.map(\.weight) == [.information, .alarm])
      let report = try #require(try await stage.cache.lastComparison())
      #expect(report.foreign.map(\.herID) == [after.herID])
      #expect(report.foreign.first?.fields.map(\.after) == ["elsewhere.example/NHN/100_sync"])
      #expect(try await stage.cache.party(others.herID)?.record == others)
    }
  }

  @Test("a register that is away is told, nothing is called gone, and the next night it is asked again")
  func away() async throws {
    try await self.withStage { stage in
      stage.register.setAway(true)
      try await self.run(stage, from: "2026-01-10T12:00:00Z", until: "2026-01-11T12:00:00Z")
      let report = try #require(try await stage.cache.lastComparison())
      #expect(report.failureCount == 3 && report.goneCount == 0 && report.compared == 0)
      #expect(report.failures.map(\.code) == ["AR-401", "AR-401", "AR-401"])
      #expect(stage.told.all.map(\.weight) == [.warning])
      stage.register.setAway(false)
      try await self.run(stage, from: "2026-01-11T12:00:00Z", until: "2026-01-12T12:00:00Z")
      #expect(stage.told.all.map(\.weight) == [.warning, .information])
    }
  }
}

private func madeUpRecord(_ value: Int32) throws -> PartyRecord { try Stage.record(value) }
