// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import GRDB
import Migration
import MigrationStore

/// Appends millions of looks, which a daemon would write over weeks: each row in the store's form, its body as the store encodes it and its
/// hash by the store's rule, so that the product reads and checks them as its own. Only the disk is not waited for.
struct BulkLooks {
  private let database: DatabaseQueue
  private let fence: Int64
  private(set) var head: ChainHead

  init(path: String, fence: Int64, head: ChainHead) throws {
    var configuration = Configuration()
    configuration.prepareDatabase {
      try $0.execute(sql: "PRAGMA synchronous = OFF; PRAGMA cache_size = -1500000; PRAGMA wal_autocheckpoint = 200000")
    }
    self.database = try DatabaseQueue(path: path, configuration: configuration)
    self.fence = fence
    self.head = head
  }

  /// - Parameter rows: events and their bodies.
  mutating func append(_ rows: some Sequence<(event: MigrationEvent, body: String)>, at now: Instant) throws {
    var head = self.head
    let fence = self.fence
    try self.database.write { database in
      let statement = try database.cachedStatement(sql: "INSERT INTO event VALUES (?, ?, ?, 'daemon', ?, ?, ?, ?, ?)")
      for (event, body) in rows {
        let sequence = head.sequence + 1
        let version = Int64(event.version)
        var text = "event/1\n"
        for field in [head.hash, "\(sequence)", "\(now.milliseconds)", "\(fence)", "daemon", event.kind, "\(version)", body] {
          text += "\(field.utf8.count):\(field)\n"
        }
        let hash = CanonicalJSON.hex(text.withUTF8 { SHA256.hash(data: UnsafeRawBufferPointer($0)) })
        try statement.execute(
          arguments: [sequence, now.milliseconds, fence, event.kind, version, body, head.hash, hash])
        head = ChainHead(sequence: sequence, hash: hash)
      }
    }
    self.head = head
  }

  func close() throws { try self.database.close() }
}
