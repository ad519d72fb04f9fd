// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import GRDB

/// What a cache file says of itself as a whole: one row, changed in the same transaction as the parties.
struct CacheFacts: Equatable {
  /// The environment whose register it mirrors; nil when nobody has said.
  var environment: String?
  /// The number of the last write.
  var change: Int64 = 0
  var parties: Int64 = 0
  var folded = FoldedSeals()

  static func load(from database: Database) throws -> CacheFacts {
    let statement = try database.cachedStatement(
      sql: "SELECT environment, change, parties, folded, seal FROM facts WHERE id = 1")
    guard let row = try Row.fetchOne(statement) else { throw Self.damaged("what the file says of itself is missing") }
    guard let change = row.number(1), let parties = row.number(2), let folded = row.bytes(3), let seal = row.bytes(4),
      let seals = folded.withUnsafeBytes({ FoldedSeals($0) })
    else { throw Self.damaged("what the file says of itself is of another form") }
    let facts = CacheFacts(environment: row.text(0), change: change, parties: parties, folded: seals)
    guard Array(seal) == facts.seal else { throw Self.damaged("what the file says of itself does not hash to its seal") }
    return facts
  }

  func store(in database: Database) throws {
    try database.cachedStatement(
      sql: "INSERT OR REPLACE INTO facts (id, environment, change, parties, folded, seal) VALUES (1, ?, ?, ?, ?, ?)"
    ).execute(arguments: [self.environment, self.change, self.parties, Data(self.folded.bytes), Data(self.seal)])
  }

  private var seal: [UInt8] {
    let environment = self.environment.map { "\($0.utf8.count):\($0)" } ?? "-"
    var text = Array("facts/2\n\(environment)\n\(self.change)\n\(self.parties)\n".utf8)
    text += self.folded.bytes
    return Array(SHA256.hash(data: text))
  }

  private static func damaged(_ seen: String) -> AddressRegistryError { .cacheCorrupt(path: "", seen: seen) }
}

/// A damaged file can have a value of any type in any column: what is asked for is there, or nil.
extension Row {
  func number(_ column: Int) -> Int64? { Int64.fromDatabaseValue(self[column] as DatabaseValue) }
  func text(_ column: Int) -> String? { String.fromDatabaseValue(self[column] as DatabaseValue) }
  func bytes(_ column: Int) -> Data? {
    let value: DatabaseValue = self[column]
    guard case .blob(let data) = value.storage else { return nil }
    return data
  }
}
