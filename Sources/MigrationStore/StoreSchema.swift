// SPDX-License-Identifier: Apache-2.0

import GRDB

/// The tables. A changed layout gets a new version and a step that brings older files up to it.
enum StoreSchema {
  /// "TjMg": tells our file from other programs' SQLite files.
  static let applicationID: Int64 = 0x546A_4D67
  static let version: Int64 = 1

  /// Creates the tables in an empty file, or checks whose the file is. Must run inside a write transaction.
  static func prepare(_ database: Database, path: String) throws {
    if try Self.isEmpty(database) {
      try database.execute(sql: Self.tables)
      try database.execute(sql: "PRAGMA application_id = \(Self.applicationID); PRAGMA user_version = \(Self.version)")
    }
    try Self.check(database, path: path)
  }

  /// - Throws: ``StoreError`` for a file that is not ours, or that a newer program wrote.
  static func check(_ database: Database, path: String) throws {
    let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let version = try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    if application != Self.applicationID {
      throw StoreError.notOurs(path: path, seen: "application id \(application), not \(Self.applicationID)")
    }
    if version > Self.version { throw StoreError.newerSchema(path: path, found: version, known: Self.version) }
    if version < 1 { throw StoreError.damaged(path: path, seen: "schema version \(version)") }
  }

  /// Nothing in it yet: a daemon is just making it, or died while it did.
  static func isEmpty(_ database: Database) throws -> Bool {
    let tables = try Int64.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
    let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let version = try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    return tables == 0 && application == 0 && version == 0
  }

  private static let tables = """
    CREATE TABLE fence (
      token INTEGER PRIMARY KEY NOT NULL,
      taken_at INTEGER NOT NULL,
      holder TEXT NOT NULL
    ) STRICT;
    CREATE TABLE event (
      sequence INTEGER PRIMARY KEY NOT NULL,
      at INTEGER NOT NULL,
      fence INTEGER NOT NULL REFERENCES fence(token),
      actor TEXT NOT NULL,
      kind TEXT NOT NULL,
      version INTEGER NOT NULL,
      body TEXT NOT NULL,
      previous TEXT NOT NULL,
      hash TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
      BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
    CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
      BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
    CREATE TRIGGER event_is_appended BEFORE INSERT ON event
      WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM event)
      BEGIN SELECT RAISE(ABORT, 'an event comes after the last one'); END;
    CREATE TRIGGER event_is_fenced BEFORE INSERT ON event
      WHEN NEW.fence <> (SELECT coalesce(max(token), 0) FROM fence)
      BEGIN SELECT RAISE(ABORT, 'another writer has taken over'); END;
    CREATE TRIGGER fence_is_never_changed BEFORE UPDATE ON fence
      BEGIN SELECT RAISE(ABORT, 'fencing tokens only grow'); END;
    CREATE TRIGGER fence_is_never_removed BEFORE DELETE ON fence
      BEGIN SELECT RAISE(ABORT, 'fencing tokens only grow'); END;
    CREATE TRIGGER fence_grows BEFORE INSERT ON fence
      WHEN NEW.token <= (SELECT coalesce(max(token), 0) FROM fence)
      BEGIN SELECT RAISE(ABORT, 'fencing tokens only grow'); END;
    """
}
