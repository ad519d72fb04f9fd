// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// The id logs on disk and the ledger made of them, both from the same records.
final class IdentityLogs: Sendable {
  private struct State {
    var ledger = Ledger()
    var failure: (any Error)?
  }

  private let directory: URL
  private let state = Mutex(State())
  private let sentLog: FileHandle
  private let receivedLog: FileHandle
  private let leftLog: FileHandle

  init(directory: URL) throws {
    self.directory = directory
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    func log(_ name: String) throws -> FileHandle {
      let url = directory.appendingPathComponent(name)
      try Data().write(to: url)
      return try FileHandle(forWritingTo: url)
    }
    self.sentLog = try log("sent.log")
    self.receivedLog = try log("received.log")
    self.leftLog = try log("left.log")
  }

  func sent(_ record: IdentityRecord) { self.note(record, in: self.sentLog) { $0.sent(record) } }
  func received(_ record: IdentityRecord) { self.note(record, in: self.receivedLog) { $0.received(record) } }
  func left(_ record: IdentityRecord) { self.note(record, in: self.leftLog) { $0.left(record) } }

  private func note(_ record: IdentityRecord, in log: FileHandle, _ change: (inout Ledger) -> Void) {
    self.state.withLock { state in
      do {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var line = try encoder.encode(record)
        line.append(UInt8(ascii: "\n"))
        try log.write(contentsOf: line)
        change(&state.ledger)
      } catch {
        // A record that is not on disk must not count as one: told at the end, and the run is red.
        if state.failure == nil { state.failure = error }
      }
    }
  }

  var acceptedCount: Int { self.state.withLock { $0.ledger.acceptedCount } }
  var outstanding: Set<String> { self.state.withLock { $0.ledger.outstanding } }

  /// Writes `ledger.json` and returns what it says.
  func close(minimumSent: Int) throws -> Ledger.Balance {
    let (balance, failure) = self.state.withLock { ($0.ledger.balance(minimumSent: minimumSent), $0.failure) }
    if let failure { throw failure }
    for log in [self.sentLog, self.receivedLog, self.leftLog] { try log.close() }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try encoder.encode(balance).write(to: self.directory.appendingPathComponent("ledger.json"))
    return balance
  }
}
