// SPDX-License-Identifier: Apache-2.0

import Computing
import Foundation
import GRDB
import Migration
import Testing

@testable import MigrationStore

/// I-19 on the product's own chain and file of heads: whole histories of the simulated world, kept in the real store.
@Suite("The audit of whole histories", .serialized, .computing)
struct AuditOfHistoriesTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("audit-\(UUID().uuidString)")

  /// The history in a database, with a head kept outside as the daemon does: at each start, and `hours` after the one before, whatever
  /// happens then.
  private func keep(_ seed: UInt64, every hours: Int64 = 1) async throws -> (database: String, heads: [ChainHead]) {
    try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
    let (database, file) = (self.folder.appendingPathComponent("m.sqlite").path, self.folder.appendingPathComponent("heads").path)
    let history = try await CheckpointTests.history(seed)
    let store = try await SQLiteEventStore.open(path: database, at: Instant(milliseconds: 0))
    _ = try await store.load()
    var (head, kept) = (ChainHead.empty, ChainHead.empty)
    var last: Instant?
    func anchor(at: Instant) async throws {
      last = at
      if head == kept { return }
      kept = head
      try await HeadLine(at: at, head: head).append(toFile: file)
    }
    for (event, at) in history {
      if let last, at >= last + .hours(hours) || at < last { try await anchor(at: at) }
      head = try await store.append([event], at: at, actor: "test")
      if event == .daemonStarted { try await anchor(at: at) }
    }
    try await anchor(at: last ?? Instant(milliseconds: 0))
    await store.close()
    return (database, try await HeadLine.heads(inFile: file))
  }

  private func code(_ body: () async throws -> Void) async -> String? {
    do { try await body() } catch let error as StoreError { return error.stableCode } catch { return "\(error)" }
    return nil
  }

  /// Changes rows as somebody would who has the file: without the triggers that keep it append-only.
  private func tamper(_ database: String, _ sql: String) throws {
    let queue = try DatabaseQueue(path: database)
    try queue.write { database in
      for trigger in try String.fetchAll(database, sql: "SELECT name FROM sqlite_schema WHERE type = 'trigger'") {
        try database.execute(sql: "DROP TRIGGER \(trigger)")
      }
      try database.execute(sql: sql)
    }
    try queue.close()
  }

  @Test(
    "whole it goes through every head; cut off by one event, changed in one row, or written anew it does not",
    arguments: [1, 5] as [UInt64])
  func whole(seed: UInt64) async throws {
    defer { try? FileManager.default.removeItem(at: self.folder) }
    let (database, heads) = try await self.keep(seed)
    let audit = try await SQLiteEventReader.open(path: database).verify(heads: heads)
    #expect(heads.count > 20 && audit.events > 100)
    let last = try #require(heads.last).sequence
    // Without the heads a history that is cut off is whole in itself.
    try self.tamper(database, "DELETE FROM event WHERE sequence >= \(last)")
    #expect(await self.code { _ = try await SQLiteEventReader.open(path: database).verify() } == nil)
    #expect(await self.code { _ = try await SQLiteEventReader.open(path: database).verify(heads: heads) } == "STORE-014")
    try self.tamper(database, "UPDATE event SET actor = 'Mallory' WHERE sequence = 7")
    #expect(await self.code { _ = try await SQLiteEventReader.open(path: database).verify() } == "STORE-007")
  }

  @Test("heads that are kept every hour leave no gap; kept more rarely they do, and the longest is told")
  func gap() async throws {
    defer { try? FileManager.default.removeItem(at: self.folder) }
    let (database, heads) = try await self.keep(2)
    let audit = try await SQLiteEventReader.open(path: database).verify(heads: heads)
    #expect(audit.unanchored == nil)
    try FileManager.default.removeItem(at: self.folder)
    let (rarely, few) = try await self.keep(2, every: 30)
    let gap = try #require(try await SQLiteEventReader.open(path: rarely).verify(heads: few).unanchored)
    #expect(gap.span > .hours(20) && gap.first < gap.last)
    #expect(try await SQLiteEventReader.open(path: rarely).verify().unanchored == nil)
  }

  @Test("a gap is of one daemon's life, and more than ten minutes longer than the time between two heads")
  func search() {
    func stored(_ sequence: Int64, _ minute: Int64, _ event: MigrationEvent) -> StoredEvent {
      StoredEvent(
        sequence: sequence, at: Instant(milliseconds: minute * 60_000), fence: 1, actor: "x", event: event, previous: "", hash: ""
      )
    }
    let stop = MigrationEvent.lineStopped(by: "Kari", why: "odd")
    func longest(_ kept: Set<Int64>, _ events: [(Int64, MigrationEvent)], every interval: TimeSpan = .hours(1)) -> HeadGap? {
      var search = HeadGap.Search(kept, every: interval)
      for (index, event) in events.enumerated() { search.take(stored(Int64(index + 1), event.0, event.1)) }
      return search.end()
    }
    #expect(longest([1, 3], [(0, .daemonStarted), (10, stop), (80, stop)]) == nil)
    #expect(longest([1, 3], [(0, .daemonStarted), (10, stop), (81, stop)]) == HeadGap(first: 2, last: 3, span: .minutes(71)))
    #expect(longest([1, 3], [(0, .daemonStarted), (10, stop), (500, .daemonStarted)]) == nil)
    #expect(longest([], [(0, .daemonStarted), (10, stop), (500, stop)]) == nil)
    // What a daemon did for two hours before it died, and what was done last of all, without a head.
    #expect(
      longest([1], [(0, .daemonStarted), (10, stop), (130, stop), (500, .daemonStarted)])
        == HeadGap(first: 2, last: 3, span: .minutes(120)))
    #expect(longest([1], [(0, .daemonStarted), (10, stop), (130, stop)]) == HeadGap(first: 2, last: 3, span: .minutes(120)))
    #expect(longest([1], [(0, .daemonStarted), (10, stop), (80, stop)]) == nil)
    #expect(longest([1, 3], [(0, .daemonStarted), (10, stop), (26, stop)], every: .minutes(5))?.span == .minutes(16))
    #expect(longest([1, 2, 3, 5], [(0, stop), (100, stop), (101, stop), (102, stop), (300, stop)])?.span == .minutes(198))
  }
}
