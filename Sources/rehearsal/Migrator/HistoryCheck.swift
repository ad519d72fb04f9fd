// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import MigrationStore
import TjenestebussTesting

/// Looks at the history while no daemon has it: is it whole, is everything still there that was there before, and does it hold
/// the intent of every change that the register has seen?
actor HistoryCheck {
  private let database: String
  private let log: URL
  private let changes: @Sendable () -> [AddressRegisterState.Change]
  private var seen: [ChainHead] = []

  /// - Parameter log: what the daemon logs goes here, and with it every so often the head of the history, which is durable then.
  init(database: String, log: URL, changes: @Sendable @escaping () -> [AddressRegisterState.Change]) {
    self.database = database
    self.log = log
    self.changes = changes
  }

  /// - Returns: how many events it holds.
  /// - Throws: ``RehearsalError`` `history`; `StoreError` as `audit verify` would say it.
  func look(after what: String) async throws -> Int64 {
    // Before the history is read: what is done from here on need not be in it.
    let changes = self.changes()
    let heads = try self.seen + self.logged(after: what)
    let reader: SQLiteEventReader
    do { reader = try await SQLiteEventReader.open(path: self.database) } catch StoreError.absent {
      guard heads.isEmpty, changes.isEmpty else {
        throw RehearsalError.history(after: what, seen: "there is none any more")
      }
      return 0
    }
    let audit = try await reader.verify(heads: heads)
    let intents = Set(
      try await reader.events().compactMap { stored -> String? in
        guard case .group(_, _, .intentRecorded(let operation, _, _, _, _)) = stored.event else { return nil }
        return operation.text
      })
    if let alone = changes.first(where: { !intents.contains($0.operationID?.text ?? "") }) {
      throw RehearsalError.history(
        after: what,
        seen: "the register changed HER-ID \(alone.herID) by operation \(alone.operationID?.text ?? "without id"), "
          + "whose intent is not among the \(audit.events) events")
    }
    if audit.head != .empty { self.seen.append(audit.head) }
    return audit.events
  }

  /// - Throws: ``RehearsalError`` `history` for a line that names a head which cannot be read: it may be the very one that is missing.
  private func logged(after what: String) throws -> [ChainHead] {
    guard let log = try? Data(contentsOf: self.log) else { return [] }
    let logged = LoggedHeads(in: String(decoding: log, as: UTF8.self))
    if let line = logged.unreadable.first {
      throw RehearsalError.history(
        after: what, seen: "line \(line) of the daemon's log names a head that cannot be read, one of \(logged.unreadable.count)")
    }
    return logged.heads
  }
}

/// The heads of the history that the daemon has logged: durable when it did.
struct LoggedHeads: Hashable {
  private(set) var heads: [ChainHead] = []
  /// Numbers of the lines that tell of a head and name none. A last line without an end is not among them: the daemon died in it.
  private(set) var unreadable: [Int] = []

  init(in log: String) {
    let lines = log.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.dropLast().enumerated() where line.contains("kind=audit.head ") {
      guard let head = Self.head(line) else {
        self.unreadable.append(index + 1)
        continue
      }
      self.heads.append(head)
    }
  }

  private static func head(_ line: Substring) -> ChainHead? {
    guard let mark = line.range(of: "chain head ") else { return nil }
    let words = line[mark.upperBound...].split(separator: " ")
    guard words.count == 2, let sequence = Int64(words[0]), sequence >= 0, words[1].utf8.count == 64,
      words[1].utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
    else { return nil }
    return ChainHead(sequence: sequence, hash: String(words[1]))
  }
}
