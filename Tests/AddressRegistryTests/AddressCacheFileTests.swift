// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import GRDB
import Testing

@testable import AddressRegistry

@Suite("A cache file that is not what it should be is refused in clear words")
struct AddressCacheFileTests {
  /// A closed cache file with one party in it.
  private func filled(_ folder: String, _ records: [PartyRecord] = [party(1)]) async throws -> String {
    let path = folder + "/cache.sqlite"
    let cache = try await AddressCache.open(path: path, access: .readWrite)
    for record in records { try await cache.save(record, source: .soap, readAt: start, now: start) }
    try await cache.close()
    return path
  }

  private func tamper(_ path: String, _ sql: String) throws {
    let database = try DatabaseQueue(path: path)
    try database.writeWithoutTransaction { try $0.execute(sql: sql) }
    try database.close()
  }

  @Test("it is there again after closing, for the next writer and for a reader without one")
  func reopened() async throws {
    try await withTemporaryFolder { folder in
      let path = try await self.filled(folder)
      let reader = try await AddressCache.open(path: path, access: .readOnly)
      #expect(try await reader.party(her(1))?.record == party(1))
      try await reader.close()
      let writer = try await AddressCache.open(path: path, access: .readWrite)
      #expect(try await writer.party(her(1))?.record == party(1))
      try await writer.close()
      try await writer.close()
    }
  }

  @Test("a reader sees what a writer that is still open has saved, and cannot save itself")
  func shared() async throws {
    try await withTemporaryFolder { folder in
      let path = try await self.filled(folder)
      let writer = try await AddressCache.open(path: path, access: .readWrite)
      let reader = try await AddressCache.open(path: path, access: .readOnly)
      let moved = try party(1).moved(to: tjenestebuss)
      try await writer.save(moved, source: .soap, readAt: start, now: start)
      #expect(try await reader.party(her(1))?.record == moved)
      let error = await failure { try await reader.save(party(2), source: .soap, readAt: start, now: start) }
      #expect(error?.stableCode == "AR-103")
      #expect(try await writer.party(her(2)) == nil)
      try await reader.close()
      try await writer.close()
    }
  }

  @Test("two writers that open a new file at once agree on it")
  func bornTwice() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/cache.sqlite"
      async let one = AddressCache.open(path: path, access: .readWrite)
      async let two = AddressCache.open(path: path, access: .readWrite)
      let (first, second) = try await (one, two)
      try await first.save(party(1), source: .file, readAt: start, now: start)
      #expect(try await second.party(her(1))?.record == party(1))
      try await first.close()
      try await second.close()
    }
  }

  @Test("a reader does not make a file")
  func missing() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/none.sqlite"
      let error = await failure { try await AddressCache.open(path: path, access: .readOnly) }
      #expect(error == .cacheMissing(path: path))
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test("a folder that is not there, or that nothing can be written in, is said so")
  func unwritable() async throws {
    try await withTemporaryFolder { folder in
      let absent = await failure { try await AddressCache.open(path: folder + "/no/cache.sqlite", access: .readWrite) }
      #expect(absent?.stableCode == "AR-102")
      // A folder that refuses new files even to root.
      let refusing = await failure { try await AddressCache.open(path: "/proc/cache.sqlite", access: .readWrite) }
      #expect(refusing?.stableCode == "AR-102")
      let isFolder = await failure { try await AddressCache.open(path: folder, access: .readWrite) }
      #expect(isFolder?.stableCode == "AR-102")
    }
  }

  @Test(
    "what SQLite says becomes ours",
    arguments: [
      (ResultCode.SQLITE_READONLY, "AR-103"), (.SQLITE_READONLY_DIRECTORY, "AR-103"), (.SQLITE_CORRUPT, "AR-106"),
      (.SQLITE_NOTADB, "AR-106"), (.SQLITE_FULL, "AR-108"), (.SQLITE_IOERR_WRITE, "AR-108"), (.SQLITE_BUSY, "AR-109"),
      (.SQLITE_CANTOPEN, "AR-102"),
    ])
  func resultCodes(_ code: ResultCode, _ ours: String) {
    let error = CacheFailure.explained(DatabaseError(resultCode: code, sql: "SELECT secret"), path: "/x") as? AddressRegistryError
    #expect(error?.stableCode == ours)
    #expect(error?.description.contains("SELECT") == false)
  }

  @Test("a file of a newer program is refused and left as it is, by writer and reader")
  func newer() async throws {
    try await withTemporaryFolder { folder in
      let path = try await self.filled(folder)
      try self.tamper(path, "PRAGMA user_version = 3")
      for access in [AddressCache.Access.readWrite, .readOnly] {
        let error = await failure { try await AddressCache.open(path: path, access: access) }
        #expect(error == .cacheNewer(path: path, version: 3, known: 2))
      }
      try self.tamper(path, "PRAGMA user_version = 2")
      let cache = try await AddressCache.open(path: path, access: .readWrite)
      #expect(try await cache.party(her(1))?.record == party(1))
      try await cache.close()
    }
  }

  @Test("another program's database is refused and not changed, not even to WAL")
  func foreign() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/other.sqlite"
      try self.tamper(path, "CREATE TABLE theirs (x); PRAGMA application_id = 77")
      let before = try Data(contentsOf: URL(fileURLWithPath: path))
      let error = await failure { try await AddressCache.open(path: path, access: .readWrite) }
      #expect(error == .cacheForeign(path: path, applicationID: 77))
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
      let unmarked = folder + "/unmarked.sqlite"
      try self.tamper(unmarked, "CREATE TABLE theirs (x)")
      #expect(await failure { try await AddressCache.open(path: unmarked, access: .readWrite) }?.stableCode == "AR-104")
    }
  }

  @Test("a file that is no database is refused")
  func garbage() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/cache.sqlite"
      try Data(repeating: 0x55, count: 8_192).write(to: URL(fileURLWithPath: path))
      for access in [AddressCache.Access.readWrite, .readOnly] {
        #expect(await failure { try await AddressCache.open(path: path, access: access) }?.stableCode == "AR-106")
      }
    }
  }

  @Test("damaged pages are found at the start or when they are read; no wrong answer comes out")
  func damagedPages() async throws {
    try await withTemporaryFolder { folder in
      let records = (Int32(1)...200).map { party($0, name: String(repeating: "n", count: 200)) }
      let path = try await self.filled(folder, records)
      try self.tamper(path, "PRAGMA wal_checkpoint(TRUNCATE)")
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      for index in stride(from: 4_096, to: bytes.count, by: 512) { bytes[index] ^= 0xFF }
      try bytes.write(to: URL(fileURLWithPath: path))
      let error = await failure { try await AddressCache.open(path: path, access: .readWrite) }
      #expect(error?.stableCode == "AR-106")
    }
  }

  @Test(
    "a row that says something else than was written is not believed",
    arguments: [
      "UPDATE party SET content = x'01'", "UPDATE party SET content = CAST(replace(content, 'sb.', 'tb.') AS BLOB)",
      "UPDATE party SET content = (SELECT content FROM party WHERE her_id = 2)", "UPDATE party SET source = 1",
      "UPDATE party SET source = 99", "UPDATE party SET read_at_ms = read_at_ms + 1", "UPDATE party SET version = 9",
      "UPDATE party SET record_hash = x'ab'", "UPDATE party SET change = change + 1", "UPDATE party SET seal = x'ab'",
      "UPDATE party SET seal = (SELECT seal FROM party WHERE her_id = 2)",
    ])
  func damagedRow(_ sql: String) async throws {
    try await withTemporaryFolder { folder in
      let path = try await self.filled(folder, [party(1), party(2)])
      try self.tamper(path, sql + " WHERE her_id = 1")
      let cache = try await AddressCache.open(path: path, access: .readWrite)
      let error = await failure { try await cache.party(her(1)) }
      #expect(error?.stableCode == "AR-107")
      #expect(await failure { try cache.partyNow(her(1)) }?.stableCode == "AR-107")
      #expect(try await cache.party(her(2))?.record == party(2))
      #expect(await failure { try await cache.parties() }?.stableCode == "AR-107")
      // A new reading mends it.
      try await cache.save(party(1), source: .soap, readAt: start, now: start)
      #expect(try await cache.party(her(1))?.record == party(1))
      #expect(try await cache.verify() == 2)
      try await cache.close()
    }
  }

  @Test(
    "a row that is gone, doubled or as it once was is found out, by whoever looks for it or lists them all",
    arguments: [
      "DELETE FROM party WHERE her_id = 1", "DELETE FROM facts", "UPDATE facts SET parties = 1", "UPDATE facts SET change = 1",
      "UPDATE facts SET environment = 'production'", "UPDATE facts SET folded = zeroblob(32)", "UPDATE facts SET seal = x''",
    ])
  func incomplete(_ sql: String) async throws {
    try await withTemporaryFolder { folder in
      let path = try await self.filled(folder, [party(1), party(2)])
      try self.tamper(path, sql)
      let cache: AddressCache
      do {
        cache = try await AddressCache.open(path: path, access: .readOnly)
      } catch let error as AddressRegistryError {
        #expect(error.stableCode == "AR-106")
        return
      }
      #expect(await failure { try await cache.parties() }?.stableCode == "AR-106")
      #expect(await failure { try await cache.verify() }?.stableCode == "AR-106")
      #expect(await failure { try await cache.party(her(3)) }?.stableCode == "AR-106")
      #expect(try cache.partyNow(her(2))?.record == party(2))
      try await cache.close()
    }
  }

  @Test("an earlier row put back in its place is found out")
  func replayed() async throws {
    try await withTemporaryFolder { folder in
      let path = try await self.filled(folder, [party(1), party(2)])
      try self.tamper(path, "CREATE TABLE kept AS SELECT * FROM party WHERE her_id = 1")
      let writer = try await AddressCache.open(path: path, access: .readWrite)
      let later = start.advanced(by: .seconds(60))
      try await writer.save(try party(1).moved(to: tjenestebuss), source: .soap, readAt: later, now: later)
      try await writer.close()
      try self.tamper(path, "DELETE FROM party WHERE her_id = 1; INSERT INTO party SELECT * FROM kept")
      let cache = try await AddressCache.open(path: path, access: .readOnly)
      #expect(await failure { try await cache.parties() }?.stableCode == "AR-106")
      try await cache.close()
    }
  }

  @Test("test and production are kept apart: a file is of the environment it was made for")
  func environments() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/cache.sqlite"
      let cache = try await AddressCache.open(path: path, access: .readWrite, environment: "test")
      #expect(cache.environment == "test")
      try await cache.close()
      for access in [AddressCache.Access.readWrite, .readOnly] {
        let error = await failure { try await AddressCache.open(path: path, access: access, environment: "production") }
        #expect(error == .cacheOfOtherEnvironment(path: path, environment: "test", wanted: "production"))
        let unasked = try await AddressCache.open(path: path, access: access)
        #expect(unasked.environment == "test")
        try await unasked.close()
      }
      // One that nobody has named becomes that of the first writer who names one.
      try FileManager.default.createDirectory(atPath: folder + "/unnamed", withIntermediateDirectories: false)
      let unnamed = try await self.filled(folder + "/unnamed")
      let named = try await AddressCache.open(path: unnamed, access: .readWrite, environment: "qa")
      #expect(named.environment == "qa")
      #expect(try await named.party(her(1))?.record == party(1))
      try await named.close()
    }
  }

  @Test("a file of schema 1 is brought up to date by its next writer, with all it holds; a reader says who has to")
  func upgraded() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/first.sqlite"
      try self.tamper(path, firstFormFile)
      let reader = await failure { try await AddressCache.open(path: path, access: .readOnly) }
      #expect(reader == .cacheOlder(path: path, version: 1, known: 2))
      let writer = try await AddressCache.open(path: path, access: .readWrite, environment: "test")
      let entry = try #require(try await writer.party(her(1)))
      #expect(entry.record == party(1))
      #expect(entry.source == .soap && entry.version == 3 && entry.readAt == start && entry.hash == party(1).hash)
      #expect(try await writer.verify() == 1)
      try await writer.close()
    }
  }

  @Test("STRICT tables refuse a text where a number belongs")
  func strict() async throws {
    try await withTemporaryFolder { folder in
      let path = try await self.filled(folder)
      #expect(throws: DatabaseError.self) { try self.tamper(path, "UPDATE party SET read_at_ms = 'soon'") }
    }
  }

  @Test("after closing, nothing more is answered")
  func closed() async throws {
    try await withTemporaryFolder { folder in
      let cache = try await AddressCache.open(path: folder + "/cache.sqlite", access: .readWrite)
      try await cache.close()
      #expect(await failure { try await cache.party(her(1)) } != nil)
    }
  }
}
