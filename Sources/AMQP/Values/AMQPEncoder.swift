// SPDX-License-Identifier: Apache-2.0

/// Writes AMQP 1.0 values in their most compact encoding (spec part 1.6).
struct AMQPEncoder {
  private(set) var bytes: [UInt8] = []

  mutating func reserve(_ count: Int) { self.bytes.reserveCapacity(self.bytes.count + count) }

  mutating func encode(_ value: AMQPValue) {
    switch value {
    case .null: self.bytes.append(0x40)
    case .boolean(let flag): self.bytes.append(flag ? 0x41 : 0x42)
    case .ubyte(let n): self.bytes += [0x50, n]
    case .ushort(let n): self.fixed(0x60, n)
    case .uint(let n): self.encode(uint: n)
    case .ulong(let n): self.encode(ulong: n)
    case .byte(let n): self.bytes += [0x51, UInt8(bitPattern: n)]
    case .short(let n): self.fixed(0x61, n)
    case .int(let n):
      if let small = Int8(exactly: n) { self.bytes += [0x54, UInt8(bitPattern: small)] } else { self.fixed(0x71, n) }
    case .long(let n):
      if let small = Int8(exactly: n) { self.bytes += [0x55, UInt8(bitPattern: small)] } else { self.fixed(0x81, n) }
    case .float(let x): self.fixed(0x72, x.bitPattern)
    case .double(let x): self.fixed(0x82, x.bitPattern)
    case .decimal32(let bits): self.fixed(0x74, bits)
    case .decimal64(let bits): self.fixed(0x84, bits)
    case .decimal128(let bits): self.sixteen(0x94, bits)
    case .char(let unit): self.fixed(0x73, unit)
    case .timestamp(let ms): self.fixed(0x83, ms)
    case .uuid(let uuid): self.sixteen(0x98, uuid)
    case .binary(let data): self.variable(0xa0, data)
    case .string(let text): self.variable(0xa1, text.utf8)
    case .symbol(let text): self.variable(0xa3, text.utf8)
    case .list(let elements):
      self.list { encoder in
        for element in elements { encoder.encode(element) }
        return elements.count
      }
    case .map(let map): self.map(map)
    case .array(let elements): self.array(elements)
    case .described(let descriptor, let inner):
      self.bytes.append(0x00)
      self.encode(descriptor)
      self.encode(inner)
    }
  }

  mutating func encode(uint n: UInt32) {
    switch n {
    case 0: self.bytes.append(0x43)
    case 1...255: self.bytes += [0x52, UInt8(n)]
    default: self.fixed(0x70, n)
    }
  }

  mutating func encode(ulong n: UInt64) {
    switch n {
    case 0: self.bytes.append(0x44)
    case 1...255: self.bytes += [0x53, UInt8(n)]
    default: self.fixed(0x80, n)
    }
  }

  /// The start of a section or performative: 0x00, descriptor.
  mutating func descriptor(_ code: UInt64) {
    self.bytes.append(0x00)
    self.encode(ulong: code)
  }

  /// A list whose elements `body` writes; it returns how many it wrote.
  mutating func list(_ body: (inout AMQPEncoder) -> Int) {
    let start = self.bytes.count
    let count = body(&self)
    if count == 0 {
      self.bytes.append(0x45)
    } else {
      self.prefixCompound(from: start, count: count, short: 0xc0, long: 0xd0)
    }
  }

  mutating func map(_ map: AMQPMap) {
    let start = self.bytes.count
    for entry in map.entries {
      self.encode(entry.key)
      self.encode(entry.value)
    }
    self.prefixCompound(from: start, count: map.entries.count * 2, short: 0xc1, long: 0xd1)
  }

  mutating func binary(_ data: some Collection<UInt8>) { self.variable(0xa0, data) }

  // Writing the elements first and moving them for their prefix costs one short memmove, and no guess of the size.
  private mutating func prefixCompound(from start: Int, count: Int, short: UInt8, long: UInt8) {
    let size = self.bytes.count - start
    if size < 255, count < 256 {
      self.bytes.insert(contentsOf: [short, UInt8(size + 1), UInt8(count)], at: start)
    } else {
      self.bytes.insert(contentsOf: [long] + bigEndian(UInt32(size + 4)) + bigEndian(UInt32(count)), at: start)
    }
  }

  private mutating func fixed(_ code: UInt8, _ n: some FixedWidthInteger) {
    self.bytes.append(code)
    self.bytes += bigEndian(n)
  }

  private mutating func sixteen(_ code: UInt8, _ value: AMQPUUID) {
    self.fixed(code, value.high)
    self.bytes += bigEndian(value.low)
  }

  private mutating func variable(_ code: UInt8, _ data: some Collection<UInt8>) {
    if data.count < 256 {
      self.bytes += [code, UInt8(data.count)]
    } else {
      self.bytes.append(code | 0x10)
      self.bytes += bigEndian(UInt32(data.count))
    }
    self.bytes += data
  }

  private mutating func array(_ elements: [AMQPValue]) {
    var encoder = AMQPEncoder()
    let constructor = AMQPEncoder.arrayConstructor(of: elements.first ?? .null)
    encoder.bytes += constructor
    for element in elements { encoder.arrayElement(element) }
    let size = encoder.bytes.count
    self.bytes.append(0xf0)
    self.bytes += bigEndian(UInt32(size + 4))
    self.bytes += bigEndian(UInt32(elements.count))
    self.bytes += encoder.bytes
  }

  /// In an array one constructor stands for all elements, so each type has its widest one.
  private static func arrayConstructor(of element: AMQPValue) -> [UInt8] {
    switch element {
    case .null: return [0x40]
    case .boolean: return [0x56]
    case .ubyte: return [0x50]
    case .ushort: return [0x60]
    case .uint: return [0x70]
    case .ulong: return [0x80]
    case .byte: return [0x51]
    case .short: return [0x61]
    case .int: return [0x71]
    case .long: return [0x81]
    case .float: return [0x72]
    case .double: return [0x82]
    case .decimal32: return [0x74]
    case .decimal64: return [0x84]
    case .decimal128: return [0x94]
    case .char: return [0x73]
    case .timestamp: return [0x83]
    case .uuid: return [0x98]
    case .binary: return [0xb0]
    case .string: return [0xb1]
    case .symbol: return [0xb3]
    case .list: return [0xd0]
    case .map: return [0xd1]
    case .array: return [0xf0]
    case .described(let descriptor, let inner):
      var encoder = AMQPEncoder()
      encoder.bytes.append(0x00)
      encoder.encode(descriptor)
      return encoder.bytes + AMQPEncoder.arrayConstructor(of: inner)
    }
  }

  private mutating func arrayElement(_ element: AMQPValue) {
    switch element {
    case .null: break
    case .boolean(let flag): self.bytes.append(flag ? 1 : 0)
    case .uint(let n): self.bytes += bigEndian(n)
    case .ulong(let n): self.bytes += bigEndian(n)
    case .int(let n): self.bytes += bigEndian(n)
    case .long(let n): self.bytes += bigEndian(n)
    case .binary(let data):
      self.bytes += bigEndian(UInt32(data.count))
      self.bytes += data
    case .string(let text), .symbol(let text):
      self.bytes += bigEndian(UInt32(text.utf8.count))
      self.bytes += text.utf8
    case .list(let elements):
      var encoder = AMQPEncoder()
      for element in elements { encoder.encode(element) }
      self.bytes += bigEndian(UInt32(encoder.bytes.count + 4)) + bigEndian(UInt32(elements.count)) + encoder.bytes
    case .map(let map):
      var encoder = AMQPEncoder()
      for entry in map.entries {
        encoder.encode(entry.key)
        encoder.encode(entry.value)
      }
      self.bytes += bigEndian(UInt32(encoder.bytes.count + 4)) + bigEndian(UInt32(map.entries.count * 2)) + encoder.bytes
    case .described(_, let inner): self.arrayElement(inner)
    default:
      // The remaining types have one encoding: the value's own without its constructor byte.
      var encoder = AMQPEncoder()
      encoder.encode(element)
      self.bytes += encoder.bytes.dropFirst()
    }
  }
}

private func bigEndian(_ n: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: n.bigEndian) { Array($0) }
}
