// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

@Suite("Values on the wire")
struct CodecTests {
  /// Made anew for each who asks: the leak sanitizer does not see through the tagged pointers of a static value's cases.
  static var values: [AMQPValue] {
    [
      .null, .boolean(true), .boolean(false), .ubyte(0), .ubyte(255), .ushort(65_535), .uint(0), .uint(255), .uint(256),
      .uint(.max), .ulong(0), .ulong(255), .ulong(256), .ulong(.max), .byte(-1), .short(-32_768), .int(-128), .int(127),
      .int(128), .int(.min), .long(-129), .long(5), .long(.max), .float(1.5), .double(-0.1), .decimal32(7), .decimal64(8),
      .decimal128(AMQPUUID(high: 1, low: 2)), .char(0x1F600), .timestamp(-1), .timestamp(1_800_000_000_000),
      .uuid(AMQPUUID(high: .max, low: 3)), .binary([]), .binary([1, 2, 3]), .binary([UInt8](repeating: 7, count: 300)),
      .string(""), .string("blåbær"), .string(String(repeating: "x", count: 70_000)), .symbol("amqp:accepted:list"),
      .list([]), .list([.null, .int(1), .string("a")]), .list((0..<300).map { .int($0) }),
      .map([:]), .map(["a": .int(1), "b": .list([.boolean(true)])]),
      .array([]), .array([.symbol("PLAIN"), .symbol("ANONYMOUS")]), .array([.int(1), .int(-1)]),
      .array([.list([.int(1)]), .list([])]),
      .array([.map(["k": .ulong(1)])]), .array([.boolean(true), .boolean(false)]), .array([.ubyte(1), .ubyte(2)]),
      .described(descriptor: .symbol("x:y"), value: .string("z")),
      .array([.described(descriptor: .ulong(1), value: .string("a")), .described(descriptor: .ulong(1), value: .string("b"))]),
    ]
  }

  @Test("what is written is read back", arguments: values)
  func roundTrip(_ value: AMQPValue) throws {
    var encoder = AMQPEncoder()
    encoder.encode(value)
    var decoder = AMQPDecoder(encoder.bytes)
    #expect(try decoder.value() == value)
    #expect(decoder.isAtEnd)
  }

  @Test("the most compact encoding is chosen, as the spec's tables have it")
  func compact() {
    func bytes(_ value: AMQPValue) -> [UInt8] {
      var encoder = AMQPEncoder()
      encoder.encode(value)
      return encoder.bytes
    }
    #expect(bytes(.uint(0)) == [0x43])
    #expect(bytes(.uint(7)) == [0x52, 7])
    #expect(bytes(.ulong(0x10)) == [0x53, 0x10])
    #expect(bytes(.string("ab")) == [0xa1, 2, 0x61, 0x62])
    #expect(bytes(.list([])) == [0x45])
    #expect(bytes(.list([.boolean(true)])) == [0xc0, 2, 1, 0x41])
    #expect(bytes(.array([.symbol("A")])) == [0xf0, 0, 0, 0, 10, 0, 0, 0, 1, 0xb3, 0, 0, 0, 1, 0x41])
  }

  @Test("every prefix of a value is refused, none crashes", arguments: values.filter { $0 != .null })
  func truncated(_ value: AMQPValue) {
    var encoder = AMQPEncoder()
    encoder.encode(value)
    for length in 0..<min(encoder.bytes.count, 400) {
      #expect(throws: AMQPDecodingError.self) {
        var decoder = AMQPDecoder(Array(encoder.bytes.prefix(length)))
        _ = try decoder.value()
      }
    }
  }

  @Test("lies about size, count and depth are refused")
  func lies() {
    func decode(_ bytes: [UInt8]) throws -> AMQPValue {
      var decoder = AMQPDecoder(bytes)
      return try decoder.value()
    }
    #expect(throws: AMQPDecodingError.sizeMismatch) { try decode([0xd0, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff]) }
    #expect(throws: AMQPDecodingError.truncated) { try decode([0xb0, 0xff, 0xff, 0xff, 0xff, 1]) }
    #expect(throws: AMQPDecodingError.oddMap) { try decode([0xc1, 2, 1, 0x40]) }
    #expect(throws: AMQPDecodingError.tooMany) { try decode([0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40]) }
    #expect(throws: AMQPDecodingError.tooDeep) { try decode([UInt8](repeating: 0x00, count: 100) + [0x40]) }
    #expect(throws: AMQPDecodingError.unknownConstructor(0x3f)) { try decode([0x3f]) }
    #expect(throws: AMQPDecodingError.invalidUTF8) { try decode([0xa1, 1, 0xff]) }
  }

  @Test("random bytes are read or refused, and never crash", arguments: 0..<20)
  func randomBytes(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    for _ in 0..<2_000 {
      let bytes = (0..<Int.random(in: 0..<60, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
      var decoder = AMQPDecoder(bytes)
      _ = try? decoder.value()
      _ = try? AMQPMessage(decoding: bytes)
    }
  }
}

/// A seeded generator, so that a failing case can be run again.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var z = self.state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
