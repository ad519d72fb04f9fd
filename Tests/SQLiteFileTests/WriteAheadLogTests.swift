// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import NIOConcurrencyHelpers
import SQLiteFile
import Testing

@Suite("A new file that several open at once", .timeLimit(.minutes(3)))
struct WriteAheadLogTests {
  /// Four connections of their own, begun at the same moment: what SQLite sees of four processes.
  private func openers(_ count: Int, _ open: @Sendable @escaping (Int) throws -> Void) -> [any Error] {
    let errors = NIOLockedValueBox<[any Error]>([])
    DispatchQueue.concurrentPerform(iterations: count) { index in
      do { try open(index) } catch { errors.withLockedValue { $0.append(error) } }
    }
    return errors.withLockedValue { $0 }
  }

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wal-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  @Test("each of them gets it, and it is in write-ahead logging")
  func newFile() throws {
    try self.withFolder { folder in
      for round in 0..<20 {
        let path = "\(folder)/\(round).sqlite"
        let errors = self.openers(4) { _ in
          var configuration = Configuration()
          configuration.busyMode = .timeout(30)
          let pool = try WriteAheadLog.opening(path, busyTimeout: .seconds(30)) {
            try DatabasePool(path: path, configuration: configuration)
          }
          let mode = try pool.write { try String.fetchOne($0, sql: "PRAGMA journal_mode") }
          #expect(mode == "wal")
          try pool.close()
        }
        #expect(errors.isEmpty, "round \(round): \(errors.map { "\($0)" })")
      }
    }
  }

  @Test("one is told it is busy, waits for the other to have done, and gets it")
  func waits() throws {
    try self.withFolder { folder in
      let path = folder + "/new.sqlite"
      let other = try DatabaseQueue(path: path)
      let (isHeld, wasRefused, hasEnded) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
      Thread.detachNewThread {
        // What turning a file to write-ahead logging looks like from outside.
        try? other.inTransaction(.immediate) { _ in
          isHeld.signal()
          wasRefused.wait()
          return .commit
        }
        hasEnded.signal()
      }
      isHeld.wait()
      var configuration = Configuration()
      configuration.busyMode = .timeout(30)
      var tries = 0
      let pool = try WriteAheadLog.opening(path, busyTimeout: .seconds(30)) {
        tries += 1
        defer { wasRefused.signal() }
        return try DatabasePool(path: path, configuration: configuration)
      }
      #expect(tries > 1, "SQLite waits by itself here: this is needed no more")
      try pool.close()
      hasEnded.wait()
    }
  }

  @Test("a file that stays busy is told as that when the time is over")
  func staysBusy() throws {
    try self.withFolder { folder in
      let path = folder + "/busy.sqlite"
      let other = try DatabaseQueue(path: path)
      try other.inTransaction(.exclusive) { database in
        try database.execute(sql: "CREATE TABLE a (b)")
        let error = #expect(throws: DatabaseError.self) {
          try WriteAheadLog.opening(path, busyTimeout: .milliseconds(50)) { try DatabasePool(path: path) }
        }
        #expect(error?.resultCode == .SQLITE_BUSY)
        return .commit
      }
      #expect(try WriteAheadLog.opening(path, busyTimeout: .seconds(30)) { try DatabasePool(path: path) }.read { _ in true })
    }
  }

  @Test("what is no matter of waiting is told at once")
  func otherErrors() throws {
    try self.withFolder { folder in
      let error = #expect(throws: DatabaseError.self) {
        try WriteAheadLog.opening(folder, busyTimeout: .seconds(600)) { try DatabaseQueue(path: folder) }
      }
      #expect(error?.resultCode == .SQLITE_CANTOPEN)
    }
  }
}
