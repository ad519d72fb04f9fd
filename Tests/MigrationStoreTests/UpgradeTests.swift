// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Migration
import Testing

@testable import MigrationStore

/// Databases as earlier versions of this program left them, one for each state a group can stand in: `Histories/form-N` holds the rows
/// as they were written then, and is never written anew.
@Suite("Databases of earlier versions")
struct UpgradeTests {
  struct OldRow {
    var at: Int64
    var body: String
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Histories")

  static func rows(_ phase: String, form: Int) throws -> [OldRow] {
    let text = try String(contentsOf: Self.folder.appendingPathComponent("form-\(form)/\(phase).events"), encoding: .utf8)
    return try text.split(separator: "\n").map { line in
      let parts = line.split(separator: "\t", maxSplits: 1)
      return OldRow(at: try #require(Int64(parts[0])), body: String(parts[1]))
    }
  }

  /// All states of the first version: those that came later have no old databases.
  static let phases = GroupPhase.allCases.filter { $0 != .removed }

  /// Form 2 wrote of a group what form 1 did.
  @Test("is read as it was, is written on, and verifies", arguments: phases, [1, 3])
  func upgrade(phase: GroupPhase, form: Int) async throws {
    let rows = try Self.rows(phase.rawValue, form: form)
    let path = NSTemporaryDirectory() + "upgrade-\(UUID().uuidString).db"
    defer { for ending in ["", "-wal", "-shm", ".lock"] { try? FileManager.default.removeItem(atPath: path + ending) } }
    let now = Instant(milliseconds: (rows.last?.at ?? 0) + 1_000)
    let empty = try await SQLiteEventStore.open(path: path, at: now)
    await empty.close()
    try self.insert(rows, path: path)

    let store = try await SQLiteEventStore.open(path: path, at: now)
    let history = try await store.load()
    let pulje = try #require(history.state.ordered.first)
    #expect(pulje.groups.map(\.phase) == [phase])
    #expect(history.head.sequence == Int64(rows.count))
    // What was approved then has the same hash now.
    #expect(pulje.planHash == pulje.plan.hash)
    var state = history.state
    for event in [MigrationEvent.daemonStarted, .lineStopped(by: "Kari", why: "after the upgrade")] {
      _ = try await store.append([event], at: now, actor: "test")
      let isKnown = state.apply(event, at: now)
      #expect(isKnown)
    }
    #expect(state.ordered.first?.groups.first?.phase.isAttestation == false)
    await store.close()
    let audit = try await SQLiteEventReader.open(path: path).verify(expecting: history.head.hash)
    #expect(audit.events == Int64(rows.count + 2))
  }

  private func insert(_ rows: [OldRow], path: String) throws {
    let queue = try DatabaseQueue(path: path)
    var head = ChainHead.empty
    try queue.write { database in
      for row in rows {
        let event = try JSONDecoder().decode(MigrationEvent.self, from: Data(row.body.utf8))
        // Written again it is the same text: plan hashes and the chain stay what they were.
        #expect(String(decoding: try CanonicalJSON.encode(event), as: UTF8.self) == row.body)
        let hash = EventChain.hash(
          previous: head.hash, sequence: head.sequence + 1, at: row.at, fence: 1, actor: "daemon", kind: event.kind,
          version: Int64(event.version), body: row.body)
        try database.execute(
          sql: "INSERT INTO event VALUES (?, ?, 1, 'daemon', ?, ?, ?, ?, ?)",
          arguments: [head.sequence + 1, row.at, event.kind, event.version, row.body, head.hash, hash])
        head = ChainHead(sequence: head.sequence + 1, hash: hash)
      }
    }
    try queue.close()
  }
}
