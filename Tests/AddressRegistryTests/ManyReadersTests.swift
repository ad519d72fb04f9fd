// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import NIOConcurrencyHelpers
import Testing

@Suite("Many readers and a writer share the file")
struct ManyReadersTests {
  @Test(
    "16 readers beside a writer, over two openings of the file: every answer is one of those that were written, none goes back")
  func shared() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/cache.sqlite"
      let writer = try await AddressCache.open(path: path, access: .readWrite)
      let numbers = Array(Int32(1)...20)
      func record(_ number: Int32, _ version: Int) -> PartyRecord {
        party(
          number, name: "version \(version)",
          addresses: queues(of: number, host: version.isMultiple(of: 2) ? "sb.test.nhn.no" : "tb.test.nhn.no"))
      }
      for number in numbers { try await writer.save(record(number, 0), source: .soap, readAt: start, now: start) }
      let reader = try await AddressCache.open(path: path, access: .readOnly)
      let isOver = NIOLockedValueBox(false)
      let answers = NIOLockedValueBox(0)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<16 {
          let cache = index.isMultiple(of: 2) ? reader : writer
          group.addTask {
            var random = SeededGenerator(seed: UInt64(index))
            var last: [Int32: Int64] = [:]
            // A look-up on the calling thread never suspends: the others must get their turn all the same.
            for _ in 0..<200 where !isOver.withLockedValue({ $0 }) {
              await Task.yield()
              let number = try #require(numbers.randomElement(using: &random))
              let found = index % 4 < 2 ? try await cache.party(her(number)) : try cache.partyNow(her(number))
              let entry = try #require(found)
              #expect(entry.record == record(number, Int(entry.version) - 1))
              #expect(entry.version >= last[number] ?? 0)
              last[number] = entry.version
              answers.withLockedValue { $0 += 1 }
            }
          }
        }
        group.addTask {
          for version in 1...20 {
            let now = start.advanced(by: .seconds(version))
            for number in numbers { try await writer.save(record(number, version), source: .soap, readAt: now, now: now) }
          }
          isOver.withLockedValue { $0 = true }
        }
        try await group.waitForAll()
      }
      #expect(answers.withLockedValue { $0 } >= 16)
      #expect(try await reader.verify() == 20)
      try await reader.close()
      try await writer.close()
    }
  }
}
