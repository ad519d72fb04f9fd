// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import Testing

@testable import MigrationStore

@Suite("Back-up and restore")
struct BackupTests {
  let folder: Folder
  let now = Instant(milliseconds: 1_770_000_000_000)

  init() throws { self.folder = try Folder() }

  private var backups: String { self.folder.url.appendingPathComponent("backups").path }

  /// A store with `count` openings in its history; open, so that copies are made beside a writer.
  private func store(_ count: Int) async throws -> (SQLiteEventStore, ChainHead) {
    let store = try await SQLiteEventStore.open(path: self.folder.database, at: self.now)
    var head = try await store.load().head
    for _ in 0..<count { head = try await store.append([.daemonStarted], at: self.now, actor: "daemon") }
    return (store, head)
  }

  private func backUp(after span: TimeSpan = .seconds(0), keep: Int? = nil) async throws -> (path: String, backup: HistoryBackup)
  {
    try await HistoryBackup.make(of: self.folder.database, in: self.backups, keep: keep, at: self.now + span)
  }

  private func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  @Test("Beside a daemon that writes: whole, and of one moment; the daemon goes on")
  func besideWriter() async throws {
    let (store, head) = try await self.store(3)
    try "journal".write(toFile: self.folder.database + ".forwarding", atomically: true, encoding: .utf8)
    try await HeadLine(at: self.now, head: head).append(toFile: self.folder.database + ".heads")
    let (path, backup) = try await self.backUp()
    #expect(backup.head == head)
    #expect(try self.names(path) == ["backup.json", "migration.sqlite", "migration.sqlite.forwarding", "migration.sqlite.heads"])
    #expect(try await store.append([.daemonStarted], at: self.now, actor: "daemon").sequence == 4)
    #expect(try await HistoryBackup.check(path) == backup)
    #expect(try self.names(self.backups).count == 1)
    await store.close()
  }

  @Test("It is for its owner only")
  func mode() async throws {
    let (store, _) = try await self.store(1)
    let (path, _) = try await self.backUp()
    for item in ["", "/backup.json", "/migration.sqlite"] {
      let mode = try FileManager.default.attributesOfItem(atPath: path + item)[.posixPermissions] as? NSNumber
      #expect(mode.map { $0.intValue & 0o077 } == 0, "\(item)")
    }
    await store.close()
  }

  @Test("So many of the newest stay; what else lies there stays too")
  func keeps() async throws {
    let (store, _) = try await self.store(1)
    try FileManager.default.createDirectory(atPath: self.backups + "/0-of-a-person", withIntermediateDirectories: true)
    var paths: [String] = []
    for second in 1...4 { paths.append(try await self.backUp(after: .seconds(Int64(second)), keep: 2).path) }
    #expect(try self.names(self.backups).map { self.backups + "/" + $0 } == [self.backups + "/0-of-a-person"] + paths.suffix(2))
    await store.close()
  }

  @Test("A history that does not go through a head that was kept outside is not called a back-up, and nothing is left")
  func otherHistory() async throws {
    let (store, _) = try await self.store(2)
    let other = ChainHead(sequence: 2, hash: String(repeating: "0", count: 64))
    try await HeadLine(at: self.now, head: other).append(toFile: self.folder.database + ".heads")
    await #expect(throws: StoreError.self) { try await self.backUp() }
    #expect(try self.names(self.backups) == [])
    await store.close()
  }

  @Test("No history, no back-up; and a folder that cannot be made is said to be")
  func nothingThere() async throws {
    await #expect(throws: StoreError.absent(path: self.folder.database)) { try await self.backUp() }
    let (store, _) = try await self.store(1)
    try "a file".write(toFile: self.backups, atomically: true, encoding: .utf8)
    let error = await #expect(throws: StoreError.self) { try await self.backUp() }
    #expect(error?.stableCode == "STORE-019")
    await store.close()
  }

  @Test("A back-up of which a byte is another, or a file is missing, is not restored", arguments: ["byte", "missing", "record"])
  func damaged(how: String) async throws {
    let (store, _) = try await self.store(2)
    let (path, _) = try await self.backUp()
    await store.close()
    let database = path + "/migration.sqlite"
    switch how {
    case "byte":
      var data = try #require(FileManager.default.contents(atPath: database))
      data[data.count - 1] ^= 1
      try data.write(to: URL(fileURLWithPath: database))
    case "missing": try FileManager.default.removeItem(atPath: database)
    default: try FileManager.default.removeItem(atPath: path + "/backup.json")
    }
    let there = try #require(FileManager.default.contents(atPath: self.folder.database))
    let error = await #expect(throws: StoreError.self) {
      try await HistoryRestore.restore(path, to: self.folder.database, replacing: true, by: "Kari", at: self.now)
    }
    #expect(error?.stableCode == "STORE-020")
    #expect(FileManager.default.contents(atPath: self.folder.database) == there)
  }

  @Test("Restored where nothing is left: whole, and the line is stopped, in the name of who did it")
  func restored() async throws {
    let (store, head) = try await self.store(3)
    try "journal".write(toFile: self.folder.database + ".forwarding", atomically: true, encoding: .utf8)
    let (path, _) = try await self.backUp()
    await store.close()
    for ending in ["", "-wal", "-shm", ".forwarding"] {
      try? FileManager.default.removeItem(atPath: self.folder.database + ending)
    }
    let done = try await HistoryRestore.restore(path, to: self.folder.database, replacing: false, by: "Kari", at: self.now)
    #expect(done.head.sequence == head.sequence + 1 && done.movedAside.isEmpty)
    #expect(try String(contentsOfFile: self.folder.database + ".forwarding", encoding: .utf8) == "journal")
    let again = try await SQLiteEventStore.open(path: self.folder.database, at: self.now)
    let history = try await again.load()
    #expect(history.head == done.head)
    #expect(history.state.stop?.by == "Kari")
    #expect(history.state.stop?.why.contains("restored") == true)
    await again.close()
    #expect(try await SQLiteEventReader.open(path: self.folder.database).verify().head == done.head)
    #expect(try self.names(self.folder.url.path).allSatisfy { !$0.contains("restoring") })
  }

  @Test("A history that has gone on since is not forgotten by mistake; when it is given up, it is moved aside")
  func forgets() async throws {
    let (store, _) = try await self.store(2)
    let (path, _) = try await self.backUp()
    let beyond = try await store.append([.daemonStarted], at: self.now, actor: "daemon")
    await store.close()
    await #expect(throws: StoreError.restoreWouldForget(path: self.folder.database, there: 3, restored: 2)) {
      try await HistoryRestore.restore(path, to: self.folder.database, replacing: false, by: "Kari", at: self.now)
    }
    let done = try await HistoryRestore.restore(path, to: self.folder.database, replacing: true, by: "Kari", at: self.now)
    let aside = try #require(done.movedAside.first)
    #expect(try await SQLiteEventReader.open(path: aside).verify().head == beyond)
    #expect(try await SQLiteEventReader.open(path: self.folder.database).verify().head == done.head)
  }

  @Test("a back-up says which environment it is of, and is not put into another")
  func environment() async throws {
    let store = try await SQLiteEventStore.open(path: self.folder.database, at: self.now)
    _ = try await store.load()
    _ = try await store.append([.environmentNamed(name: "test"), .daemonStarted], at: self.now, actor: "daemon")
    await store.close()
    let made = try await HistoryBackup.make(of: self.folder.database, in: self.backups, at: self.now)
    #expect(made.backup.environment == "test")
    #expect(try await HistoryBackup.check(made.path, environment: "test") == made.backup)
    let refused = StoreError.ofOtherEnvironment(path: made.path, environment: "test", wanted: "production")
    await #expect(throws: refused) { try await HistoryBackup.check(made.path, environment: "production") }
    await #expect(throws: refused) {
      try await HistoryRestore.restore(
        made.path, to: self.folder.database, replacing: true, environment: "production", by: "Kari", at: self.now)
    }
  }

  @Test("Under a running daemon nothing is restored")
  func inUse() async throws {
    let (store, head) = try await self.store(2)
    let (path, _) = try await self.backUp()
    let error = await #expect(throws: StoreError.self) {
      try await HistoryRestore.restore(path, to: self.folder.database, replacing: true, by: "Kari", at: self.now)
    }
    #expect(error?.stableCode == "STORE-002")
    #expect(try await store.load().head == head)
    await store.close()
  }
}
