// SPDX-License-Identifier: Apache-2.0

import GRDB

/// Opening a database that is kept in write-ahead logging while another process may be opening it too.
public enum WriteAheadLog {
  /// Runs `open`, again when SQLite finds the file busy, until `busyTimeout` has passed.
  ///
  /// Turning a file to write-ahead logging needs it alone, and SQLite does not call its busy handler for that step: of two
  /// processes that open a new file at once, or of one that makes it while another looks, one is told "database is locked" at
  /// once, whatever its time-out. Between two tries SQLite itself does the waiting: a write transaction, taken and given
  /// back, begins when the other has done.
  ///
  /// - Parameters:
  ///   - path: the file that `open` opens.
  ///   - busyTimeout: how long the file may be busy in all.
  ///   - open: opens the file from the start; whatever it had opened is closed again when it throws.
  /// - Throws: what `open` throws; the busy error of its last try when the time is over.
  public static func opening<Database>(
    _ path: String, busyTimeout: Duration, _ open: () throws -> Database
  ) throws -> Database {
    let end = ContinuousClock.now + busyTimeout
    while true {
      do { return try open() } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
        let rest = end - .now
        guard rest > .zero else { throw error }
        try Self.waitForOthers(path, atMost: rest, or: error)
      }
    }
  }

  /// Returns when no other process writes, or has just turned the file; throws `error` when that takes too long.
  private static func waitForOthers(_ path: String, atMost rest: Duration, or error: DatabaseError) throws {
    var configuration = Configuration()
    configuration.label = "waiting for another process that opens the file"
    let parts = rest.components
    configuration.busyMode = .timeout(Double(parts.seconds) + Double(parts.attoseconds) / 1e18)
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.inTransaction(.immediate) { _ in .rollback }
      try queue.close()
    } catch let late as DatabaseError where late.resultCode == .SQLITE_BUSY { throw error }
  }
}
