// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import GRDB
import NIOConcurrencyHelpers

/// The SQLite file that tells which HER-ID sits on which bus, with the source and age of each row (invariant I-17).
///
/// Several processes may share the file: WAL lets any number read while one writes. A process that only looks up opens it
/// ``Access/readOnly``. Every row is hashed when it is written and checked when it is loaded.
///
/// All methods are off the cooperative pool and throw ``AddressRegistryError``, or `CancellationError` when the calling
/// task is cancelled (a write is then either whole or not there).
public final class AddressCache: Sendable {
  public enum Access: Sendable, Hashable { case readWrite, readOnly }

  /// What became of a record that was to be saved.
  public enum SaveOutcome: Sendable, Hashable {
    /// The party was not in the cache before.
    case added
    /// The record differs from the one before.
    case changed
    /// The record is the one before, read again: only its age is new.
    case confirmed
    /// The cache holds a record that was read later; it was kept.
    case keptNewer
  }

  public let path: String
  public let access: Access
  /// The environment whose register the file mirrors ("test", "production"); nil when nobody has said.
  public let environment: String?
  let database: DatabasePool
  private let direct: DirectLookUp
  /// Whether all rows have been found to be there since the file was opened: before that, a row that is not found proves nothing.
  private let isKnownWhole = NIOLockedValueBox(false)

  init(path: String, access: Access, environment: String?, database: DatabasePool, direct: DirectLookUp) {
    self.path = path
    self.access = access
    self.environment = environment
    self.database = database
    self.direct = direct
  }

  /// Opens the file; with `.readWrite` it is made when absent (its folder is not), and brought up to date when an earlier
  /// version of this library made it.
  ///
  /// - Parameters:
  ///   - environment: the environment that is meant. A new file becomes that environment's; one of another is refused. Nil
  ///     takes the file as it is.
  ///   - busyTimeout: how long a write waits for another process's write.
  public static func open(
    path: String, access: Access, environment: String? = nil, busyTimeout: Duration = .seconds(5)
  ) async throws -> AddressCache {
    try await Self.offPool {
      try Self.openBlocking(path: path, access: access, environment: environment, busyTimeout: busyTimeout)
    }
  }

  /// Lets go of the file. Idempotent; later calls of the other methods fail.
  public func close() async throws {
    let database = self.database
    let path = self.path
    let direct = self.direct
    try await Self.offPool {
      direct.close()
      do { try database.close() } catch { throw CacheFailure.explained(error, path: path) }
    }
  }

  /// Writes the cache to a new file as it is at one moment, beside whoever is writing it.
  ///
  /// - Parameter copy: must not be there. What is left of it after an error is nobody's.
  public func copy(to copy: String) async throws {
    let (database, path) = (self.database, self.path)
    try await Self.offPool {
      // No transaction around it: SQLite makes its own.
      do { try database.unsafeRead { try $0.execute(sql: "VACUUM INTO ?", arguments: [copy]) } } catch {
        throw CacheFailure.explained(error, path: path)
      }
    }
  }

  // MARK: - Reading

  /// The party as cached, whatever its age; nil when it is not in the cache.
  public func party(_ herID: HerID) async throws -> RegistryEntry? {
    let isKnownWhole = self.isKnownWhole
    return try await self.reading { database in
      if let entry = try EntryRow.load(herID, from: database) { return entry }
      // A damaged page can hide a row: that it is not there is believed once everything else has been found to be.
      if !isKnownWhole.withLockedValue({ $0 }) {
        try EntryRow.verifyWhole(database)
        isKnownWhole.withLockedValue { $0 = true }
      }
      return nil
    }
  }

  /// The party as cached, on the calling thread, by one prepared statement: microseconds when SQLite has the page in memory, the
  /// disk's time when not. For threads that may wait for a disk; tasks use ``party(_:)``.
  ///
  /// - Returns: nil when it is not found, which is no proof that it is not there.
  public func partyNow(_ herID: HerID) throws -> RegistryEntry? {
    do { return try self.direct.entry(herID) } catch { throw CacheFailure.explained(error, path: self.path) }
  }

  /// Every party in the cache, in order of HER-ID. One damaged or missing row fails the call, for a list that lacks one is wrong.
  public func parties() async throws -> [RegistryEntry] {
    try await self.reading { database in
      var entries: [RegistryEntry] = []
      try EntryRow.forEach(in: database) { entries.append($0) }
      return entries
    }
  }

  /// The parties right below `organisation`, in order of HER-ID.
  public func children(of organisation: HerID) async throws -> [RegistryEntry] {
    try await self.reading { database in
      var entries: [RegistryEntry] = []
      try EntryRow.forEach(in: database) { if $0.record.parent == organisation { entries.append($0) } }
      return entries
    }
  }

  /// Reads every row and compares with what was stored: seals, number, and that none is an earlier one; and SQLite's own check.
  ///
  /// - Returns: how many parties there are.
  @discardableResult
  public func verify() async throws -> Int {
    try await self.reading { database in
      let findings = try String.fetchAll(database, sql: "PRAGMA integrity_check(5)")
      if findings != ["ok"] { throw AddressRegistryError.cacheCorrupt(path: "", seen: findings.joined(separator: "; ")) }
      var count = 0
      try EntryRow.forEach(in: database) { _ in count += 1 }
      return count
    }
  }

  /// The routes of all parties, and the number of the last write they are of.
  func routeTable(buses: [Bus]) async throws -> (table: RouteTable, change: Int64) {
    try await self.reading { database in
      let facts = try CacheFacts.load(from: database)
      var table = RouteTable(buses: buses, capacity: Int(facts.parties))
      try EntryRow.forEachContent(in: database) { (herID, readAt, content) throws(RecordContent.Malformed) in
        try table.put(herID, readAt: readAt, content: content)
      }
      return (table, facts.change)
    }
  }

  /// The number of the last write to the file, by whichever process.
  func lastChange() async throws -> Int64 { try await self.reading { try CacheFacts.load(from: $0).change } }

  /// What was stored after write number `change`, and the number of the last write. Nil for more than `limit` entries.
  func changed(since change: Int64, limit: Int) async throws -> (entries: [RegistryEntry]?, change: Int64) {
    try await self.reading { database in
      let last = try CacheFacts.load(from: database).change
      let entries = last == change ? [] : try EntryRow.changed(since: change, limit: limit + 1, in: database)
      return (entries.count > limit ? nil : entries, last)
    }
  }

  // MARK: - Writing

  /// Saves what a source said, unless the cache holds a later reading.
  ///
  /// - Parameters:
  ///   - readAt: the instant before the source was asked.
  ///   - now: the present; a cached row from the future (the clock was set back) gives way to any reading.
  /// - Returns: the entry that stands in the cache now, and how it came about.
  @discardableResult
  public func save(
    _ record: PartyRecord, source: RecordSource, readAt: RegistryInstant, now: RegistryInstant
  ) async throws -> (entry: RegistryEntry, outcome: SaveOutcome) {
    try await self.changing {
      let standing = try EntryRow.standing(record.herID, in: $0)
      return try Self.save(record, over: standing, source: source, readAt: readAt, now: now, &$1, in: $0)
    }
  }

  /// Saves many readings in one transaction: all or none of them.
  @discardableResult
  func save(
    _ readings: [(record: PartyRecord, readAt: RegistryInstant)], source: RecordSource, now: RegistryInstant
  ) async throws -> [Saved] {
    try await self.changing { database, facts in
      try readings.map { reading in
        let standing = try EntryRow.standing(reading.record.herID, in: database)
        let (entry, outcome) = try Self.save(
          reading.record, over: standing, source: source, readAt: reading.readAt, now: now, &facts, in: database)
        var difference: RecordDifference?
        if outcome == .changed, case .there(let before, _) = standing {
          difference = RecordDifference(from: before.record, to: entry.record)
        }
        return Saved(entry: entry, outcome: outcome, difference: difference)
      }
    }
  }

  /// What became of one reading of many.
  struct Saved: Sendable {
    var entry: RegistryEntry
    var outcome: SaveOutcome
    /// Where the record differs from the one before, when it does and that one could be read.
    var difference: RecordDifference?
  }

  /// Takes all records in, or, when anything fails, none of them.
  ///
  /// - Parameter overRegister: whether rows that were read from the register itself give way to the file. By default they
  ///   stand: the register's own word outranks a file's.
  public func importParties(
    _ records: [PartyRecord], readAt: RegistryInstant, now: RegistryInstant, overRegister: Bool = false
  ) async throws -> ImportSummary {
    try await self.changing { database, facts in
      var summary = ImportSummary()
      for record in records {
        let standing = try EntryRow.standing(record.herID, in: database)
        if !overRegister, case .there(let before, _) = standing, before.source.isRegister {
          summary.keptFromRegister.append(record.herID)
          continue
        }
        switch try Self.save(record, over: standing, source: .file, readAt: readAt, now: now, &facts, in: database).outcome {
        case .added: summary.added.append(record.herID)
        case .changed: summary.changed.append(record.herID)
        case .confirmed: summary.confirmed.append(record.herID)
        case .keptNewer: summary.keptNewer.append(record.herID)
        }
      }
      return summary
    }
  }

  /// Makes the entry as old as can be, unless it was read later than `instant`: it is known to be wrong. Its record stays, for
  /// whoever asks what it was.
  func age(_ herID: HerID, readBefore instant: RegistryInstant) async throws {
    try await self.changing { database, facts in
      let standing = try EntryRow.standing(herID, in: database)
      if case .damaged(let error) = standing { throw error }
      guard case .there(var entry, _) = standing, entry.readAt <= instant else { return }
      entry.readAt = RegistryInstant(millisecondsSinceEpoch: 0)
      try EntryRow.store(entry, over: standing, &facts, in: database)
    }
  }

  // MARK: - Marks

  /// What was noted under a name: the last event's id, when a sync ended; what a compare found. Nil when nothing was.
  ///
  /// - Throws: ``AddressRegistryError`` `cacheCorrupt` when it is not what was noted: a damaged id would pass over events.
  func mark(_ name: String) async throws -> String? {
    try await self.reading { database in
      guard let row = try Row.fetchOne(database, sql: "SELECT value FROM mark WHERE name = ?", arguments: [name]) else {
        return nil
      }
      guard let text = row.text(0), let value = SealedMark.value(of: text, name: name) else {
        throw AddressRegistryError.cacheCorrupt(path: "", seen: "what was noted as \"\(name)\" does not hash to its seal")
      }
      return value
    }
  }

  func setMark(_ name: String, _ value: String) async throws {
    try await self.changing { database, _ in
      try database.execute(
        sql: "INSERT OR REPLACE INTO mark (name, value) VALUES (?, ?)",
        arguments: [name, SealedMark.text(of: value, name: name)])
    }
  }

  private static func save(
    _ record: PartyRecord, over standing: EntryRow.Standing, source: RecordSource, readAt: RegistryInstant, now: RegistryInstant,
    _ facts: inout CacheFacts, in database: Database
  ) throws -> (entry: RegistryEntry, outcome: SaveOutcome) {
    var entry = RegistryEntry(record: record, source: source, readAt: readAt, version: 1)
    var outcome = SaveOutcome.added
    switch standing {
    case .absent: break
    // A damaged row is not worth keeping, however new it says it is; what its version was is lost with it.
    case .damaged: outcome = .changed
    case .there(let before, _):
      if before.readAt > readAt, before.readAt <= now { return (before, .keptNewer) }
      let isSame = before.hash == entry.hash
      entry.version = isSame ? before.version : before.version + 1
      outcome = isSame ? .confirmed : .changed
    }
    try EntryRow.store(entry, over: standing, &facts, in: database)
    return (entry, outcome)
  }

  // MARK: - Access

  private func reading<Value: Sendable>(_ body: @Sendable @escaping (Database) throws -> Value) async throws -> Value {
    do { return try await self.database.read(body) } catch { throw CacheFailure.explained(error, path: self.path) }
  }

  /// One write transaction; what the file says of itself is kept in step.
  private func changing<Value: Sendable>(
    _ body: @Sendable @escaping (Database, inout CacheFacts) throws -> Value
  ) async throws -> Value {
    guard self.access == .readWrite else {
      throw AddressRegistryError.cacheReadOnly(path: self.path, seen: "it was opened for reading only")
    }
    do {
      return try await self.database.write { database in
        let before = try CacheFacts.load(from: database)
        var facts = before
        let value = try body(database, &facts)
        if facts != before { try facts.store(in: database) }
        return value
      }
    } catch { throw CacheFailure.explained(error, path: self.path) }
  }
}
