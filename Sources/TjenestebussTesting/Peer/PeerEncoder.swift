// SPDX-License-Identifier: Apache-2.0

import AMQP

/// Writes AMQP values for the scripted peer: sharing no line with the client's own encoder, so that one does not hide what is
/// wrong with the other. Always the widest encoding, where the client's own peers write the most compact one.
struct PeerEncoder {
  private(set) var bytes: [UInt8] = []

  static func encoded(_ value: AMQPValue) -> [UInt8] {
    var encoder = PeerEncoder()
    encoder.write(value)
    return encoder.bytes
  }

  /// A frame of type 0 (AMQP) or 1 (SASL).
  static func frame(type: UInt8, channel: UInt16, code: UInt64, fields: [AMQPValue], payload: [UInt8]) -> [UInt8] {
    let performative = PeerEncoder.encoded(.described(descriptor: .ulong(code), value: .list(fields)))
    let size = 8 + performative.count + payload.count
    return bigEndian(UInt32(size)) + [2, type] + bigEndian(channel) + performative + payload
  }

  mutating func write(_ value: AMQPValue) {
    switch value {
    case .null: self.bytes.append(0x40)
    case .boolean(let flag): self.bytes += [0x56, flag ? 1 : 0]
    case .ubyte(let n): self.fixed(0x50, n)
    case .ushort(let n): self.fixed(0x60, n)
    case .uint(let n): self.fixed(0x70, n)
    case .ulong(let n): self.fixed(0x80, n)
    case .byte(let n): self.fixed(0x51, n)
    case .short(let n): self.fixed(0x61, n)
    case .int(let n): self.fixed(0x71, n)
    case .long(let n): self.fixed(0x81, n)
    case .float(let x): self.fixed(0x72, x.bitPattern)
    case .double(let x): self.fixed(0x82, x.bitPattern)
    case .decimal32(let bits): self.fixed(0x74, bits)
    case .decimal64(let bits): self.fixed(0x84, bits)
    case .decimal128(let bits): self.fixed(0x94, bits.high, bits.low)
    case .char(let unit): self.fixed(0x73, unit)
    case .timestamp(let milliseconds): self.fixed(0x83, milliseconds)
    case .uuid(let uuid): self.fixed(0x98, uuid.high, uuid.low)
    case .binary(let data): self.variable(0xb0, data)
    case .string(let text): self.variable(0xb1, Array(text.utf8))
    case .symbol(let text): self.variable(0xb3, Array(text.utf8))
    case .list(let elements): self.compound(0xd0, elements)
    case .map(let map): self.compound(0xd1, map.entries.flatMap { [$0.key, $0.value] })
    case .array(let elements): self.array(elements)
    case .described(let descriptor, let inner):
      self.bytes.append(0x00)
      self.write(descriptor)
      self.write(inner)
    }
  }

  private mutating func fixed(_ code: UInt8, _ numbers: any FixedWidthInteger...) {
    self.bytes.append(code)
    for number in numbers { self.bytes += bigEndian(number) }
  }

  private mutating func variable(_ code: UInt8, _ data: [UInt8]) {
    self.bytes.append(code)
    self.bytes += bigEndian(UInt32(data.count)) + data
  }

  private mutating func compound(_ code: UInt8, _ elements: [AMQPValue]) {
    let content = elements.flatMap(PeerEncoder.encoded)
    self.bytes.append(code)
    self.bytes += bigEndian(UInt32(content.count + 4)) + bigEndian(UInt32(elements.count)) + content
  }

  /// All elements have the first one's type; an element without its constructor follows the array's one constructor.
  private mutating func array(_ elements: [AMQPValue]) {
    let encoded = elements.map(PeerEncoder.encoded)
    let constructor = encoded.first?.first ?? 0x40
    let content = [constructor] + encoded.flatMap { $0.dropFirst() }
    self.bytes.append(0xf0)
    self.bytes += bigEndian(UInt32(content.count + 4)) + bigEndian(UInt32(elements.count)) + content
  }
}

private func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: number.bigEndian) { Array($0) }
}
