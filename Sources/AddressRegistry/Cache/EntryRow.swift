// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import GRDB

/// An entry in its table, there and back. What is loaded is believed only when it hashes to what was sealed.
enum EntryRow {
  private static let columns = "her_id, content, source, read_at_ms, version, record_hash, change, seal"

  static func load(_ herID: HerID, from database: Database) throws -> RegistryEntry? {
    let statement = try database.cachedStatement(sql: "SELECT \(Self.columns) FROM party WHERE her_id = ?")
    return try Row.fetchOne(statement, arguments: [herID.value]).map { try Self.entry($0) }
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
    try Row.fetchAll(
      database, sql: "SELECT \(Self.columns) FROM party WHERE change > ? ORDER BY change LIMIT ?", arguments: [change, limit]
    ).map { try Self.entry($0) }
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
  static func store(_ entry: RegistryEntry, _ facts: inout CacheFacts, in database: Database) throws {
    let number = entry.record.herID.value
    let statement = try database.cachedStatement(sql: "SELECT \(Self.columns) FROM party WHERE her_id = ?")
    let before = try Row.fetchOne(statement, arguments: [number])
    // Of a damaged row nobody knows which seal was folded in when it was stored.
    let replacesDamage = before.map { row in
      row.bytes(7)?.withUnsafeBytes { facts.folded.fold($0) }
      return (try? Self.facts(of: row)) == nil
    }
    if before == nil { facts.parties += 1 }
    facts.change += 1
    let content = RecordContent.bytes(of: entry.record)
    let hash = entry.hash.bytes
    let seal = Array(
      RowSeal.of(
        RowSeal.Facts(
          herID: Int64(number), source: entry.source, readAt: entry.readAt, version: entry.version, change: facts.change),
        recordHash: hash, content: content))
    seal.withUnsafeBytes { facts.folded.fold($0) }
    try database.cachedStatement(
      sql: "INSERT OR REPLACE INTO party (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    ).execute(arguments: [
      number, Data(content), Int64(entry.source.number), entry.readAt.millisecondsSinceEpoch, entry.version, Data(hash),
      facts.change, Data(seal),
    ])
    if replacesDamage == true { facts.folded = try Self.foldedSeals(in: database) }
  }

  /// Laid together anew. How many rows there should be is still known, so that one that is missing is found.
  private static func foldedSeals(in database: Database) throws -> FoldedSeals {
    var folded = FoldedSeals()
    let rows = try Row.fetchCursor(database, sql: "SELECT seal FROM party")
    while let row = try rows.next() { row.bytes(0)?.withUnsafeBytes { folded.fold($0) } }
    return folded
  }

  /// The row's facts, once its seal has been found right.
  private static func facts(of row: Row) throws -> (herID: HerID, facts: RowSeal.Facts) {
    guard let number = row.number(0), let narrow = Int32(exactly: number), let herID = HerID(narrow) else {
      throw AddressRegistryError.cacheCorrupt(
        path: "", seen: "a row of HER-ID \(row.number(0).map(String.init) ?? "?"), which is none")
    }
    guard let source = row.number(2).flatMap({ RecordSource(number: $0) }), let readAt = row.number(3),
      let version = row.number(4), let change = row.number(6), [1, 5, 7].allSatisfy({ row.isBlob($0) })
    else { throw AddressRegistryError.cacheRowDamaged(herID, seen: "a value that is none of its column's") }
    let facts = RowSeal.Facts(
      herID: number, source: source, readAt: RegistryInstant(millisecondsSinceEpoch: readAt), version: version, change: change)
    let isRight = try row.withUnsafeData(atIndex: 1) { content in
      try row.withUnsafeData(atIndex: 5) { hash in
        try row.withUnsafeData(atIndex: 7) { seal in
          Self.isSealed(facts, hash, content, seal)
        }
      }
    }
    guard isRight else {
      throw AddressRegistryError.cacheRowDamaged(herID, seen: "the row does not hash to what was stored with it")
    }
    return (herID, facts)
  }

  private static func isSealed(_ facts: RowSeal.Facts, _ hash: Data?, _ content: Data?, _ seal: Data?) -> Bool {
    guard let hash, let content, let seal, hash.count == RowSeal.size else { return false }
    return hash.withUnsafeBytes { hash in
      content.withUnsafeBytes { content in
        let right = RowSeal.of(facts, recordHash: hash, content: content)
        return seal.withUnsafeBytes { seal in right.withUnsafeBytes { $0.elementsEqual(seal) } }
      }
    }
  }

  private static func entry(_ row: Row) throws -> RegistryEntry {
    let (herID, facts) = try Self.facts(of: row)
    let record = try row.withUnsafeData(atIndex: 1) { content in
      content.flatMap { content in content.withUnsafeBytes { try? RecordContent.record($0) } }
    }
    guard let record, record.herID == herID else {
      throw AddressRegistryError.cacheRowDamaged(herID, seen: "its content is no record of this party")
    }
    guard let hash = row.bytes(5) else { throw AddressRegistryError.cacheRowDamaged(herID, seen: "a hash that is none") }
    return RegistryEntry(
      record: record, source: facts.source, readAt: facts.readAt, version: facts.version, hash: RecordHash(bytes: hash))
  }
}
