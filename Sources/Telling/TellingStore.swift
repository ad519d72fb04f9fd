// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Migration
import SQLiteFile

/// What people have been told, and what is still to be told over which channel: a file of its own beside the history.
///
/// A change and that it is to be told are written in one transaction, so that it is neither forgotten nor told twice when the daemon is killed
/// between the two. It holds nothing that the history does not hold as well: losing the file costs one alert too many, never a pulje.
public final class TellingStore: Sendable {
  /// One thing to be told over one channel.
  public struct Pending: Sendable, Hashable {
    public var message: TellingMessage
    public var attempts: Int
    public var toldFrom: Instant
  }

  private let database: DatabaseQueue
  public let path: String

  private init(_ database: DatabaseQueue, path: String) {
    self.database = database
    self.path = path
  }

  /// Opens the file, or makes it.
  ///
  /// - Throws: ``TellingError`` `storeUnusable`.
  public static func open(path: String) async throws(TellingError) -> TellingStore {
    do {
      var configuration = Configuration()
      configuration.label = "what is told"
      configuration.busyMode = .timeout(5)
      let settings = configuration
      let database = try WriteAheadLog.opening(path, busyTimeout: .seconds(5)) {
        try DatabaseQueue(path: path, configuration: settings)
      }
      try await database.write { db in
        try db.execute(
          sql: """
            CREATE TABLE IF NOT EXISTS condition (key TEXT PRIMARY KEY NOT NULL, entry TEXT NOT NULL) STRICT;
            CREATE TABLE IF NOT EXISTS telling (
              channel TEXT NOT NULL, id TEXT NOT NULL, told_from INTEGER NOT NULL, message TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
              next_at INTEGER NOT NULL, ended_at INTEGER, outcome TEXT, PRIMARY KEY (channel, id)
            ) STRICT;
            CREATE TABLE IF NOT EXISTS channel (name TEXT PRIMARY KEY NOT NULL) STRICT;
            CREATE INDEX IF NOT EXISTS telling_due ON telling (channel, next_at) WHERE ended_at IS NULL;
            """)
      }
      return TellingStore(database, path: path)
    } catch {
      throw Self.unusable(path, error)
    }
  }

  private static func unusable(_ path: String, _ error: any Error) -> TellingError {
    .storeUnusable(path: path, seen: String(((error as? DatabaseError)?.message ?? "\(error)").prefix(200)))
  }

  private func doing<Value: Sendable>(_ work: @Sendable @escaping (Database) throws -> Value) async throws(TellingError) -> Value
  {
    do { return try await self.database.write(work) } catch { throw Self.unusable(self.path, error) }
  }

  /// What people have been told stands.
  public func entries() async throws(TellingError) -> [ConditionBook.Entry] {
    try await self.doing { db in
      try String.fetchAll(db, sql: "SELECT entry FROM condition").map {
        try JSONDecoder().decode(ConditionBook.Entry.self, from: Data($0.utf8))
      }
    }
  }

  /// Keeps what stands, and what is to be told of it over which channels, as one.
  public func keep(
    _ entries: [ConditionBook.Entry], _ messages: [(channel: String, message: TellingMessage)], at now: Instant
  ) async throws(TellingError) {
    let messages = messages.map { ($0.channel, $0.message) }
    try await self.doing { db in
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      try db.execute(sql: "DELETE FROM condition")
      for entry in entries {
        let key = String(decoding: try encoder.encode(entry.condition.key), as: UTF8.self)
        try db.execute(
          sql: "INSERT INTO condition (key, entry) VALUES (?, ?)",
          arguments: [key, String(decoding: try encoder.encode(entry), as: UTF8.self)])
      }
      for (channel, message) in messages {
        try db.execute(
          sql: "INSERT OR IGNORE INTO telling (channel, id, told_from, message, next_at) VALUES (?, ?, ?, ?, ?)",
          arguments: [
            channel, message.id, now.milliseconds, String(decoding: try encoder.encode(message), as: UTF8.self), now.milliseconds,
          ])
      }
    }
  }

  /// What is due over a channel, oldest first: nothing overtakes what could not be told yet, so that no end is told before its beginning.
  public func due(_ channel: String, most: Int, now: Instant) async throws(TellingError) -> [Pending] {
    try await self.doing { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT message, attempts, told_from, next_at FROM telling WHERE channel = ? AND ended_at IS NULL ORDER BY rowid LIMIT ?
          """, arguments: [channel, most])
      return try rows.prefix { (row: Row) -> Bool in (row["next_at"] as Int64) <= now.milliseconds }.map { row in
        Pending(
          message: try JSONDecoder().decode(TellingMessage.self, from: Data((row["message"] as String).utf8)),
          attempts: row["attempts"], toldFrom: Instant(milliseconds: row["told_from"]))
      }
    }
  }

  /// When the first of those that wait over a channel is due; nil when none waits.
  public func nextDue(_ channel: String) async throws(TellingError) -> Instant? {
    try await self.doing { db in
      try Int64.fetchOne(
        db, sql: "SELECT next_at FROM telling WHERE channel = ? AND ended_at IS NULL ORDER BY rowid LIMIT 1", arguments: [channel]
      ).map { Instant(milliseconds: $0) }
    }
  }

  /// They arrived, or are given up with `seen`.
  public func ended(_ ids: [String], over channel: String, givenUp seen: String?, at now: Instant) async throws(TellingError) {
    try await self.doing { db in
      for id in ids {
        try db.execute(
          sql: "UPDATE telling SET ended_at = ?, outcome = ?, attempts = attempts + 1 WHERE channel = ? AND id = ?",
          arguments: [now.milliseconds, seen ?? "arrived", channel, id])
      }
    }
  }

  /// They are tried again at `next`.
  public func failed(_ ids: [String], over channel: String, next: Instant) async throws(TellingError) {
    try await self.doing { db in
      for id in ids {
        try db.execute(
          sql: "UPDATE telling SET next_at = ?, attempts = attempts + 1 WHERE channel = ? AND id = ?",
          arguments: [next.milliseconds, channel, id])
      }
    }
  }

  /// Forgets what was told before `then`.
  public func forget(before then: Instant) async throws(TellingError) {
    try await self.doing { db in try db.execute(sql: "DELETE FROM telling WHERE ended_at < ?", arguments: [then.milliseconds]) }
  }

  /// Which of them were not there before.
  public func newcomers(among channels: [String]) async throws(TellingError) -> [String] {
    try await self.doing { db in
      let known = Set(try String.fetchAll(db, sql: "SELECT name FROM channel"))
      // A file of an earlier version names no channels: people were told over those that are there.
      if known.isEmpty, try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM telling)") ?? false { return [] }
      return channels.filter { !known.contains($0) }
    }
  }

  /// Those that people are told over from now on. Whatever waits over others is given up, with `reason`.
  ///
  /// - Returns: how much was given up, by channel.
  public func adopt(_ channels: [String], reason: String, at now: Instant) async throws(TellingError) -> [String: Int] {
    try await self.doing { db in
      var givenUp: [String: Int] = [:]
      let present = Set(channels)
      for gone in try String.fetchAll(db, sql: "SELECT DISTINCT channel FROM telling WHERE ended_at IS NULL")
      where !present.contains(gone) {
        try db.execute(
          sql: "UPDATE telling SET ended_at = ?, outcome = ? WHERE channel = ? AND ended_at IS NULL",
          arguments: [now.milliseconds, reason, gone])
        givenUp[gone] = db.changesCount
      }
      try db.execute(sql: "DELETE FROM channel")
      for name in present.sorted() { try db.execute(sql: "INSERT INTO channel (name) VALUES (?)", arguments: [name]) }
      return givenUp
    }
  }

  /// How much waits to be told over each channel.
  public func waiting() async throws(TellingError) -> [String: Int] {
    try await self.doing { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT channel, COUNT(*) AS waiting FROM telling WHERE ended_at IS NULL GROUP BY channel")
      return Dictionary(rows.map { ($0["channel"], $0["waiting"]) }, uniquingKeysWith: { $1 })
    }
  }

  /// Idempotent.
  public func close() { try? self.database.close() }
}
