// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import GRDB
import GRDBSQLite

/// An entry in its table, there and back. What is loaded is believed only when it hashes to what was sealed.
enum EntryRow {
  private static let byNumber = "SELECT \(SealedRow.columns) FROM party WHERE her_id = ?"

  /// What the table has of a party.
  enum Standing {
    case absent
    case there(RegistryEntry, seal: FoldedSeals)
    /// There is a row, and it is not what was stored: why it is not believed.
    case damaged(AddressRegistryError)
  }

  static func standing(_ herID: HerID, in database: Database) throws -> Standing {
    let statement = try database.cachedStatement(sql: Self.byNumber).sqliteStatement
    defer { sqlite3_reset(statement) }
    sqlite3_bind_int64(statement, 1, Int64(herID.value))
    do {
      guard let row = try SealedRow.step(statement) else { return .absent }
      guard row.herID == herID else {
        return .damaged(.cacheCorrupt(path: "", seen: "another row than was asked for"))
      }
      return .there(try row.entry(), seal: FoldedSeals(of: row.seal))
    } catch let error as AddressRegistryError {
      return .damaged(error)
    }
  }

  static func load(_ herID: HerID, from database: Database) throws -> RegistryEntry? {
    switch try Self.standing(herID, in: database) {
    case .absent: return nil
    case .there(let entry, _): return entry
    case .damaged(let error): throw error
    }
  }

  /// Every entry in order of HER-ID, with the number of the write that stored it.
  ///
  /// One damaged row fails the whole, since a list that lacks one party is a wrong answer; so does a row that is missing, or
  /// that is not the one that was stored last.
  static func forEach(in database: Database, _ body: (RegistryEntry) throws -> Void) throws {
    try Self.walk(database) { try body($0.entry()) }
  }

  /// The same for what routes are made of, which is a third of the work.
  static func forEachContent(
    in database: Database, _ body: (HerID, RegistryInstant, UnsafeRawBufferPointer) throws(RecordContent.Malformed) -> Void
  ) throws {
    try Self.walk(database) { row in
      do { try body(row.herID, row.facts.readAt, row.content) } catch { throw row.malformed }
    }
  }

  /// Whether all rows are there, are those that were stored last, and are found by their numbers.
  static func verifyWhole(_ database: Database) throws {
    try Self.walk(database) { _ in }
    // A row can be there and yet not be found, where the pages above it lead elsewhere.
    let findings = try String.fetchAll(database, sql: "PRAGMA quick_check(5)")
    if findings != ["ok"] { throw AddressRegistryError.cacheCorrupt(path: "", seen: findings.joined(separator: "; ")) }
  }

  /// The first entries that were stored after `change`.
  static func changed(since change: Int64, limit: Int, in database: Database) throws -> [RegistryEntry] {
    let cursor = try SealedRow.Cursor(
      database, sql: "SELECT \(SealedRow.columns) FROM party WHERE change > \(change) ORDER BY change LIMIT \(limit)")
    var entries: [RegistryEntry] = []
    while let row = try cursor.next() { entries.append(try row.entry()) }
    return entries
  }

  /// By a statement of SQLite's own: 100,000 rows are many.
  private static func walk(_ database: Database, _ body: (SealedRow) throws -> Void) throws {
    let facts = try CacheFacts.load(from: database)
    var count: Int64 = 0
    var last: Int64 = 0
    var folded = FoldedSeals()
    let cursor = try SealedRow.Cursor(database, sql: "SELECT \(SealedRow.columns) FROM party ORDER BY her_id")
    while let row = try cursor.next() {
      // Where pages are swapped, SQLite takes the order for granted.
      let number = Int64(row.herID.value)
      guard number > last else {
        throw AddressRegistryError.cacheCorrupt(path: "", seen: "HER-ID \(number) stands after \(last)")
      }
      try body(row)
      last = number
      count += 1
      folded.fold(row.seal)
    }
    guard count == facts.parties, folded == facts.folded else {
      throw AddressRegistryError.cacheCorrupt(
        path: "", seen: "\(count) rows that are not the \(facts.parties) rows that were stored")
    }
  }

  /// Stores the entry with the next write's number.
  ///
  /// - Parameter standing: what ``standing(_:in:)`` said of the party within this transaction.
  static func store(
    _ entry: RegistryEntry, over standing: Standing, _ facts: inout CacheFacts, in database: Database
  ) throws {
    switch standing {
    case .absent: facts.parties += 1
    case .there(_, let seal): facts.folded.fold(seal)
    case .damaged: break
    }
    facts.change += 1
    let number = entry.record.herID.value
    let content = RecordContent.bytes(of: entry.record)
    let hash = entry.hash.bytes
    let seal = RowSeal.of(
      RowSeal.Facts(
        herID: Int64(number), source: entry.source, readAt: entry.readAt, version: entry.version, change: facts.change),
      recordHash: hash, content: content)
    try database.cachedStatement(
      sql: "INSERT OR REPLACE INTO party (\(SealedRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    ).execute(arguments: [
      number, Data(content), Int64(entry.source.number), entry.readAt.millisecondsSinceEpoch, entry.version, Data(hash),
      facts.change, Data(seal),
    ])
    // Of a damaged row nobody knows which seal was folded in when it was stored.
    if case .damaged = standing {
      facts.folded = try Self.foldedSeals(in: database)
    } else {
      seal.withUnsafeBytes { facts.folded.fold($0) }
    }
  }

  /// Laid together anew. How many rows there should be is still known, so that one that is missing is found.
  private static func foldedSeals(in database: Database) throws -> FoldedSeals {
    var folded = FoldedSeals()
    let rows = try Row.fetchCursor(database, sql: "SELECT seal FROM party")
    while let row = try rows.next() { row.bytes(0)?.withUnsafeBytes { folded.fold($0) } }
    return folded
  }
}
