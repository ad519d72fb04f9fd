// SPDX-License-Identifier: Apache-2.0

import BusModel
import GRDB

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
  let database: DatabasePool

  init(path: String, access: Access, database: DatabasePool) {
    self.path = path
    self.access = access
    self.database = database
  }

  /// Opens the file; with `.readWrite` it is made when absent (its folder is not).
  ///
  /// - Parameter busyTimeout: how long a write waits for another process's write.
  public static func open(
    path: String, access: Access, busyTimeout: Duration = .seconds(5)
  ) async throws -> AddressCache {
    try await Self.offPool { try Self.openBlocking(path: path, access: access, busyTimeout: busyTimeout) }
  }

  /// Lets go of the file. Idempotent; later calls of the other methods fail.
  public func close() async throws {
    let database = self.database
    let path = self.path
    try await Self.offPool {
      do { try database.close() } catch { throw CacheFailure.explained(error, path: path) }
    }
  }

  // MARK: - Reading

  /// The party as cached, whatever its age; nil when it is not in the cache.
  public func party(_ herID: HerID) async throws -> RegistryEntry? {
    try await self.reading { try EntryRow.load(herID, from: $0) }
  }

  /// Every party in the cache, in order of HER-ID. One damaged row fails the call, for a list that lacks one is wrong.
  public func parties() async throws -> [RegistryEntry] {
    try await self.reading { try EntryRow.loadAll(from: $0) }
  }

  /// The parties right below `organisation`, in order of HER-ID.
  public func children(of organisation: HerID) async throws -> [RegistryEntry] {
    try await self.reading { database in
      let numbers = try Int32.fetchAll(
        database, sql: "SELECT her_id FROM party WHERE parent = ? ORDER BY her_id", arguments: [organisation.value])
      return try numbers.compactMap { try HerID($0).flatMap { try EntryRow.load($0, from: database) } }
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
    try await self.writing { try Self.save(record, source: source, readAt: readAt, now: now, in: $0) }
  }

  /// Takes all records in, or, when anything fails, none of them.
  ///
  /// - Parameter overRegister: whether rows that were read from the register itself give way to the file. By default they
  ///   stand: the register's own word outranks a file's.
  public func importParties(
    _ records: [PartyRecord], readAt: RegistryInstant, now: RegistryInstant, overRegister: Bool = false
  ) async throws -> ImportSummary {
    try await self.writing { database in
      var summary = ImportSummary()
      for record in records {
        let source = try String.fetchOne(
          database, sql: "SELECT source FROM party WHERE her_id = ?", arguments: [record.herID.value])
        if source == RecordSource.soap.rawValue, !overRegister {
          summary.keptFromRegister.append(record.herID)
          continue
        }
        switch try Self.save(record, source: .file, readAt: readAt, now: now, in: database).outcome {
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
    try await self.writing { database in
      guard var entry = try EntryRow.load(herID, from: database), entry.readAt <= instant else { return }
      entry.readAt = RegistryInstant(millisecondsSinceEpoch: 0)
      try EntryRow.store(entry, in: database)
    }
  }

  private static func save(
    _ record: PartyRecord, source: RecordSource, readAt: RegistryInstant, now: RegistryInstant, in database: Database
  ) throws -> (entry: RegistryEntry, outcome: SaveOutcome) {
    let before = try Row.fetchOne(
      database, sql: "SELECT record_hash, read_at_ms, version FROM party WHERE her_id = ?", arguments: [record.herID.value])
    guard let before else {
      let entry = RegistryEntry(record: record, source: source, readAt: readAt, version: 1)
      try EntryRow.store(entry, in: database)
      return (entry, .added)
    }
    let beforeReadAt = RegistryInstant(millisecondsSinceEpoch: before["read_at_ms"])
    if beforeReadAt > readAt, beforeReadAt <= now {
      // A damaged row is not worth keeping, however new it says it is: loading it throws, and it is written over.
      if let kept = try? EntryRow.load(record.herID, from: database) { return (kept, .keptNewer) }
    }
    let version: Int64 = before["version"]
    let storedHash: String = before["record_hash"]
    let same = storedHash == record.hash.hex
    let entry = RegistryEntry(record: record, source: source, readAt: readAt, version: same ? version : version + 1)
    try EntryRow.store(entry, in: database)
    return (entry, same ? .confirmed : .changed)
  }

  // MARK: - Access

  private func reading<Value: Sendable>(_ body: @Sendable @escaping (Database) throws -> Value) async throws -> Value {
    do { return try await self.database.read(body) } catch { throw CacheFailure.explained(error, path: self.path) }
  }

  private func writing<Value: Sendable>(_ body: @Sendable @escaping (Database) throws -> Value) async throws -> Value {
    guard self.access == .readWrite else {
      throw AddressRegistryError.cacheReadOnly(path: self.path, seen: "it was opened for reading only")
    }
    do { return try await self.database.write(body) } catch { throw CacheFailure.explained(error, path: self.path) }
  }
}
