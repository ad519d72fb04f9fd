// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What was told of late, for readers who come back: bounded, and honest about where it begins.
struct LiveRecord: Sendable {
  private struct Told: Sendable {
    var id: Int64
    var chunk: ByteBuffer
  }

  /// Everything after this event is kept.
  private(set) var begins: Int64?
  private var last: Int64 = 0
  private var told: [Told] = []
  private var bytes = 0
  /// What was told under the number of ``begins`` is not all kept.
  private var hasDropped = false
  let limit: Int

  /// - Parameter limit: bytes that are kept; what is older goes.
  init(limit: Int = 8 << 20) { self.limit = limit }

  /// Begins anew: whoever knows less needs the whole picture.
  mutating func begin(at id: Int64) {
    self.begins = id
    self.last = id
    self.told = []
    self.bytes = 0
    self.hasDropped = false
  }

  mutating func take(_ chunk: ByteBuffer, id: Int64) {
    self.last = max(self.last, id)
    self.told.append(Told(id: id, chunk: chunk))
    self.bytes += chunk.readableBytes
    var dropped = 0
    while self.bytes > self.limit, dropped < self.told.count {
      self.bytes -= self.told[dropped].chunk.readableBytes
      self.begins = max(self.begins ?? 0, self.told[dropped].id)
      dropped += 1
    }
    guard dropped > 0 else { return }
    self.told.removeFirst(dropped)
    self.hasDropped = true
  }

  /// What somebody has missed whose last event is `id`. What was told at that very event comes once more: time alone changes something, too,
  /// and is told under the number of the last event.
  ///
  /// - Returns: nil when it is not kept, or when no such event was told yet: then he needs the whole picture.
  func missed(after id: Int64) -> [ByteBuffer]? {
    guard let begins, id >= begins, id <= self.last else { return nil }
    // Of what was dropped under this very number he may lack something.
    if id == begins, self.hasDropped { return nil }
    return self.told.filter { $0.id >= id }.map(\.chunk)
  }
}
