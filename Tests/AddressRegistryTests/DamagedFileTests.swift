// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import GRDB
import Testing

@testable import AddressRegistry

@Suite("A damaged cache file gives the right answer or a typed error, never a wrong answer")
struct DamagedFileTests {
  /// How many damaged files are tried. `TJENESTEBUSS_DAMAGED_FILES` sets another number; 10,000 take some minutes.
  private static let count = ProcessInfo.processInfo.environment["TJENESTEBUSS_DAMAGED_FILES"].flatMap(Int.init) ?? 1_000

  @Test("bits turned, pages torn out or swapped, the end cut off")
  func damaged() async throws {
    try await withTemporaryFolder { folder in
      let original = folder + "/original.sqlite"
      let records = (Int32(1)...60).map { party($0, name: "Party \($0)", parent: $0 > 50 ? 50 : nil) }
      let cache = try await AddressCache.open(path: original, access: .readWrite, environment: "test")
      // Rows are stored, changed and stored anew, so that pages of earlier rows have been given back.
      for round in 0..<3 {
        let readAt = start.advanced(by: .seconds(round))
        for record in records {
          var record = record
          if round < 2 { record.addresses = queues(of: record.herID.value + Int32(1_000 * (2 - round))) }
          try await cache.save(record, source: .soap, readAt: readAt, now: readAt)
        }
      }
      try await cache.database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
      try await cache.close()
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: original)))
      var tally = Tally()
      for seed in 0..<UInt64(Self.count) {
        var random = SeededGenerator(seed: seed)
        let path = folder + "/damaged.sqlite"
        try Data(Self.damage(whole, &random)).write(to: URL(fileURLWithPath: path))
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        try await Self.ask(path, records, seed, &random, &tally)
      }
      // Both happen, or the damage is none, or nothing survives it.
      #expect(tally.right > 0 && tally.refused > 0, "\(tally)")
    }
  }

  private struct Tally {
    var right = 0
    var refused = 0
  }

  private static func damage(_ whole: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = whole
    switch Int.random(in: 0..<6, using: &random) {
    case 0..<3:
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        bytes[.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
    case 3: bytes.removeLast(.random(in: 1..<bytes.count, using: &random))
    case 4:
      let page = Int.random(in: 0..<bytes.count / 4_096, using: &random) * 4_096
      for index in page..<(page + 4_096) { bytes[index] = 0 }
    default:
      let (one, other) = (
        Int.random(in: 0..<bytes.count / 4_096, using: &random) * 4_096,
        Int.random(in: 0..<bytes.count / 4_096, using: &random) * 4_096
      )
      for offset in 0..<4_096 { bytes.swapAt(one + offset, other + offset) }
    }
    return bytes
  }

  private static func ask(
    _ path: String, _ records: [PartyRecord], _ seed: UInt64, _ random: inout SeededGenerator, _ tally: inout Tally
  ) async throws {
    func judge<Answer: Equatable>(_ what: String, _ right: Answer, _ answer: () async throws -> Answer) async {
      do {
        let seen = try await answer()
        if seen != right {
          Issue.record("seed \(seed): a wrong answer to \(what): \(String(describing: seen).prefix(600))")
        } else {
          tally.right += 1
        }
      } catch is AddressRegistryError {
        tally.refused += 1
      } catch {
        Issue.record("seed \(seed): an error without a code: \(error)")
      }
    }
    let cache: AddressCache
    do { cache = try await AddressCache.open(path: path, access: .readOnly, environment: "test") } catch is AddressRegistryError {
      tally.refused += 1
      return
    }
    for _ in 0..<2 {
      let record = records[.random(in: 0..<records.count, using: &random)]
      await judge("one party", record) { try await cache.party(record.herID)?.record }
      // Nothing found proves nothing here; what is found must be right.
      await judge("one party now", record) { try cache.partyNow(record.herID)?.record ?? record }
    }
    await judge("a party that is not there", nil) { try await cache.party(her(9_999))?.record }
    await judge("all parties", records) { try await cache.parties().map(\.record) }
    try? await cache.close()
  }
}
