// SPDX-License-Identifier: Apache-2.0

import BusModel
import Crypto
import GRDB

/// An entry as the tables of schema 1 have it: read once, when such a file is brought up to date.
enum FirstFormRow {
  private static let columns = "her_id, name, kind, parent, active, valid, source, read_at_ms, version, record_hash, seal"

  /// SHA-256 over everything the row says: the canonical form, the addresses in the register's order (the canonical form
  /// sorts them), source, instant and version.
  static func seal(of entry: RegistryEntry) -> String {
    var text = "seal/1\n" + entry.record.canonicalForm
    for address in entry.record.addresses { text += "\(address.text.utf8.count):\(address.text)\n" }
    text += "\(entry.source.rawValue)\n\(entry.readAt.millisecondsSinceEpoch)\n\(entry.version)\n"
    return SHA256.hash(data: Array(text.utf8)).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  /// All entries in order of HER-ID; one damaged row fails the whole, since a list that lacks one party is a wrong answer.
  static func loadAll(from database: Database) throws -> [RegistryEntry] {
    var addresses: [Int32: [PartyRecord.Address]] = [:]
    let lines = try Row.fetchCursor(
      database, sql: "SELECT her_id, type_code, text, inherited FROM address ORDER BY her_id, position")
    while let line = try lines.next() {
      addresses[line[0], default: []].append(PartyRecord.Address(typeCode: line[1], text: line[2], inherited: line[3]))
    }
    var entries: [RegistryEntry] = []
    let rows = try Row.fetchCursor(database, sql: "SELECT \(Self.columns) FROM party ORDER BY her_id")
    while let row = try rows.next() { entries.append(try Self.entry(row, addresses: addresses[row[0]] ?? [])) }
    return entries
  }

  private static func entry(_ row: Row, addresses: [PartyRecord.Address]) throws(AddressRegistryError) -> RegistryEntry {
    let number: Int64 = row[0]
    guard let narrow = Int32(exactly: number), let herID = HerID(narrow) else {
      throw .cacheCorrupt(path: "", seen: "a row of HER-ID \(number), which is none")
    }
    guard let kind = PartyRecord.Kind(rawValue: row[2]), let source = RecordSource(rawValue: row[6]) else {
      throw .cacheRowDamaged(herID, seen: "a kind or source that is none")
    }
    var parent: HerID?
    if let parentNumber = row[3] as Int64? {
      guard let narrow = Int32(exactly: parentNumber), let named = HerID(narrow) else {
        throw .cacheRowDamaged(herID, seen: "a parent that is no HER-ID")
      }
      parent = named
    }
    let record = PartyRecord(
      herID: herID, name: row[1], kind: kind, parent: parent, active: row[4], valid: row[5], addresses: addresses)
    let entry = RegistryEntry(
      record: record, source: source, readAt: RegistryInstant(millisecondsSinceEpoch: row[7]), version: row[8])
    let storedHash: String = row[9]
    let storedSeal: String = row[10]
    guard entry.hash.hex == storedHash, Self.seal(of: entry) == storedSeal else {
      throw .cacheRowDamaged(herID, seen: "the row does not hash to what was stored with it")
    }
    return entry
  }
}
