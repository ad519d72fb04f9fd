// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Migration
import SQLiteFile
import Synchronization

/// The history in one SQLite file: WAL, `synchronous=FULL`, one writer, rows chained by hash, never changed or removed.
///
/// One process writes at a time: an operating system lock keeps a second daemon out, and a fencing token in the file refuses a
/// writer that lost the lock without noticing (I-12).
public final class SQLiteEventStore: EventStore {
  public let path: String
  /// This writer's token; higher than all before.
  public let fence: Int64
  private let database: DatabaseQueue
  private let lock: Mutex<ProcessLock?>
  private let head: Mutex<ChainHead?>

  private init(path: String, fence: Int64, database: DatabaseQueue, lock: ProcessLock) {
    self.path = path
    self.fence = fence
    self.database = database
    self.lock = Mutex(lock)
    self.head = Mutex(nil)
  }

  /// Opens the file, or makes it when absent (its folder is not made), and takes it for this process.
  ///
  /// - Throws: ``StoreError``: `inUse` when another daemon has it, `readOnly`, `notOurs`, `newerSchema`, `damaged`, `notOpened`.
  ///   Nothing has changed then.
  public static func open(path: String, at now: Instant) async throws -> SQLiteEventStore {
    try await offThePool {
      do { return try Self.openNow(path: path, at: now) } catch {
        throw HistoryReading.words(error, path: path, writing: false)
      }
    }
  }

  private static func openNow(path: String, at now: Instant) throws -> SQLiteEventStore {
    try Self.refuseMarkedReadOnly(path)
    let lock = try ProcessLock(databasePath: path)
    if FileManager.default.fileExists(atPath: path) { try SQLiteEventReader.checkUntouched(path: path) }
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(2)
    configuration.foreignKeysEnabled = true
    configuration.label = "bus-migrator"
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA recursive_triggers = ON")
    }
    let database = try WriteAheadLog.opening(path, busyTimeout: .seconds(2)) {
      try DatabaseQueue(path: path, configuration: configuration)
    }
    let fence = try database.write { database in
      try StoreSchema.prepare(database, path: path)
      let token = (try Int64.fetchOne(database, sql: "SELECT max(token) FROM fence") ?? 0) + 1
      let holder = "process \(ProcessInfo.processInfo.processIdentifier)"
      try database.execute(
        sql: "INSERT INTO fence (token, taken_at, holder) VALUES (?, ?, ?)", arguments: [token, now.milliseconds, holder])
      return token
    }
    // GRDB lowers it to NORMAL for WAL; an intent must survive a power cut, so it is raised again and looked at.
    let isFull = try database.writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA synchronous = FULL")
      let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode")
      return try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2 && mode == "wal"
    }
    guard isFull else { throw StoreError.notOpened(path: path, seen: "SQLite would not keep WAL with synchronous=FULL") }
    return SQLiteEventStore(path: path, fence: fence, database: database, lock: lock)
  }

  /// A file or folder without any right to write is meant to be read only, even for a user who may write everywhere.
  private static func refuseMarkedReadOnly(_ path: String) throws {
    for item in [path, URL(fileURLWithPath: path).deletingLastPathComponent().path] {
      guard let attributes = try? FileManager.default.attributesOfItem(atPath: item),
        let mode = attributes[.posixPermissions] as? NSNumber, mode.intValue & 0o222 == 0
      else { continue }
      throw StoreError.readOnly(path: path, seen: "\(item) has mode \(String(mode.intValue, radix: 8))")
    }
  }

  public func load() async throws -> LoadedHistory {
    let path = self.path
    do {
      let history = try await self.database.read { try HistoryReading.load($0, path: path) }
      self.head.withLock { $0 = history.head }
      return history
    } catch { throw HistoryReading.words(error, path: self.path, writing: false) }
  }

  public func append(_ events: [MigrationEvent], at now: Instant, actor: String) async throws -> ChainHead {
    let expected = self.head.withLock { $0 }
    guard let expected else { throw StoreError.notWritten(path: self.path, seen: "the history was not loaded before") }
    guard !events.isEmpty else { return expected }
    let path = self.path
    let fence = self.fence
    do {
      let head = try await self.database.write { database in
        try Self.insert(events, at: now, actor: actor, fence: fence, after: expected, path: path, into: database)
      }
      self.head.withLock { $0 = head }
      return head
    } catch { throw HistoryReading.words(error, path: self.path, writing: true) }
  }

  private static func insert(
    _ events: [MigrationEvent], at now: Instant, actor: String, fence: Int64, after expected: ChainHead, path: String,
    into database: Database
  ) throws -> ChainHead {
    let newest = try Int64.fetchOne(database, sql: "SELECT max(token) FROM fence") ?? 0
    guard newest == fence else { throw StoreError.fenced(path: path, own: fence, newest: newest) }
    let last = try Row.fetchOne(database, sql: "SELECT sequence, hash FROM event ORDER BY sequence DESC LIMIT 1")
    var head = last.map { ChainHead(sequence: $0[0], hash: $0[1]) } ?? .empty
    guard head == expected else {
      throw StoreError.chainBroken(
        path: path, sequence: head.sequence, seen: "the history's end is not where this writer left it")
    }
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO event (sequence, at, fence, actor, kind, version, body, previous, hash)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    for event in events {
      let body = String(decoding: try CanonicalJSON.encode(event), as: UTF8.self)
      let sequence = head.sequence + 1
      let version = Int64(event.version)
      let hash = EventChain.hash(
        previous: head.hash, sequence: sequence, at: now.milliseconds, fence: fence, actor: actor, kind: event.kind,
        version: version, body: body)
      try statement.execute(
        arguments: [sequence, now.milliseconds, fence, actor, event.kind, version, body, head.hash, hash])
      head = ChainHead(sequence: sequence, hash: hash)
    }
    return head
  }

  public func keepCheckpoint(_ state: MigrationState, at head: ChainHead) async throws {
    let path = self.path
    // Ours alone to write, as the history is.
    guard self.lock.withLock({ $0 != nil }) else { throw StoreError.closed(path: path) }
    do {
      try await self.database.read { try HistoryReading.bind(head, to: $0, path: path) }
    } catch let stopped as CancellationError { throw stopped } catch {
      let seen = (error as? CheckpointFault)?.words ?? HistoryReading.words(error, path: path, writing: false).description
      throw StoreError.checkpointNotWritten(path: path, seen: seen)
    }
    let stop = WriteStop()
    do {
      try await withTaskCancellationHandler {
        try await offThePool { try Checkpoint.write(state, at: head, besideDatabase: path, stop: stop) }
      } onCancel: {
        stop.ask()
      }
    } catch let stopped as CancellationError { throw stopped } catch {
      throw StoreError.checkpointNotWritten(path: Checkpoint.path(besideDatabase: path), seen: String("\(error)".prefix(200)))
    }
  }

  public func close() async {
    let database = self.database
    // An open cursor of a cancelled read could keep it open; the process's end closes it then.
    _ = try? await offThePool { try database.close() }
    self.lock.withLock { $0 = nil }
  }
}
