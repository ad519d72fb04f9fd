// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Migration

/// Reads the rows, each checked against its hash and its place in the chain.
enum HistoryReading {
  /// Calls `body` with every event after `start` in order, up to and with the one numbered `end` where that is given.
  ///
  /// - Returns: where the history ends.
  /// - Throws: ``StoreError`` `chainBroken` or `unknownEvent` at the first row that is not as it was written.
  static func forEach(
    _ database: Database, path: String, after start: ChainHead = .empty, upTo end: Int64 = .max,
    body: (StoredEvent) throws -> Void
  ) throws -> ChainHead {
    var head = start
    let decoder = JSONDecoder()
    let rows = try Row.fetchCursor(
      database, sql: "SELECT \(Self.columns) FROM event WHERE sequence > ? AND sequence <= ? ORDER BY sequence",
      arguments: [start.sequence, end])
    while let row = try rows.next() {
      let stored = try Self.event(from: row, after: head, decoder: decoder, path: path)
      try body(stored)
      head = ChainHead(sequence: stored.sequence, hash: stored.hash)
    }
    return head
  }

  private static let columns = "sequence, at, fence, actor, kind, version, body, previous, hash"

  private static func event(from row: Row, after head: ChainHead, decoder: JSONDecoder, path: String) throws -> StoredEvent {
    let sequence: Int64 = row[0]
    let at: Int64 = row[1]
    let fence: Int64 = row[2]
    let actor: String = row[3]
    let kind: String = row[4]
    let version: Int64 = row[5]
    let body: String = row[6]
    let previous: String = row[7]
    let hash: String = row[8]
    guard sequence == head.sequence + 1 else {
      throw StoreError.chainBroken(path: path, sequence: sequence, seen: "it follows event \(head.sequence)")
    }
    guard previous == head.hash else {
      throw StoreError.chainBroken(path: path, sequence: sequence, seen: "it does not hang on the event before")
    }
    let expected = EventChain.hash(
      previous: previous, sequence: sequence, at: at, fence: fence, actor: actor, kind: kind, version: version, body: body)
    guard hash == expected else {
      throw StoreError.chainBroken(path: path, sequence: sequence, seen: "its content is not what was written")
    }
    guard version >= 1, version <= Int64(MigrationEvent.version),
      let event = try? decoder.decode(MigrationEvent.self, from: Data(body.utf8)), event.kind == kind,
      Int64(event.version) == version
    else { throw StoreError.unknownEvent(path: path, sequence: sequence, kind: kind, version: version) }
    return StoredEvent(
      sequence: sequence, at: Instant(milliseconds: at), fence: fence, actor: actor, event: event, previous: previous, hash: hash)
  }

  /// The state and the head of the history, from the checkpoint on where there is one that belongs to it.
  ///
  /// What stands before the checkpoint's event is not read: whoever kept it had checked each of those rows, or written them. The
  /// event itself is read and hashed, and its hash is over all before it, so that the rows that follow hang on the very history that was
  /// folded. Whether the old rows still are what they were is for `audit verify`, which reads them all.
  static func load(_ database: Database, path: String) throws -> LoadedHistory {
    // The file before the first look at the database: events are durable before a checkpoint of them is kept.
    let kept = Checkpoint.open(besideDatabase: path)
    var history = try Self.begin(database, path: path, kept)
    history.head = try Self.forEach(database, path: path, after: history.head) { stored in
      guard history.state.apply(stored.event, at: stored.at) else {
        throw StoreError.inconsistent(path: path, sequence: stored.sequence, kind: stored.event.kind)
      }
    }
    return history
  }

  private static func begin(
    _ database: Database, path: String, _ kept: Result<Checkpoint, CheckpointFault>
  ) throws -> LoadedHistory {
    func fromTheFirst(_ use: LoadedHistory.CheckpointUse) -> LoadedHistory {
      LoadedHistory(state: MigrationState(), head: .empty, checkpoint: use)
    }
    do throws(CheckpointFault) {
      let checkpoint = try kept.get()
      try Self.bind(checkpoint.head, to: database, path: path)
      return LoadedHistory(
        state: try checkpoint.state(), head: checkpoint.head, checkpoint: .used(upTo: checkpoint.head.sequence))
    } catch {
      return fromTheFirst(error.words.map { .ignored($0) } ?? .none)
    }
  }

  /// Sees that the history goes through `head`.
  ///
  /// - Throws: `otherHistory` when it does not, or the event there cannot be read as it was written: that is not for us to judge, the
  ///   whole fold meets it and says so.
  static func bind(_ head: ChainHead, to database: Database, path: String) throws(CheckpointFault) {
    let stored: StoredEvent?
    do {
      stored = try Row.fetchOne(
        database, sql: "SELECT \(Self.columns) FROM event WHERE sequence = ?", arguments: [head.sequence]
      ).map { row in
        let before = ChainHead(sequence: head.sequence - 1, hash: row[7])
        return try Self.event(from: row, after: before, decoder: JSONDecoder(), path: path)
      }
    } catch { throw .otherHistory("event \(head.sequence) cannot be read as it was written") }
    guard let stored else { throw .otherHistory("the history has no event \(head.sequence)") }
    guard stored.hash == head.hash else { throw .otherHistory("event \(head.sequence) is another one") }
  }

  /// SQLite's errors in our own words; ours pass as they are. SQL and its arguments never come into the text.
  static func words(_ error: any Error, path: String, writing: Bool) -> StoreError {
    if let error = error as? StoreError { return error }
    guard let error = error as? DatabaseError else {
      return .notOpened(path: path, seen: "an error of unknown kind")
    }
    let seen = "\(error.message ?? "no message") (SQLite \(error.extendedResultCode.rawValue))"
    switch error.resultCode {
    case .SQLITE_NOTADB, .SQLITE_CORRUPT: return .damaged(path: path, seen: seen)
    case .SQLITE_READONLY: return .readOnly(path: path, seen: seen)
    case .SQLITE_PERM, .SQLITE_AUTH: return .readOnly(path: path, seen: seen)
    case .SQLITE_CANTOPEN: return .notOpened(path: path, seen: seen)
    case .SQLITE_BUSY, .SQLITE_LOCKED: return .inUse(path: path, holder: "another program, by a lock in SQLite")
    default: return writing ? .notWritten(path: path, seen: seen) : .notOpened(path: path, seen: seen)
    }
  }
}
