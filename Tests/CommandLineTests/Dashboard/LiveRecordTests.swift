// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import bus_migrator

@Suite("What was told of late, and who reads too slowly", .timeLimit(.minutes(1)))
struct LiveRecordTests {
  private func text(_ chunks: [ByteBuffer]?) -> [String]? { chunks?.map { String(buffer: $0) } }

  @Test("who comes back is told what he missed, what was told at his last event once more; who comes from before needs all")
  func missed() {
    var record = LiveRecord()
    #expect(record.missed(after: 0) == nil)
    record.begin(at: 10)
    #expect(self.text(record.missed(after: 10)) == [])
    record.take(ByteBuffer(string: "a"), id: 11)
    record.take(ByteBuffer(string: "b"), id: 12)
    record.take(ByteBuffer(string: "time"), id: 12)
    #expect(self.text(record.missed(after: 10)) == ["a", "b", "time"])
    #expect(self.text(record.missed(after: 12)) == ["b", "time"])
    #expect(record.missed(after: 9) == nil)
    // Of another history, or of a daemon that was restored.
    #expect(record.missed(after: 13) == nil)
  }

  @Test("it is bounded: what is too old goes, and whoever may lack some of it is told all")
  func bounded() {
    var record = LiveRecord(limit: 3)
    record.begin(at: 0)
    for id in 1...5 { record.take(ByteBuffer(string: "\(id)"), id: Int64(id)) }
    #expect(record.missed(after: 1) == nil)
    #expect(record.missed(after: 2) == nil)
    #expect(self.text(record.missed(after: 3)) == ["3", "4", "5"])
    record.take(ByteBuffer(string: "far too large"), id: 6)
    #expect(record.missed(after: 5) == nil)
    #expect(record.missed(after: 6) == nil)
    record.begin(at: 7)
    #expect(self.text(record.missed(after: 7)) == [])
  }

  @Test("a listener keeps so much; then it has fallen behind, is told no more, and nobody has waited for it")
  func listener() async {
    let listener = LiveListener(patience: 2) {}
    #expect(listener.tell(ByteBuffer(string: "a")))
    #expect(listener.tell(ByteBuffer(string: "b")))
    #expect(!listener.isBehind)
    #expect(!listener.tell(ByteBuffer(string: "c")))
    #expect(!listener.tell(ByteBuffer(string: "d")))
    #expect(listener.isBehind)
    var read: [String] = []
    for await chunk in listener.chunks { read.append(String(buffer: chunk)) }
    #expect(read == ["a", "b"])
  }
}
