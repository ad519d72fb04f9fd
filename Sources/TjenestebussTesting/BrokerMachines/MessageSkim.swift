// SPDX-License-Identifier: Apache-2.0

/// The sections of an encoded message by their outer form alone: what is inside them is not read, as most brokers do it. Pure.
package struct MessageSkim: Sendable, Equatable {
  package struct Section: Sendable, Equatable {
    /// Nil when the descriptor is no number.
    package var descriptor: UInt64?
    package var range: Range<Int>
    /// The value behind the descriptor.
    package var value: Range<Int>
    /// How many elements a list, map or array says it has; nil for any other value.
    package var count: Int?
  }

  package private(set) var sections: [Section] = []
  /// Whether the sections reach to the end of the bytes.
  package private(set) var isWhole = true

  package init(_ payload: [UInt8]) {
    var position = 0
    while position < payload.count {
      guard payload[position] == 0, let descriptorEnd = MessageSkim.end(of: position + 1, in: payload),
        let end = MessageSkim.end(of: descriptorEnd, in: payload)
      else {
        self.isWhole = false
        return
      }
      self.sections.append(
        Section(
          descriptor: MessageSkim.number(payload[position + 1..<descriptorEnd]), range: position..<end,
          value: descriptorEnd..<end, count: MessageSkim.count(payload[descriptorEnd..<end])))
      position = end
    }
  }

  /// Where the value that begins at `start` ends; nil when there is no such value, or not all of it.
  private static func end(of start: Int, in bytes: [UInt8]) -> Int? {
    guard start < bytes.count else { return nil }
    let code = bytes[start]
    let size: Int
    switch code >> 4 {
    case 0x0:
      guard code == 0, let descriptor = self.end(of: start + 1, in: bytes) else { return nil }
      return self.end(of: descriptor, in: bytes)
    case 0x4: size = 0
    case 0x5: size = 1
    case 0x6: size = 2
    case 0x7: size = 4
    case 0x8: size = 8
    case 0x9: size = 16
    case 0xa, 0xc, 0xe:
      guard start + 1 < bytes.count else { return nil }
      size = 1 + Int(bytes[start + 1])
    case 0xb, 0xd, 0xf:
      guard start + 4 < bytes.count else { return nil }
      size = 4 + bytes[start + 1...start + 4].reduce(0) { $0 << 8 | Int($1) }
    default: return nil
    }
    let end = start + 1 + size
    return end <= bytes.count ? end : nil
  }

  private static func number(_ value: ArraySlice<UInt8>) -> UInt64? {
    switch value.first {
    case 0x44: 0
    case 0x53, 0x80: value.dropFirst().reduce(0) { $0 << 8 | UInt64($1) }
    default: nil
    }
  }

  private static func count(_ value: ArraySlice<UInt8>) -> Int? {
    switch value.first {
    case 0x45: 0
    case 0xc0, 0xc1, 0xe0: value.dropFirst(2).first.map(Int.init)
    case 0xd0, 0xd1, 0xf0: value.dropFirst(5).prefix(4).reduce(0) { $0 << 8 | Int($1) }
    default: nil
    }
  }
}

extension MessageSkim.Section {
  package var isBody: Bool { self.descriptor.map { (0x75...0x77).contains($0) } ?? false }
  /// Header, delivery annotations, message annotations: what stands before the bare message.
  package var isCarriage: Bool { self.descriptor.map { (0x70...0x72).contains($0) } ?? false }
}
