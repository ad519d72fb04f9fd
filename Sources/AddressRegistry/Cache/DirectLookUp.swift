// SPDX-License-Identifier: Apache-2.0

import BusModel
import GRDB
import GRDBSQLite
import NIOConcurrencyHelpers

/// One party by one prepared statement on a connection of its own: what the pool's readers do, without the way to their queue.
///
/// `@unchecked Sendable`: the connection and its statement are reached under `lock` only, and SQLite was told not to lock for
/// itself; neither leaves this class.
final class DirectLookUp: @unchecked Sendable {
  private static let sql = "SELECT \(SealedRow.columns) FROM party WHERE her_id = ?"

  private let lock = NIOLock()
  private var database: OpaquePointer?
  private var statement: OpaquePointer?

  init(path: String, busyTimeout: Duration) throws {
    var database: OpaquePointer?
    let code = sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK else {
      sqlite3_close_v2(database)
      throw DatabaseError(resultCode: ResultCode(rawValue: code), message: "the file cannot be opened for look-ups")
    }
    sqlite3_busy_timeout(database, Int32(min(busyTimeout / .milliseconds(1), 3_600_000)))
    var statement: OpaquePointer?
    let prepared = sqlite3_prepare_v3(database, Self.sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    guard prepared == SQLITE_OK else {
      sqlite3_close_v2(database)
      throw DatabaseError(resultCode: ResultCode(rawValue: prepared), message: "the statement of look-ups cannot be prepared")
    }
    self.database = database
    self.statement = statement
  }

  deinit { self.close() }

  /// Idempotent.
  func close() {
    self.lock.withLock {
      sqlite3_finalize(self.statement)
      sqlite3_close_v2(self.database)
      self.statement = nil
      self.database = nil
    }
  }

  func entry(_ herID: HerID) throws -> RegistryEntry? {
    try self.lock.withLock {
      guard let statement else {
        throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the cache is closed")
      }
      defer { sqlite3_reset(statement) }
      sqlite3_bind_int64(statement, 1, Int64(herID.value))
      guard let row = try SealedRow.step(statement) else { return nil }
      guard row.herID == herID else {
        throw AddressRegistryError.cacheCorrupt(path: "", seen: "another row than was asked for")
      }
      return try row.entry()
    }
  }
}
