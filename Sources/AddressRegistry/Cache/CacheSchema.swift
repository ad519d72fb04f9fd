// SPDX-License-Identifier: Apache-2.0

import GRDB

/// The tables of the cache file. A changed layout gets a new version and a step that brings older files up to it.
enum CacheSchema {
  /// "TjAR": tells our file from other programs' SQLite files.
  static let applicationID: Int32 = 0x546A_4152
  static let version = 2

  /// What a file says of itself.
  enum Standing: Equatable {
    /// Nothing in it yet.
    case empty
    case ours(version: Int)
    case foreign(applicationID: Int32)
  }

  static func standing(_ database: Database) throws -> Standing {
    let applicationID = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    if applicationID == self.applicationID { return .ours(version: version) }
    let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
    return applicationID == 0 && version == 0 && tables == 0 ? .empty : .foreign(applicationID: applicationID)
  }

  /// Refuses a file that is not ours, or that a newer program wrote.
  static func check(_ standing: Standing, path: String) throws(AddressRegistryError) {
    switch standing {
    case .empty: return
    case .foreign(let id): throw .cacheForeign(path: path, applicationID: id)
    case .ours(let version) where version > Self.version:
      throw .cacheNewer(path: path, version: version, known: Self.version)
    case .ours(let version) where version < 1:
      throw .cacheCorrupt(path: path, seen: "schema version \(version), which never was")
    case .ours: return
    }
  }

  static func create(_ database: Database, environment: String?) throws {
    try database.execute(
      sql: """
        CREATE TABLE party (
          her_id      INTEGER PRIMARY KEY NOT NULL CHECK (her_id > 0),
          content     BLOB    NOT NULL,
          source      INTEGER NOT NULL,
          read_at_ms  INTEGER NOT NULL,
          version     INTEGER NOT NULL CHECK (version > 0),
          record_hash BLOB    NOT NULL,
          change      INTEGER NOT NULL,
          seal        BLOB    NOT NULL
        ) STRICT;
        CREATE INDEX party_by_change ON party (change);
        CREATE TABLE mark (
          name  TEXT PRIMARY KEY NOT NULL,
          value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE facts (
          id          INTEGER PRIMARY KEY CHECK (id = 1),
          environment TEXT,
          change      INTEGER NOT NULL,
          parties     INTEGER NOT NULL,
          folded      BLOB    NOT NULL,
          seal        BLOB    NOT NULL
        ) STRICT;
        PRAGMA application_id = \(Self.applicationID);
        PRAGMA user_version = \(Self.version);
        """)
    try CacheFacts(environment: environment).store(in: database)
  }

  /// Brings a file of an earlier schema up to this one, with all it holds.
  static func upgrade(_ database: Database, environment: String?) throws {
    let entries = try FirstFormRow.loadAll(from: database)
    try database.execute(sql: "DROP TABLE address; DROP TABLE party")
    try Self.create(database, environment: environment)
    var facts = try CacheFacts.load(from: database)
    for entry in entries { try EntryRow.store(entry, over: .absent, &facts, in: database) }
    try facts.store(in: database)
  }
}
