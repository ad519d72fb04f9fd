// SPDX-License-Identifier: Apache-2.0

import BusModel
import GRDB
import GRDBSQLite

/// A row of a statement of SQLite's own, found to be what was stored. Its bytes are the statement's: they hold until the next step.
struct SealedRow {
  static let columns = "her_id, content, source, read_at_ms, version, record_hash, change, seal"

  let herID: HerID
  let facts: RowSeal.Facts
  let content: UnsafeRawBufferPointer
  let seal: UnsafeRawBufferPointer
  private let hash: UnsafeRawBufferPointer

  /// - Parameter statement: selects ``columns``, and stands on a row.
  /// - Throws: `cacheRowDamaged`, `cacheCorrupt` where not even the HER-ID is one.
  init(_ statement: OpaquePointer) throws(AddressRegistryError) {
    func blob(_ column: Int32) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(
        start: sqlite3_column_blob(statement, column), count: Int(sqlite3_column_bytes(statement, column)))
    }
    let number = sqlite3_column_int64(statement, 0)
    guard let narrow = Int32(exactly: number), let herID = HerID(narrow) else {
      throw .cacheCorrupt(path: "", seen: "a row of HER-ID \(number), which is none")
    }
    guard let source = RecordSource(number: sqlite3_column_int64(statement, 2)) else {
      throw .cacheRowDamaged(herID, seen: "a source that is none")
    }
    self.herID = herID
    self.facts = RowSeal.Facts(
      herID: number, source: source, readAt: RegistryInstant(millisecondsSinceEpoch: sqlite3_column_int64(statement, 3)),
      version: sqlite3_column_int64(statement, 4), change: sqlite3_column_int64(statement, 6))
    self.hash = blob(5)
    self.content = blob(1)
    self.seal = blob(7)
    let right = RowSeal.of(self.facts, recordHash: self.hash, content: self.content)
    guard self.hash.count == RowSeal.size, RowSeal.equals(right, self.seal) else {
      throw .cacheRowDamaged(herID, seen: "the row does not hash to what was stored with it")
    }
  }

  func entry() throws(AddressRegistryError) -> RegistryEntry {
    guard let record = try? RecordContent.record(self.content), record.herID == self.herID,
      let hash = RecordHash(bytes: self.hash)
    else { throw self.malformed }
    return RegistryEntry(
      record: record, source: self.facts.source, readAt: self.facts.readAt, version: self.facts.version,
      hash: hash)
  }

  var malformed: AddressRegistryError { .cacheRowDamaged(self.herID, seen: "its content is no record of this party") }

  /// The statement's next row; nil behind the last one.
  static func step(_ statement: OpaquePointer) throws -> SealedRow? {
    switch sqlite3_step(statement) {
    case SQLITE_ROW: return try SealedRow(statement)
    case SQLITE_DONE: return nil
    case let code: throw DatabaseError(resultCode: ResultCode(rawValue: code), message: "the rows cannot be read")
    }
  }

  /// All rows of a statement, one after the other, within one access to the database.
  final class Cursor {
    private var statement: OpaquePointer?

    init(_ database: Database, sql: String) throws {
      let code = sqlite3_prepare_v2(database.sqliteConnection, sql, -1, &self.statement, nil)
      guard code == SQLITE_OK else {
        throw DatabaseError(resultCode: ResultCode(rawValue: code), message: "the statement cannot be prepared")
      }
    }

    deinit { sqlite3_finalize(self.statement) }

    func next() throws -> SealedRow? {
      guard let statement else { return nil }
      return try SealedRow.step(statement)
    }
  }
}
