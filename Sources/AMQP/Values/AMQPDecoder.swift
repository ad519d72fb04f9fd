// SPDX-License-Identifier: Apache-2.0

/// What is wrong with encoded bytes.
public enum AMQPDecodingError: Error, Hashable, Sendable {
  case truncated
  case unknownConstructor(UInt8)
  case invalidUTF8
  case sizeMismatch
  case tooDeep
  case oddMap
  /// More values than ``AMQPDecodingLimits/elements``.
  case tooMany
  /// A string or symbol longer than ``AMQPDecodingLimits/textLength``, or a map larger than ``AMQPDecodingLimits/mapEntries``.
  case tooLong
  case unexpected(String)
}

/// Reads AMQP 1.0 values from bytes that a peer chose: every length is checked before it is believed.
struct AMQPDecoder {
  private let bytes: [UInt8]
  private let limits: AMQPDecodingLimits
  private(set) var position: Int
  private let end: Int
  /// How many more values may be read: over all levels, since a value that takes no byte in an array of arrays multiplies.
  private var valuesLeft: Int

  init(_ bytes: [UInt8], limits: AMQPDecodingLimits = AMQPDecodingLimits()) {
    self.bytes = bytes
    self.limits = limits
    self.position = 0
    self.end = bytes.count
    self.valuesLeft = limits.elements
  }

  private init(inside outer: AMQPDecoder, from position: Int, to end: Int) {
    self.bytes = outer.bytes
    self.limits = outer.limits
    self.position = position
    self.end = end
    self.valuesLeft = outer.valuesLeft
  }

  /// The descriptor of the described value that comes next, when it is written as a small ulong.
  var smallDescriptor: UInt64? {
    guard self.end - self.position >= 3, self.bytes[self.position] == 0, self.bytes[self.position + 1] == 0x53 else { return nil }
    return UInt64(self.bytes[self.position + 2])
  }

  var isAtEnd: Bool { self.position == self.end }

  mutating func value(depth: Int = 0) throws(AMQPDecodingError) -> AMQPValue {
    guard depth < self.limits.depth else { throw .tooDeep }
    let code: UInt8 = try self.integer()
    if code == 0x00 {
      let descriptor = try self.value(depth: depth + 1)
      return .described(descriptor: descriptor, value: try self.value(depth: depth + 1))
    }
    return try self.value(code: code, depth: depth)
  }

  private mutating func value(code: UInt8, depth: Int) throws(AMQPDecodingError) -> AMQPValue {
    guard self.valuesLeft > 0 else { throw .tooMany }
    self.valuesLeft -= 1
    switch code {
    case 0x40: return .null
    case 0x41: return .boolean(true)
    case 0x42: return .boolean(false)
    case 0x56:
      let n: UInt8 = try self.integer()
      return .boolean(n != 0)
    case 0x43: return .uint(0)
    case 0x44: return .ulong(0)
    case 0x45: return .list([])
    case 0x50: return .ubyte(try self.integer())
    case 0x51: return .byte(try self.integer())
    case 0x52:
      let n: UInt8 = try self.integer()
      return .uint(UInt32(n))
    case 0x53:
      let n: UInt8 = try self.integer()
      return .ulong(UInt64(n))
    case 0x54:
      let n: Int8 = try self.integer()
      return .int(Int32(n))
    case 0x55:
      let n: Int8 = try self.integer()
      return .long(Int64(n))
    case 0x60: return .ushort(try self.integer())
    case 0x61: return .short(try self.integer())
    case 0x70: return .uint(try self.integer())
    case 0x71: return .int(try self.integer())
    case 0x72: return .float(Float(bitPattern: try self.integer()))
    case 0x73: return .char(try self.integer())
    case 0x74: return .decimal32(try self.integer())
    case 0x80: return .ulong(try self.integer())
    case 0x81: return .long(try self.integer())
    case 0x82: return .double(Double(bitPattern: try self.integer()))
    case 0x83: return .timestamp(try self.integer())
    case 0x84: return .decimal64(try self.integer())
    case 0x94: return .decimal128(try self.sixteen())
    case 0x98: return .uuid(try self.sixteen())
    case 0xa0, 0xb0: return .binary(Array(try self.variable(wide: code == 0xb0)))
    case 0xa1, 0xb1: return .string(try self.text(wide: code == 0xb1))
    case 0xa3, 0xb3: return .symbol(try self.text(wide: code == 0xb3))
    case 0xc0, 0xd0: return .list(try self.elements(wide: code == 0xd0, depth: depth))
    case 0xc1, 0xd1: return .map(try self.map(wide: code == 0xd1, depth: depth))
    case 0xe0, 0xf0: return .array(try self.array(wide: code == 0xf0, depth: depth))
    default: throw .unknownConstructor(code)
    }
  }

  private mutating func integer<Integer: FixedWidthInteger>() throws(AMQPDecodingError) -> Integer {
    let width = Integer.bitWidth / 8
    guard self.end - self.position >= width else { throw .truncated }
    var result: Integer = 0
    for index in self.position..<self.position + width {
      // A one-byte shift of a one-byte integer would overflow to zero, which is right: there is only one byte.
      result = (result << 8) | Integer(truncatingIfNeeded: self.bytes[index])
    }
    self.position += width
    return result
  }

  private mutating func sixteen() throws(AMQPDecodingError) -> AMQPUUID {
    let high: UInt64 = try self.integer()
    return AMQPUUID(high: high, low: try self.integer())
  }

  private mutating func size(wide: Bool) throws(AMQPDecodingError) -> Int {
    if wide {
      let n: UInt32 = try self.integer()
      return Int(n)
    }
    let n: UInt8 = try self.integer()
    return Int(n)
  }

  private mutating func variable(wide: Bool) throws(AMQPDecodingError) -> ArraySlice<UInt8> {
    let count = try self.size(wide: wide)
    guard self.end - self.position >= count else { throw .truncated }
    defer { self.position += count }
    return self.bytes[self.position..<self.position + count]
  }

  private mutating func text(wide: Bool) throws(AMQPDecodingError) -> String {
    let bytes = try self.variable(wide: wide)
    guard bytes.count <= self.limits.textLength else { throw .tooLong }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalidUTF8 }
    return text
  }

  /// Enters a compound value: returns a decoder over just its bytes, and its element count.
  private mutating func compound(wide: Bool) throws(AMQPDecodingError) -> (AMQPDecoder, Int) {
    let size = try self.size(wide: wide)
    guard self.end - self.position >= size else { throw .truncated }
    var inner = AMQPDecoder(inside: self, from: self.position, to: self.position + size)
    self.position += size
    let count = try inner.size(wide: wide)
    return (inner, count)
  }

  private mutating func elements(wide: Bool, depth: Int) throws(AMQPDecodingError) -> [AMQPValue] {
    var (inner, count) = try self.compound(wide: wide)
    // Each element takes at least one byte: a count beyond that is a lie, and must not choose our allocation.
    guard count <= inner.end - inner.position else { throw .sizeMismatch }
    guard count <= inner.valuesLeft else { throw .tooMany }
    var elements: [AMQPValue] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try inner.value(depth: depth + 1)) }
    guard inner.isAtEnd else { throw .sizeMismatch }
    self.valuesLeft = inner.valuesLeft
    return elements
  }

  private mutating func map(wide: Bool, depth: Int) throws(AMQPDecodingError) -> AMQPMap {
    let elements = try self.elements(wide: wide, depth: depth)
    guard elements.count.isMultiple(of: 2) else { throw .oddMap }
    guard elements.count / 2 <= self.limits.mapEntries else { throw .tooLong }
    return AMQPMap(
      stride(from: 0, to: elements.count, by: 2).map { AMQPMap.Entry(key: elements[$0], value: elements[$0 + 1]) })
  }

  private mutating func array(wide: Bool, depth: Int) throws(AMQPDecodingError) -> [AMQPValue] {
    guard depth + 1 < self.limits.depth else { throw .tooDeep }
    var (inner, count) = try self.compound(wide: wide)
    var descriptors: [AMQPValue] = []
    var code: UInt8 = try inner.integer()
    while code == 0x00 {
      guard depth + descriptors.count + 1 < self.limits.depth else { throw .tooDeep }
      descriptors.append(try inner.value(depth: depth + 1))
      code = try inner.integer()
    }
    // Elements without width (null, true, uint 0...) take no bytes, and descriptors stand for all elements: what bounds the
    // count is what may still be read.
    guard count <= inner.valuesLeft / (descriptors.count + 1) else { throw .tooMany }
    var elements: [AMQPValue] = []
    elements.reserveCapacity(min(count, inner.end - inner.position))
    for _ in 0..<count {
      var element = try inner.value(code: code, depth: depth + descriptors.count + 1)
      for descriptor in descriptors.reversed() {
        element = .described(descriptor: descriptor, value: element)
        inner.valuesLeft -= 1
      }
      elements.append(element)
    }
    guard inner.isAtEnd, inner.valuesLeft >= 0 else { throw inner.valuesLeft < 0 ? .tooMany : .sizeMismatch }
    self.valuesLeft = inner.valuesLeft
    return elements
  }
}
