// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import GRDB
import GRDBSQLite
import SQLiteFile

extension AddressCache {
  /// Opening and closing block on the disk; they run on a queue of their own, never on the cooperative pool.
  private static let openingQueue = DispatchQueue(label: "tjenestebuss.address-cache.opening")

  static func offPool<Value: Sendable>(_ body: @Sendable @escaping () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      Self.openingQueue.async { continuation.resume(with: Result(catching: body)) }
    }
  }

  static func openBlocking(
    path: String, access: Access, environment: String?, busyTimeout: Duration
  ) throws -> AddressCache {
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
        if access == .readOnly {
          if standing == .empty { throw AddressRegistryError.cacheMissing(path: path) }
          if case .ours(let version) = standing, version < CacheSchema.version {
            throw AddressRegistryError.cacheOlder(path: path, version: version, known: CacheSchema.version)
          }
        }
      }
      configuration.prepareDatabase { database in
        guard !database.configuration.readonly else { return }
        // The two files beside the database stay when the last process closes it: a process that may only read
        // could not make them, and so could not open the file between two runs of the writer.
        var persist: CInt = 1
        _ = sqlite3_file_control(database.sqliteConnection, nil, SQLITE_FCNTL_PERSIST_WAL, &persist)
        try database.execute(sql: "PRAGMA synchronous = FULL")
        // With a limit, whatever it is, the log is emptied when the last one closes: else whoever opens the file next reads the
        // whole log of the last import before it can answer.
        try database.execute(sql: "PRAGMA journal_size_limit = 4194304")
        // What a row was once is not left lying in the file: a damaged page could lead to it.
        try database.execute(sql: "PRAGMA secure_delete = ON")
      }
      let pool = try WriteAheadLog.opening(path, busyTimeout: busyTimeout) {
        try DatabasePool(path: path, configuration: configuration)
      }
      do {
        let environment = try Self.settle(pool, path: path, access: access, environment: environment)
        let direct = try DirectLookUp(path: path, busyTimeout: busyTimeout)
        return AddressCache(path: path, access: access, environment: environment, database: pool, direct: direct)
      } catch {
        try? pool.close()
        throw error
      }
    } catch {
      throw CacheFailure.explained(error, path: path)
    }
  }

  /// Creates the tables in an empty file, brings an older one up to date, and checks whose environment it is of, in one write
  /// transaction, so that two processes that open a new file at once agree.
  ///
  /// - Returns: the file's environment.
  private static func settle(
    _ pool: DatabasePool, path: String, access: Access, environment: String?
  ) throws -> String? {
    guard access == .readWrite else {
      return try pool.read { database in
        try CacheSchema.check(try CacheSchema.standing(database), path: path)
        let facts = try CacheFacts.load(from: database)
        try Self.check(facts, path: path, environment: environment)
        return facts.environment
      }
    }
    return try pool.write { database in
      let standing = try CacheSchema.standing(database)
      try CacheSchema.check(standing, path: path)
      switch standing {
      case .empty: try CacheSchema.create(database, environment: environment)
      case .ours(let version) where version < CacheSchema.version:
        try CacheSchema.upgrade(database, environment: environment)
      case .ours, .foreign: break
      }
      var facts = try CacheFacts.load(from: database)
      try Self.check(facts, path: path, environment: environment)
      if facts.environment == nil, let environment {
        facts.environment = environment
        try facts.store(in: database)
      }
      return facts.environment
    }
  }

  /// Test parties must not be looked up among those of production, nor the other way round.
  private static func check(_ facts: CacheFacts, path: String, environment: String?) throws(AddressRegistryError) {
    if let environment, let theirs = facts.environment, theirs != environment {
      throw .cacheOfOtherEnvironment(path: path, environment: theirs, wanted: environment)
    }
  }
}
