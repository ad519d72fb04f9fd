// SPDX-License-Identifier: Apache-2.0

@testable import AMQP

/// Values and messages of every shape, by a seed.
extension SplitMix {
  mutating func bytes(_ count: Range<Int>) -> [UInt8] {
    (0..<Int.random(in: count, using: &self)).map { _ in .random(in: 0...255, using: &self) }
  }

  mutating func text() -> String {
    let letters = ["a", "x-", "é", "0", "/", " ", "\u{1F600}"]
    return (0..<Int.random(in: 0..<5, using: &self)).compactMap { _ in letters.randomElement(using: &self) }.joined()
  }

  mutating func flag() -> Bool { .random(using: &self) }

  mutating func value(depth: Int = 0) -> AMQPValue {
    switch Int.random(in: 0..<(depth > 3 ? 19 : 23), using: &self) {
    case 0: return .null
    case 1: return .boolean(self.flag())
    case 2: return .ubyte(.random(in: 0...255, using: &self))
    case 3: return .ushort(.random(in: 0...(.max), using: &self))
    case 4: return .uint([0, 7, 256, .max].randomElement(using: &self) ?? 0)
    case 5: return .ulong([0, 7, 256, .max].randomElement(using: &self) ?? 0)
    case 6: return .byte(-1)
    case 7: return .short(-2)
    case 8: return .int([0, -1, 127, 128, .min].randomElement(using: &self) ?? 0)
    case 9: return .long([0, -1, 127, 128, .min].randomElement(using: &self) ?? 0)
    case 10: return .float(1.5)
    case 11: return .double(-2.5)
    case 12: return .decimal128(AMQPUUID(high: 1, low: 2))
    case 13: return .char(0x41)
    case 14: return .timestamp(1)
    case 15: return .uuid(AMQPUUID(high: 3, low: 4))
    case 16: return .binary(self.bytes(0..<300))
    case 17: return .string(self.text())
    case 18: return .symbol(self.text())
    case 19: return .list((0..<Int.random(in: 0..<4, using: &self)).map { _ in self.value(depth: depth + 1) })
    case 20: return .map(self.map(depth: depth + 1))
    case 21: return .array(Array(repeating: self.value(depth: 4), count: Int.random(in: 0..<4, using: &self)))
    default: return .described(descriptor: .ulong(.random(in: 0..<9, using: &self)), value: self.value(depth: depth + 1))
    }
  }

  mutating func map(depth: Int = 0) -> AMQPMap {
    AMQPMap(
      (0..<Int.random(in: 0..<4, using: &self)).map { _ in
        AMQPMap.Entry(key: self.flag() ? .symbol(self.text()) : .string(self.text()), value: self.value(depth: depth + 1))
      })
  }

  /// A map as annotations should be.
  mutating func annotations() -> AMQPMap {
    AMQPMap(
      (0..<Int.random(in: 0..<3, using: &self)).map { _ in
        AMQPMap.Entry(key: .symbol("x-" + self.text()), value: self.value(depth: 2))
      })
  }

  mutating func message() -> AMQPMessage {
    let body: AMQPBody =
      switch Int.random(in: 0..<6, using: &self) {
      case 0: .absent
      case 1: .value(self.value())
      case 2: .sequence([[self.value()]])
      case 3: .dataSections([self.bytes(0..<20), self.bytes(0..<20)])
      default: .data(self.bytes(0..<400))
      }
    var message = AMQPMessage(
      header: Int.random(in: 0..<5, using: &self) == 0 ? nil : AMQPHeader(durable: self.flag(), priority: self.flag() ? 4 : nil),
      deliveryAnnotations: Int.random(in: 0..<5, using: &self) == 0 ? self.map() : [:],
      messageAnnotations: Int.random(in: 0..<5, using: &self) == 0 ? self.map() : self.annotations(),
      applicationProperties: self.map(), body: body,
      footer: Int.random(in: 0..<8, using: &self) == 0 ? self.map() : [:])
    if self.flag() { message.properties.messageID = .string(self.text()) }
    if Int.random(in: 0..<6, using: &self) == 0 { message.properties.userID = Array("app".utf8) }
    if self.flag() { message.properties.subject = self.text() }
    return message
  }
}
