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
    let heads = self.seen + self.logged()
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

  private func logged() -> [ChainHead] {
    guard let log = try? Data(contentsOf: self.log) else { return [] }
    return String(decoding: log, as: UTF8.self).split(separator: "\n").compactMap { line in
      guard line.contains("kind=audit.head "), let mark = line.range(of: "chain head ") else { return nil }
      let words = line[mark.upperBound...].split(separator: " ")
      guard words.count == 2, let sequence = Int64(words[0]), words[1].utf8.count == 64 else { return nil }
      return ChainHead(sequence: sequence, hash: String(words[1]))
    }
  }
}
