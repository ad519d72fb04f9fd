// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@testable import AddressRegistry

@Suite("A power cut in the middle of a sync leaves rows of the old reading and of the new one, each whole")
struct PowerCutTests {
  @Test("whatever part of the log reached the disk, and whatever garbage after it")
  func cut() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/cache.sqlite"
      let records = (Int32(1)...40).map { party($0) }
      let first = try await AddressCache.open(path: path, access: .readWrite)
      try await first.save(records.map { ($0, start) }, source: .soap, now: start)
      try await first.close()
      let old = try Data(contentsOf: URL(fileURLWithPath: path))

      // The sync: eight transactions of five rows, all of them in the log only.
      let writer = try await AddressCache.open(path: path, access: .readWrite)
      let later = start.advanced(by: .seconds(60))
      let moved = try records.map { try $0.moved(to: tjenestebuss) }
      for batch in 0..<8 {
        try await writer.save(moved[(batch * 5)..<(batch * 5 + 5)].map { ($0, later) }, source: .soap, now: later)
      }
      let log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == old, "the log was carried over in mid-test")

      var random = SeededGenerator(seed: 7)
      var seen: Set<Int> = []
      for round in 0..<120 {
        let kept = round == 0 ? 0 : round == 1 ? log.count : Int.random(in: 0...log.count, using: &random)
        var rest = Data(log.prefix(kept))
        // What had not been synced may be anything: nothing, zeros, or bytes of old.
        switch round % 3 {
        case 0: break
        case 1: rest.append(Data(count: log.count - kept))
        default: rest.append(contentsOf: (kept..<log.count).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
        seen.insert(try await self.movedAfterRestart(old, rest, folder, records, moved))
      }
      // Every number of transactions was met, or the cuts were no cuts.
      #expect(seen == Set((0...8).map { $0 * 5 }))
      try await writer.close()
    }
  }

  /// How many parties have moved when the file is opened again, each row and the whole having been checked.
  private func movedAfterRestart(
    _ old: Data, _ log: Data, _ folder: String, _ records: [PartyRecord], _ moved: [PartyRecord]
  ) async throws -> Int {
    let path = folder + "/after.sqlite"
    for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    try old.write(to: URL(fileURLWithPath: path))
    try log.write(to: URL(fileURLWithPath: path + "-wal"))
    let cache = try await AddressCache.open(path: path, access: .readWrite)
    #expect(try await cache.verify() == 40)
    let there = try await cache.parties().map(\.record)
    try await cache.close()
    let count = zip(there, moved).count { $0 == $1 }
    #expect(there == Array(moved.prefix(count)) + Array(records.dropFirst(count)), "a mixture")
    return count
  }
}
