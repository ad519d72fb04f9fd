// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import GRDB
import GRDBSQLite

extension AddressCache {
  /// Opening and closing block on the disk; they run on a queue of their own, never on the cooperative pool.
  private static let openingQueue = DispatchQueue(label: "tjenestebuss.address-cache.opening")

  static func offPool<Value: Sendable>(_ body: @Sendable @escaping () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      Self.openingQueue.async { continuation.resume(with: Result(catching: body)) }
    }
  }

  static func openBlocking(path: String, access: Access, busyTimeout: Duration) throws -> AddressCache {
    let there = FileManager.default.fileExists(atPath: path)
    if access == .readOnly, !there { throw AddressRegistryError.cacheMissing(path: path) }
    var configuration = Configuration()
    configuration.readonly = access == .readOnly
    configuration.label = "tjenestebuss.address-cache"
    let parts = busyTimeout.components
    configuration.busyMode = .timeout(Double(parts.seconds) + Double(parts.attoseconds) / 1e18)
    do {
      // Before the pool turns the file to WAL, look whose it is: another program's file is left untouched.
      if there {
        let look = try DatabaseQueue(path: path, configuration: configuration)
        let standing = try look.read { try CacheSchema.standing($0) }
        try look.close()
        try CacheSchema.check(standing, path: path)
        if access == .readOnly, standing == .empty { throw AddressRegistryError.cacheMissing(path: path) }
      }
      configuration.prepareDatabase { database in
        guard !database.configuration.readonly else { return }
        // The two files beside the database stay when the last process closes it: a process that may only read
        // could not make them, and so could not open the file between two runs of the writer.
        var persist: CInt = 1
        _ = sqlite3_file_control(database.sqliteConnection, nil, SQLITE_FCNTL_PERSIST_WAL, &persist)
        try database.execute(sql: "PRAGMA synchronous = FULL")
      }
      let pool = try DatabasePool(path: path, configuration: configuration)
      do {
        try Self.settle(pool, path: path, access: access)
      } catch {
        try? pool.close()
        throw error
      }
      return AddressCache(path: path, access: access, database: pool)
    } catch {
      throw CacheFailure.explained(error, path: path)
    }
  }

  /// Creates the tables in an empty file and checks what is there, in one write transaction, so that two processes that
  /// open a new file at once agree.
  private static func settle(_ pool: DatabasePool, path: String, access: Access) throws {
    guard access == .readWrite else {
      try CacheSchema.check(try pool.read { try CacheSchema.standing($0) }, path: path)
      return
    }
    try pool.write { database in
      let standing = try CacheSchema.standing(database)
      try CacheSchema.check(standing, path: path)
      if standing == .empty { try CacheSchema.create(database) }
      let findings = try String.fetchAll(database, sql: "PRAGMA quick_check(5)")
      if findings != ["ok"] {
        throw AddressRegistryError.cacheCorrupt(path: path, seen: findings.joined(separator: "; "))
      }
    }
  }
}
