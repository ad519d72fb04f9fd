// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Forwarding

@Suite struct JournalChecksumTests {
  /// RFC 3720, B.4, and the check value of CRC-32C: journals on disk are read by every later version.
  @Test func checksumsAreThoseOfTheStandard() {
    #expect(JournalBatch.checksum(Array("123456789".utf8)[...]) == 0xe306_9283)
    #expect(JournalBatch.checksum([UInt8](repeating: 0, count: 32)[...]) == 0x8a91_36aa)
    #expect(JournalBatch.checksum(Array(UInt8(0)...31)[...]) == 0x46dd_794e)
    #expect(JournalBatch.checksum([]) == 0)
    #expect(JournalBatch.checksum(([1, 2, 3] + Array("123456789".utf8))[3...]) == 0xe306_9283)
  }

  @Test func aBatchIsReadBackAsItWasWritten() throws {
    let payload = Array(UInt8(0)...200)
    let bytes = JournalBatch.encode(payload, synced: 77)
    let read = try #require(JournalBatch.read([9] + bytes, at: 1))
    #expect(Array(read.payload) == payload)
    #expect(read.synced == 77)
    #expect(read.end == 1 + bytes.count)
  }
}
