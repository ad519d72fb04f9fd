// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Migration

/// The history, read beside a daemon that may be writing it. Changes nothing.
public struct SQLiteEventReader: Sendable {
  public let path: String
  private let database: DatabaseQueue

  /// What `audit verify` found.
  public struct Audit: Sendable, Hashable, Codable {
    /// Which world the history is of; nil where no daemon has said so.
    public var environment: String?
    public var events: Int64
    public var head: ChainHead
    public var first: Instant?
    public var last: Instant?
    /// Fencing tokens given out: how often a daemon has opened it.
    public var openings: Int64
    /// The event up to which a checkpoint was found to be what the history folds to; nil where there is none that a start would use.
    public var checkpoint: Int64?
    /// Why the checkpoint that is there would not be used.
    public var checkpointIgnored: String?
    /// The longest that events of a daemon at work stood without a head kept outside, where that is longer than it may be
    /// (I-19).
    public var unanchored: HeadGap?
  }

  /// - Throws: ``StoreError`` `absent` (also for a file that a daemon is just making), `notOurs`, `newerSchema`, `damaged`, `notOpened`.
  public static func open(path: String) async throws -> SQLiteEventReader {
    try await offThePool {
      guard FileManager.default.fileExists(atPath: path) else { throw StoreError.absent(path: path) }
      do {
        let database = try Self.queue(path)
        try database.read { database in
          if try StoreSchema.isEmpty(database) {
            // SQLite takes a file of one byte for an empty one; nobody makes such a file.
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            let size = (attributes?[.size] as? NSNumber)?.int64Value ?? 0
            if 0 < size, size < 512 { throw StoreError.damaged(path: path, seen: "\(size) bytes are no database") }
            throw StoreError.absent(path: path)
          }
          try StoreSchema.check(database, path: path)
        }
        return SQLiteEventReader(path: path, database: database)
      } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK {
        // A daemon that died while making the file; its next start takes back what was half done. Afterwards our file has no such journal.
        if RollbackJournal.isOfNewFile(besides: path) { throw StoreError.absent(path: path) }
        throw StoreError.damaged(
          path: path, seen: "beside it lies a journal of what was half done to it; the history is not kept that way")
      } catch { throw HistoryReading.words(error, path: path, writing: false) }
    }
  }

  private static func queue(_ path: String, readonly: Bool = true) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = readonly
    configuration.busyMode = .timeout(2)
    configuration.label = "bus-migrator, reading"
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Whose file it is, found out before anything is written to it. An empty file is nobody's and may be taken.
  static func checkUntouched(path: String) throws {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    if (attributes?[.size] as? NSNumber)?.int64Value == 0 { return }
    do { try Self.check(Self.queue(path), path: path) } catch let error as DatabaseError
      where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK
    {
      // The power went while the file was being made. Nobody can read it before what was half done is taken back, as SQLite does
      // by itself for whoever may write.
      try Self.check(Self.queue(path, readonly: false), path: path)
    }
  }

  private static func check(_ database: DatabaseQueue, path: String) throws {
    try database.read { database in
      let tables = try Int64.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
      let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
      // A daemon that died while making the tables leaves a file with nothing in it.
      if tables == 0, application == 0 { return }
      try StoreSchema.check(database, path: path)
    }
    try database.close()
  }

  public func load() async throws -> LoadedHistory {
    try await self.read { try HistoryReading.load($0, path: $1) }
  }

  /// Every event, in order.
  public func events() async throws -> [StoredEvent] {
    try await self.read { database, path in
      var events: [StoredEvent] = []
      _ = try HistoryReading.forEach(database, path: path) { events.append($0) }
      return events
    }
  }

  /// Every event, in order, one at a time: a long history takes no more room than a short one. Each row is checked on the way.
  ///
  /// - Parameter end: the number of the last event that is taken; what comes after it is not looked at.
  public func fold<Value: Sendable>(
    _ initial: Value, upTo end: Int64 = .max, _ take: @escaping @Sendable (inout Value, StoredEvent) throws -> Void
  ) async throws -> Value {
    try await self.read { database, path in
      var value = initial
      _ = try HistoryReading.forEach(database, path: path, upTo: end) { try take(&value, $0) }
      return value
    }
  }

  /// Writes the history to a new file as it is at one moment, beside whoever is writing it.
  ///
  /// - Parameter copy: must not be there. What is left of it after an error is nobody's.
  func copy(to copy: String) async throws {
    let (database, path) = (self.database, self.path)
    do {
      try await offThePool {
        // Made before, since SQLite would let others of this machine read it; an empty file is as good to it as none.
        guard FileManager.default.createFile(atPath: copy, contents: nil, attributes: [.posixPermissions: 0o600]) else {
          throw StoreError.backupNotMade(path: copy, seen: "it cannot be made")
        }
        // No transaction around it: SQLite makes its own.
        try database.unsafeRead { try $0.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
      }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL || error.resultCode == .SQLITE_CANTOPEN {
      throw StoreError.backupNotMade(path: copy, seen: error.message ?? "\(error.resultCode)")
    } catch { throw HistoryReading.words(error, path: path, writing: false) }
  }

  /// Checks the file as SQLite sees it, then every row, then that the rows make sense together. Always from the first event: a
  /// checkpoint that lies beside the history is not trusted, but compared with what is found.
  ///
  /// - Parameters:
  ///   - expected: a chain head's hash kept outside; the history must go through it.
  ///   - heads: chain heads kept outside with their numbers; the history must go through each.
  ///   - interval: after how long at most the daemon writes one for what has happened.
  public func verify(
    expecting expected: String? = nil, heads: [ChainHead] = [], headsEvery interval: TimeSpan = .hours(1)
  ) async throws -> Audit {
    let kept = Dictionary(grouping: heads, by: \.sequence)
    return try await self.read { database, path in
      // Before the first look at the database: events are durable before a checkpoint of them is kept.
      let beside = Checkpoint.open(besideDatabase: path)
      let complaints = try String.fetchAll(database, sql: "PRAGMA integrity_check(5)")
      if complaints != ["ok"] { throw StoreError.damaged(path: path, seen: complaints.joined(separator: "; ")) }
      var first: Instant?
      var last: Instant?
      var found = expected == nil || expected == ChainHead.empty.hash
      var state = MigrationState()
      var watch = HistoryWatch()
      let checkpoint = try? beside.get()
      var (checked, ignored): (Int64?, String?) = (nil, nil)
      var differs: StoreError?
      var gaps = HeadGap.Search(Set(heads.map(\.sequence)), every: interval)
      if case .failure(let fault) = beside { ignored = fault.words }
      let head = try HistoryReading.forEach(database, path: path) { stored in
        let phase = HistoryWatch.phase(before: stored.event, in: state)
        first = first ?? stored.at
        last = stored.at
        if stored.hash == expected { found = true }
        if let other = kept[stored.sequence]?.first(where: { $0.hash != stored.hash }) {
          throw StoreError.headDiffers(path: path, expected: other.hash, seen: "event \(stored.sequence) is \(stored.hash)")
        }
        guard state.apply(stored.event, at: stored.at) else {
          throw StoreError.inconsistent(path: path, sequence: stored.sequence, kind: stored.event.kind)
        }
        gaps.take(stored)
        if stored.event == .daemonStarted { watch.restarted() }
        let breaches = watch.take(stored.event, at: stored.at, fence: stored.fence, from: phase, state: state)
        if let breach = breaches.first {
          throw StoreError.invariantBroken(path: path, sequence: stored.sequence, breach: breach)
        }
        if let checkpoint, checkpoint.head.sequence == stored.sequence, checkpoint.head.hash == stored.hash {
          switch checkpoint.reading() {
          case .success(state): checked = stored.sequence
          case .success: differs = .checkpointDiffers(path: checkpoint.path, sequence: stored.sequence)
          case .failure(let fault): ignored = fault.words
          }
        }
      }
      if checkpoint != nil, checked == nil, ignored == nil, differs == nil {
        ignored = CheckpointFault.otherHistory("no event is its last").words
      }
      if let beyond = heads.first(where: { $0.sequence > head.sequence }) {
        throw StoreError.headDiffers(
          path: path, expected: beyond.hash, seen: "\(head.sequence) events, and there were \(beyond.sequence)")
      }
      if let expected, !found {
        throw StoreError.headDiffers(path: path, expected: expected, seen: "\(head.sequence) events, none with that hash")
      }
      // Last of all: a history that is not whole is the greater harm, and must not hide behind it.
      if let differs { throw differs }
      let openings = try Int64.fetchOne(database, sql: "SELECT count(*) FROM fence") ?? 0
      return Audit(
        environment: state.environment, events: head.sequence, head: head, first: first, last: last, openings: openings,
        checkpoint: checked,
        checkpointIgnored: ignored, unanchored: gaps.end())
    }
  }

  private func read<Result: Sendable>(_ body: @escaping @Sendable (Database, String) throws -> Result) async throws -> Result {
    let path = self.path
    do { return try await self.database.read { try body($0, path) } } catch {
      throw HistoryReading.words(error, path: path, writing: false)
    }
  }
}
