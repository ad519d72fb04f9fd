// SPDX-License-Identifier: Apache-2.0

/// Steps over encoded AMQP 1.0 values without making anything of them: every length is checked before it is believed.
struct EncodedBytes {
  let bytes: UnsafeRawBufferPointer
  /// Where what may be read ends.
  let end: Int

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    self.end = bytes.count
  }

  private init(_ bytes: UnsafeRawBufferPointer, to end: Int) {
    self.bytes = bytes
    self.end = end
  }

  func byte(at position: Int) -> UInt8? { position < self.end ? self.bytes[position] : nil }

  func uint32(at position: Int) -> UInt32? {
    guard position + 4 <= self.end else { return nil }
    return UInt32(bigEndian: self.bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
  }

  func uint64(at position: Int) -> UInt64? {
    guard position + 8 <= self.end else { return nil }
    return UInt64(bigEndian: self.bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
  }

  /// Where the value at `position` ends; nil when it goes beyond the end, or is none.
  func skip(_ position: Int, depth: Int = 0) -> Int? {
    guard let code = self.byte(at: position) else { return nil }
    let next: Int
    switch code >> 4 {
    case 0x0:
      guard code == 0, depth < 8, let value = self.skip(position + 1, depth: depth + 1) else { return nil }
      return self.skip(value, depth: depth + 1)
    case 0x4: next = position + 1
    case 0x5: next = position + 2
    case 0x6: next = position + 3
    case 0x7: next = position + 5
    case 0x8: next = position + 9
    case 0x9: next = position + 17
    case 0xa, 0xc, 0xe:
      guard let size = self.byte(at: position + 1) else { return nil }
      next = position + 2 + Int(size)
    case 0xb, 0xd, 0xf:
      guard let size = self.uint32(at: position + 1) else { return nil }
      next = position + 5 + Int(size)
    default: return nil
    }
    return next <= self.end ? next : nil
  }

  /// A list or map: where its first element is, how many there are, and the bytes to its end.
  struct Compound {
    let inside: EncodedBytes
    let first: Int
    let count: Int
    /// Bytes of size and of count each: 1 or 4; 0 for the empty list.
    let width: Int
  }

  /// The list (0x45, 0xc0, 0xd0) or map (0xc1, 0xd1) at `position`.
  func compound(at position: Int, map: Bool) -> Compound? {
    guard let code = self.byte(at: position), let end = self.skip(position) else { return nil }
    let inside = EncodedBytes(self.bytes, to: end)
    switch (code, map) {
    case (0x45, false): return Compound(inside: inside, first: end, count: 0, width: 0)
    case (0xc0, false), (0xc1, true):
      guard let count = inside.byte(at: position + 2) else { return nil }
      return Compound(inside: inside, first: position + 3, count: Int(count), width: 1)
    case (0xd0, false), (0xd1, true):
      guard let count = inside.uint32(at: position + 5) else { return nil }
      return Compound(inside: inside, first: position + 9, count: Int(count), width: 4)
    default: return nil
    }
  }

  /// The bytes of a string, symbol or binary.
  func variable(at position: Int) -> UnsafeRawBufferPointer? {
    guard let code = self.byte(at: position), let end = self.skip(position) else { return nil }
    switch code {
    case 0xa0, 0xa1, 0xa3: return UnsafeRawBufferPointer(rebasing: self.bytes[position + 2..<end])
    case 0xb0, 0xb1, 0xb3: return UnsafeRawBufferPointer(rebasing: self.bytes[position + 5..<end])
    default: return nil
    }
  }

  /// A whole number of any width, or a timestamp's milliseconds.
  func integer(at position: Int) -> Int64? {
    guard let code = self.byte(at: position), self.skip(position) != nil else { return nil }
    switch code {
    case 0x43, 0x44: return 0
    case 0x50, 0x52, 0x53: return self.byte(at: position + 1).map(Int64.init)
    case 0x51, 0x54, 0x55: return self.byte(at: position + 1).map { Int64(Int8(bitPattern: $0)) }
    case 0x60, 0x61:
      let value = UInt16(self.bytes[position + 1]) << 8 | UInt16(self.bytes[position + 2])
      return code == 0x60 ? Int64(value) : Int64(Int16(bitPattern: value))
    case 0x70: return self.uint32(at: position + 1).map(Int64.init)
    case 0x71: return self.uint32(at: position + 1).map { Int64(Int32(bitPattern: $0)) }
    case 0x80: return self.uint64(at: position + 1).flatMap { Int64(exactly: $0) }
    case 0x81, 0x83: return self.uint64(at: position + 1).map { Int64(bitPattern: $0) }
    default: return nil
    }
  }

  /// A string, a symbol, or a whole number written out. What is no UTF-8 is nil.
  func text(at position: Int) -> String? {
    if let code = self.byte(at: position), code & 0x0f == 1 || code & 0x0f == 3, code >= 0xa0,
      let bytes = self.variable(at: position)
    {
      return String(validating: bytes, as: UTF8.self)
    }
    return self.integer(at: position).map { String($0) }
  }
}

extension UnsafeRawBufferPointer {
  func equals(_ text: StaticString) -> Bool {
    guard self.count == text.utf8CodeUnitCount, text.hasPointerRepresentation else { return false }
    return self.elementsEqual(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}
