// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// A body of many bytes, in which no two places look alike, given in pieces of an odd size.
struct BodySource: AsyncSequence, Sendable {
  typealias Element = [UInt8]

  struct Broken: Error {}

  enum Ending: Sendable {
    case whole
    /// Throws after so many bytes.
    case broken(after: Int)
    /// Calls this after so many bytes, and gives nothing more until its task is cancelled.
    case stuck(after: Int, @Sendable () -> Void)
  }

  let bytes: [UInt8]
  var pieceSize = 100_003
  var ending = Ending.whole
  /// How many pieces were asked for.
  let asked = NIOLockedValueBox(0)

  /// SplitMix64 of the place: every eight bytes are their own.
  static func bytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      var state: UInt64 = 7
      var place = 0
      while place < count {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word ^= word >> 27
        for step in 0..<Swift.min(8, count - place) { buffer[place + step] = UInt8(truncatingIfNeeded: word >> UInt64(step * 8)) }
        place += 8
      }
      initialized = count
    }
  }

  func makeAsyncIterator() -> Iterator { Iterator(source: self) }

  struct Iterator: AsyncIteratorProtocol {
    let source: BodySource
    private var place = 0

    init(source: BodySource) { self.source = source }

    mutating func next() async throws -> [UInt8]? {
      self.source.asked.withLockedValue { $0 += 1 }
      switch self.source.ending {
      case .whole: break
      case .broken(let limit): if self.place >= limit { throw Broken() }
      case .stuck(let limit, let tell):
        if self.place >= limit {
          tell()
          try await Task.sleep(for: .seconds(3_600))
        }
      }
      guard self.place < self.source.bytes.count else { return nil }
      let end = Swift.min(self.place + self.source.pieceSize, self.source.bytes.count)
      defer { self.place = end }
      return Array(self.source.bytes[self.place..<end])
    }
  }
}

/// Compares what comes with what must come, without keeping it.
struct BodyCheck {
  let expected: [UInt8]
  private(set) var place = 0
  private(set) var isSame = true

  init(_ expected: [UInt8]) { self.expected = expected }

  mutating func take(_ piece: [UInt8]) {
    let end = self.place + piece.count
    self.isSame = self.isSame && end <= self.expected.count && Array(self.expected[self.place..<end]) == piece
    self.place = end
  }

  var isWhole: Bool { self.isSame && self.place == self.expected.count }
}
