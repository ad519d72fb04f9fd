// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import GRDB
import Migration
import Testing

@testable import MigrationStore

/// A folder that goes with the test.
final class Folder: Sendable {
  let url: URL
  init() throws {
    self.url = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: self.url, withIntermediateDirectories: true)
  }
  var database: String { self.url.appendingPathComponent("migration.sqlite").path }
  deinit {
    try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: self.url.path)
    try? FileManager.default.removeItem(at: self.url)
  }
}

@Suite("The event store")
struct StoreTests {
  let folder: Folder
  let now = Instant(milliseconds: 1_770_000_000_000)
  let name: PuljeName

  init() throws {
    self.folder = try Folder()
    self.name = try #require(PuljeName("pulje-1"))
  }

  static func plan(_ name: PuljeName) throws -> Plan {
    let herID = try HerID(text: "200")
    let record = PartyRecord(
      herID: herID, name: "Party 200", kind: .organisation, parent: nil, active: true, valid: true,
      addresses: [PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "sb.example/NHN/200_async", inherited: false)])
    let buses = [
      Bus(name: "a", dialect: .rabbitMQ3, hosts: ["sb.example"], path: "NHN"),
      Bus(name: "b", dialect: .rabbitMQ4AddressV2, hosts: ["tb.example"], path: "NHN"),
    ]
    let request = PuljeRequest(
      name: name, source: "a", target: "b",
      parties: [PuljeRequest.Party(herID: herID, vendor: "Alfa", listens: .both)])
    return Planner(buses: buses, records: [record]).plan(request)
  }

  func openStore() async throws -> SQLiteEventStore { try await SQLiteEventStore.open(path: self.folder.database, at: self.now) }

  /// A store with a sealed and started pulje in it, closed again.
  func written() async throws -> ChainHead {
    let store = try await self.openStore()
    #expect(try await store.load().head == .empty)
    _ = try await store.append([.daemonStarted], at: self.now, actor: "daemon")
    _ = try await store.append([.puljeSealed(plan: Self.plan(self.name), by: "Kari")], at: self.now, actor: "Kari")
    let head = try await store.append(
      [.puljeStarted(pulje: self.name, approvals: ["Kari", "Ola"]), .puljePaused(pulje: self.name, by: "Ola", why: "storm")],
      at: self.now + .seconds(1), actor: "Ola")
    await store.close()
    return head
  }

  /// Changes the file behind everybody's back.
  func meddle(_ sql: String) throws {
    let queue = try DatabaseQueue(path: self.folder.database)
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    try queue.close()
  }

  func code(_ body: () async throws -> Void) async -> String? {
    do {
      try await body()
      return nil
    } catch let error as StoreError {
      #expect(!error.explanation.meaning.isEmpty && !error.explanation.next.isEmpty)
      return error.stableCode
    } catch { return "\(error)" }
  }

  @Test("what was appended is there after a close and an open, in order, with who did it")
  func keeps() async throws {
    let head = try await self.written()
    let store = try await self.openStore()
    let history = try await store.load()
    #expect(history.head == head)
    #expect(history.head.sequence == 4)
    #expect(history.state.puljer[self.name]?.pause?.by == "Ola")
    #expect(store.fence == 2)
    await store.close()
    let events = try await SQLiteEventReader.open(path: self.folder.database).events()
    #expect(events.map(\.actor) == ["daemon", "Kari", "Ola", "Ola"])
    #expect(events.map(\.sequence) == [1, 2, 3, 4])
  }

  @Test("a daemon whose machine lost its power while the file was made starts, and until then there is no history")
  func halfMade() async throws {
    // SQLite's own rollback journal of a transaction on an empty database, as it was left: what it undoes is all there is.
    let path = self.folder.database
    let queue = try DatabaseQueue(path: path)
    let (left, journal) = try await queue.writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN IMMEDIATE")
      try database.execute(sql: "CREATE TABLE half (made INTEGER)")
      try database.execute(
        sql: """
          INSERT INTO half WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) SELECT i FROM n
          """)
      let files = try ["", "-journal"].map { try Data(contentsOf: URL(fileURLWithPath: path + $0)) }
      try database.execute(sql: "ROLLBACK")
      return (files[0], files[1])
    }
    try queue.close()
    try #require(!left.isEmpty && journal.count >= 512)
    try left.write(to: URL(fileURLWithPath: path))
    try journal.write(to: URL(fileURLWithPath: path + "-journal"))

    #expect(await self.code { _ = try await SQLiteEventReader.open(path: path) } == "STORE-013")
    let store = try await self.openStore()
    #expect(try await store.load().head == .empty)
    _ = try await store.append([.daemonStarted], at: self.now, actor: "daemon")
    await store.close()
    #expect(try await SQLiteEventReader.open(path: path).verify().events == 1)
  }

  @Test("a copy of a history in another journal mode, cut off or half written, is damaged and not absent")
  func cutCopy() async throws {
    _ = try await self.written()
    let copy = self.folder.database + ".copy"
    let queue = try DatabaseQueue(path: copy)
    // As a back-up program leaves it: everything there, and a rollback journal when it dies.
    let source = try DatabaseQueue(path: self.folder.database)
    try source.backup(to: queue)
    try source.close()
    let (left, journal) = try await queue.writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN IMMEDIATE")
      try database.execute(sql: "CREATE TABLE half (made INTEGER)")
      try database.execute(
        sql: "INSERT INTO half WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) SELECT i FROM n")
      let files = try ["", "-journal"].map { try Data(contentsOf: URL(fileURLWithPath: copy + $0)) }
      try database.execute(sql: "ROLLBACK")
      return (files[0], files[1])
    }
    try queue.close()
    let whole = try Data(contentsOf: URL(fileURLWithPath: copy))
    #expect(try await SQLiteEventReader.open(path: copy).verify().events > 0)
    try left.write(to: URL(fileURLWithPath: copy))
    try journal.write(to: URL(fileURLWithPath: copy + "-journal"))
    #expect(await self.code { _ = try await SQLiteEventReader.open(path: copy) } == "STORE-006")
    // The same with a journal that says nothing of what was there before.
    try journal.prefix(15).write(to: URL(fileURLWithPath: copy + "-journal"))
    #expect(await self.code { _ = try await SQLiteEventReader.open(path: copy).verify() } != "STORE-013")
    try FileManager.default.removeItem(atPath: copy + "-journal")
    // Cut at any length but nothing at all.
    for length in [1, 15, 16, 99, 100, 101, 511, 512, 4095, 4096] + stride(from: 4_097, to: whole.count, by: 2_048) {
      try whole.prefix(length).write(to: URL(fileURLWithPath: copy))
      let code = await self.code { _ = try await SQLiteEventReader.open(path: copy).verify() }
      #expect(code == "STORE-006", "cut to \(length) of \(whole.count) bytes")
    }
  }

  @Test("WAL with synchronous=FULL, STRICT tables, our mark in the file")
  func pragmas() async throws {
    _ = try await self.written()
    let queue = try DatabaseQueue(path: self.folder.database)
    let (mode, application, strict) = try await queue.read { database in
      (
        try String.fetchOne(database, sql: "PRAGMA journal_mode"), try Int64.fetchOne(database, sql: "PRAGMA application_id"),
        try Int64.fetchOne(database, sql: "SELECT count(*) FROM pragma_table_list WHERE strict = 1")
      )
    }
    #expect(mode == "wal")
    #expect(application == StoreSchema.applicationID)
    #expect(strict == 2)
  }

  @Test("a row can be neither changed nor removed nor put in between")
  func appendOnly() async throws {
    _ = try await self.written()
    for sql in [
      "UPDATE event SET actor = 'nobody' WHERE sequence = 2", "DELETE FROM event WHERE sequence = 4",
      "INSERT INTO event VALUES (9, 0, 1, 'x', 'daemon.started', 1, '{}', 'a', 'b')",
      "INSERT INTO event VALUES (5, 0, 0, 'x', 'daemon.started', 1, '{}', 'a', 'b')",
      "UPDATE fence SET token = 99", "DELETE FROM fence", "INSERT INTO fence VALUES (1, 0, 'x')",
    ] {
      #expect(throws: DatabaseError.self, "\(sql)") { try self.meddle(sql) }
    }
  }

  @Test("a second daemon on the same database is told so, and changes nothing")
  func secondDaemon() async throws {
    let first = try await self.openStore()
    _ = try await first.load()
    #expect(await self.code { _ = try await self.openStore() } == "STORE-002")
    do { _ = try await self.openStore() } catch { #expect("\(error)".contains("process \(getpid())")) }
    _ = try await first.append([.daemonStarted], at: self.now, actor: "daemon")
    await first.close()
    let second = try await self.openStore()
    #expect(try await second.load().head.sequence == 1)
    await second.close()
  }

  @Test("a writer that lost the file without noticing is refused by its token")
  func fenced() async throws {
    let first = try await self.openStore()
    _ = try await first.load()
    try self.meddle("INSERT INTO fence VALUES (2, 0, 'another machine')")
    #expect(await self.code { _ = try await first.append([.daemonStarted], at: self.now, actor: "x") } == "STORE-003")
    await first.close()
    let reader = try await SQLiteEventReader.open(path: self.folder.database)
    #expect(try await reader.load().head == .empty)
  }

  @Test("nothing is appended before the history was loaded")
  func loadFirst() async throws {
    let store = try await self.openStore()
    #expect(await self.code { _ = try await store.append([.daemonStarted], at: self.now, actor: "x") } == "STORE-010")
    await store.close()
  }

  static let without = "DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_never_removed; DROP TRIGGER event_is_appended;"

  @Test(
    "a changed, removed, swapped or made-up row stops the reader and the writer",
    arguments: [
      "UPDATE event SET actor = 'nobody' WHERE sequence = 2", "UPDATE event SET at = at + 1 WHERE sequence = 3",
      "UPDATE event SET body = replace(body, 'storm', 'sun') WHERE sequence = 4", "DELETE FROM event WHERE sequence = 2",
      "DELETE FROM event WHERE sequence = 1", "UPDATE event SET previous = hash WHERE sequence = 3",
      "UPDATE event SET sequence = -3 WHERE sequence = 3; UPDATE event SET sequence = 3 WHERE sequence = 4; UPDATE event SET sequence = 4 WHERE sequence = -3",
      "UPDATE event SET fence = 0 WHERE sequence = 1; UPDATE event SET kind = 'x' WHERE sequence = 1",
    ])
  func damagedRow(sql: String) async throws {
    _ = try await self.written()
    try self.meddle("PRAGMA foreign_keys = OFF;" + Self.without + sql)
    let reader = try await SQLiteEventReader.open(path: self.folder.database)
    #expect(await self.code { _ = try await reader.verify() } == "STORE-007")
    let store = try await self.openStore()
    #expect(await self.code { _ = try await store.load() } == "STORE-007")
    await store.close()
  }

  @Test("a history whose end was cut off is found out by a head that was kept outside")
  func truncated() async throws {
    let head = try await self.written()
    let reader = try await SQLiteEventReader.open(path: self.folder.database)
    #expect(try await reader.verify(expecting: head.hash).head == head)
    try self.meddle(Self.without + "DELETE FROM event WHERE sequence = 4")
    #expect(try await reader.verify().events == 3)
    #expect(await self.code { _ = try await reader.verify(expecting: head.hash) } == "STORE-014")
  }

  @Test("an event of a kind or version that is not known stops, though its hash is right")
  func unknownEvent() async throws {
    for (kind, version, body) in [
      ("pulje.blessed", 1, #"{"puljeBlessed":{}}"#), ("daemon.started", 2, #"{"daemonStarted":{}}"#),
      ("daemon.stopped", 1, #"{"daemonStarted":{}}"#),
    ] as [(String, Int64, String)] {
      let folder = try Folder()
      let store = try await SQLiteEventStore.open(path: folder.database, at: self.now)
      await store.close()
      let hash = EventChain.hash(
        previous: ChainHead.empty.hash, sequence: 1, at: 0, fence: 1, actor: "x", kind: kind, version: version, body: body)
      let queue = try DatabaseQueue(path: folder.database)
      try await queue.write { database in
        try database.execute(
          sql: "INSERT INTO event VALUES (1, 0, 1, 'x', ?, ?, ?, ?, ?)",
          arguments: [kind, version, body, ChainHead.empty.hash, hash])
      }
      try queue.close()
      let again = try await SQLiteEventStore.open(path: folder.database, at: self.now)
      #expect(await self.code { _ = try await again.load() } == "STORE-008", "\(kind) \(version)")
      await again.close()
    }
  }

  @Test("a history that speaks of what never was stops")
  func inconsistent() async throws {
    let store = try await self.openStore()
    _ = try await store.load()
    _ = try await store.append([.puljeResumed(pulje: self.name, by: "Kari")], at: self.now, actor: "x")
    #expect(await self.code { _ = try await store.load() } == "STORE-009")
    await store.close()
  }

  @Test("a program that is being started as the store closes has its lock's descriptor for a moment, and not the lock")
  func copiedLock() async throws {
    let store = try await self.openStore()
    let lock = self.folder.database + ".lock"
    let copies = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { name -> Int32? in
      guard let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"),
        link.hasSuffix(lock.split(separator: "/").suffix(2).joined(separator: "/"))
      else { return nil }
      return Int32(name).map { dup($0) }
    }
    defer { for copy in copies { close(copy) } }
    try #require(!copies.isEmpty)
    await store.close()
    let again = try await self.openStore()
    await again.close()
  }

  @Test("a newer schema, a stranger's file, no database at all: each is refused and left as it was")
  func strangers() async throws {
    _ = try await self.written()
    try self.meddle("PRAGMA user_version = 2")
    #expect(await self.code { _ = try await self.openStore() } == "STORE-005")
    #expect(await self.code { _ = try await SQLiteEventReader.open(path: self.folder.database) } == "STORE-005")
    try self.meddle("PRAGMA user_version = 1; PRAGMA application_id = 7")
    #expect(await self.code { _ = try await self.openStore() } == "STORE-004")

    let text = try Folder()
    try Data("this is no database, but long enough to look at, like a log file somebody named wrongly".utf8)
      .write(to: URL(fileURLWithPath: text.database))
    let before = try Data(contentsOf: URL(fileURLWithPath: text.database))
    #expect(await self.code { _ = try await SQLiteEventStore.open(path: text.database, at: self.now) } == "STORE-006")
    #expect(try Data(contentsOf: URL(fileURLWithPath: text.database)) == before)

    let empty = try Folder()
    #expect(await self.code { _ = try await SQLiteEventReader.open(path: empty.database) } == "STORE-013")
    #expect(
      await self.code { _ = try await SQLiteEventStore.open(path: "/no/such/folder/x.sqlite", at: self.now) } == "STORE-001")
    #expect(!FileManager.default.fileExists(atPath: empty.database))
  }

  @Test("a file that a daemon is just making has no history yet: a reader is told so, and not that it is a stranger's")
  func beingMade() async throws {
    let queue = try DatabaseQueue(path: self.folder.database)
    try await queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
    await #expect(throws: StoreError.absent(path: self.folder.database)) {
      _ = try await SQLiteEventReader.open(path: self.folder.database)
    }
    try queue.close()
  }

  @Test("a database marked read-only is refused for writing, is not changed, and can be read")
  func readOnly() async throws {
    _ = try await self.written()
    let files = FileManager.default
    try files.setAttributes([.posixPermissions: 0o444], ofItemAtPath: self.folder.database)
    let before = try Data(contentsOf: URL(fileURLWithPath: self.folder.database))
    #expect(await self.code { _ = try await self.openStore() } == "STORE-011")
    #expect(try Data(contentsOf: URL(fileURLWithPath: self.folder.database)) == before)
    #expect(try await SQLiteEventReader.open(path: self.folder.database).load().head.sequence == 4)

    let folder = try Folder()
    try files.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.url.path)
    #expect(await self.code { _ = try await SQLiteEventStore.open(path: folder.database, at: self.now) } == "STORE-011")
    #expect(try files.contentsOfDirectory(atPath: folder.url.path).isEmpty)
  }

  @Test("a reader beside a running writer sees what was appended, and may not write")
  func readerBeside() async throws {
    let store = try await self.openStore()
    _ = try await store.load()
    let reader = try await SQLiteEventReader.open(path: self.folder.database)
    let head = try await store.append([.daemonStarted], at: self.now, actor: "daemon")
    #expect(try await reader.load().head == head)
    await store.close()
  }

  @Test("a store that is closed refuses, and closing twice is nothing")
  func closed() async throws {
    let store = try await self.openStore()
    _ = try await store.load()
    await store.close()
    await store.close()
    #expect(await self.code { _ = try await store.append([.daemonStarted], at: self.now, actor: "x") } != nil)
  }

  @Test("an append is whole or not there, wherever the process is killed", arguments: [1, 2, 3, 5, 8, 13])
  func killed(after appends: Int) async throws {
    // A copy of all files between two appends is what a kill -9 leaves behind; opening it must give a prefix, whole.
    let store = try await self.openStore()
    _ = try await store.load()
    var heads: [ChainHead] = [.empty]
    for index in 0..<appends {
      heads.append(
        try await store.append(
          Array(repeating: .daemonStarted, count: 3), at: self.now + .seconds(Int64(index)), actor: "daemon"))
    }
    let copy = try Folder()
    for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: self.folder.database + suffix) {
      try FileManager.default.copyItem(atPath: self.folder.database + suffix, toPath: copy.database + suffix)
    }
    // And once with the log torn in its last page, as a power cut may leave it.
    let wal = URL(fileURLWithPath: copy.database + "-wal")
    if appends.isMultiple(of: 2), let bytes = try? Data(contentsOf: wal) { try bytes.dropLast(2_000).write(to: wal) }
    let again = try await SQLiteEventStore.open(path: copy.database, at: self.now)
    let history = try await again.load()
    #expect(heads.contains(history.head))
    #expect(history.head.sequence.isMultiple(of: 3))
    if !appends.isMultiple(of: 2) { #expect(history.head == heads.last) }
    await again.close()
    await store.close()
  }
}
