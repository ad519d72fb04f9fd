// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

@Suite("Bytes of a hostile or broken peer")
struct HostileInputTests {
  private func decode(_ bytes: [UInt8], _ limits: AMQPDecodingLimits = AMQPDecodingLimits()) throws -> AMQPValue {
    var decoder = AMQPDecoder(bytes, limits: limits)
    return try decoder.value()
  }

  private func encoded(_ value: AMQPValue) -> [UInt8] {
    var encoder = AMQPEncoder()
    encoder.encode(value)
    return encoder.bytes
  }

  private func big(_ n: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(n).bigEndian) { Array($0) } }

  /// An array with `count` elements behind one constructor.
  private func array(_ count: Int, _ constructor: [UInt8], _ elements: [UInt8] = []) -> [UInt8] {
    [0xf0] + self.big(4 + constructor.count + elements.count) + self.big(count) + constructor + elements
  }

  /// How many values there are in all.
  private func count(_ value: AMQPValue) -> Int {
    switch value {
    case .list(let elements), .array(let elements): elements.reduce(1) { $0 + self.count($1) }
    case .map(let map): map.entries.reduce(1) { $0 + self.count($1.key) + self.count($1.value) }
    case .described(let descriptor, let value): 1 + self.count(descriptor) + self.count(value)
    default: 1
    }
  }

  @Test("elements without width: as many as the limit, not as many as the count says")
  func zeroWidth() throws {
    for constructor: UInt8 in [0x40, 0x41, 0x42, 0x43, 0x44, 0x45] {
      #expect(throws: AMQPDecodingError.tooMany) { try self.decode(self.array(Int(UInt32.max), [constructor])) }
      #expect(throws: AMQPDecodingError.tooMany) { try self.decode(self.array(100_000, [constructor])) }
      #expect(self.count(try self.decode(self.array(99_000, [constructor]))) == 99_001)
    }
  }

  @Test("arrays of arrays without width multiply; the limit holds over all levels")
  func multiplied() {
    // 9 bytes make 65,000 values, and there are 100 such in the outer one.
    let inner = self.big(5) + self.big(65_000) + [0x40]
    let bytes = self.array(100, [0xf0], Array((0..<100).map { _ in inner }.joined()))
    #expect(throws: AMQPDecodingError.tooMany) { try self.decode(bytes) }
    let list = AMQPValue.list((0..<1_000).map { _ in .list([]) })
    #expect(throws: AMQPDecodingError.tooMany) { try self.decode(self.encoded(list), AMQPDecodingLimits(elements: 1_000)) }
    #expect(throws: Never.self) { try self.decode(self.encoded(list), AMQPDecodingLimits(elements: 1_001)) }
  }

  @Test("descriptors before an array's constructor count for each element")
  func describedArrays() {
    let descriptors: [UInt8] = [0x00, 0x44, 0x00, 0x44, 0x00, 0x44]
    #expect(throws: AMQPDecodingError.tooMany) { try self.decode(self.array(60_000, descriptors + [0x40])) }
    #expect(throws: AMQPDecodingError.tooDeep) {
      try self.decode(self.array(1, Array((0..<64).map { _ in [0x00, 0x44] as [UInt8] }.joined()) + [0x40]))
    }
  }

  @Test("nesting of every kind is bounded", arguments: [1, 31, 32, 33, 200, 20_000])
  func depth(_ levels: Int) {
    var list: [UInt8] = [0x40]
    var map: [UInt8] = [0x40]
    var arrays: [UInt8] = [0x40]
    for _ in 1..<max(levels, 2) where list.count < 2_000_000 {
      list = [0xd0] + self.big(4 + list.count) + self.big(1) + list
      map = [0xd1] + self.big(5 + map.count) + self.big(2) + [0x40] + map
      arrays = [0xf0] + self.big(4 + arrays.count) + self.big(1) + arrays
      if list.count > 4_000 { break }
    }
    let described = [UInt8](repeating: 0, count: levels) + [0x40]
    for bytes in [list, map, arrays, described] {
      do { _ = try self.decode(bytes) } catch let error as AMQPDecodingError {
        #expect(error != .truncated || bytes == described)
      } catch {
        Issue.record(error)
      }
    }
    if levels > 32 {
      #expect(throws: AMQPDecodingError.tooDeep) { try self.decode(list) }
      #expect(throws: AMQPDecodingError.tooDeep) { try self.decode(map) }
      #expect(throws: AMQPDecodingError.tooDeep) { try self.decode(described) }
    }
  }

  @Test("sizes and counts beyond the input, in every width and kind")
  func sizes() {
    for code: UInt8 in [0xa0, 0xa1, 0xa3, 0xc0, 0xc1, 0xe0] {
      #expect(throws: AMQPDecodingError.truncated) { try self.decode([code, 200, 1, 2]) }
      #expect(throws: AMQPDecodingError.truncated) { try self.decode([code | 0x10] + self.big(Int(UInt32.max)) + [1, 2]) }
      #expect(throws: AMQPDecodingError.truncated) { try self.decode([code | 0x10] + self.big(Int(Int32.max)) + [1, 2]) }
    }
    for code: UInt8 in [0xd0, 0xd1] {
      #expect(throws: AMQPDecodingError.sizeMismatch) {
        try self.decode([code] + self.big(5) + self.big(Int(UInt32.max)) + [0x40])
      }
      #expect(throws: AMQPDecodingError.sizeMismatch) { try self.decode([code] + self.big(6) + self.big(1) + [0x40, 0x40]) }
      // Too small even for its own count.
      #expect(throws: AMQPDecodingError.truncated) { try self.decode([code] + self.big(2) + [0, 0]) }
    }
  }

  @Test("long texts and large maps")
  func texts() {
    let limits = AMQPDecodingLimits(mapEntries: 3, textLength: 10)
    #expect(throws: AMQPDecodingError.tooLong) { try self.decode(self.encoded(.string("12345678901")), limits) }
    #expect(throws: AMQPDecodingError.tooLong) { try self.decode(self.encoded(.symbol("12345678901")), limits) }
    #expect(throws: Never.self) { try self.decode(self.encoded(.string("1234567890")), limits) }
    // Payload is as long as it is.
    #expect(throws: Never.self) { try self.decode(self.encoded(.binary([UInt8](repeating: 1, count: 1_000))), limits) }
    let map = AMQPMap((0..<4).map { AMQPMap.Entry(key: .int(Int32($0)), value: .null) })
    #expect(throws: AMQPDecodingError.tooLong) { try self.decode(self.encoded(.map(map)), limits) }
  }

  @Test("mutated values are read or refused, and never grow beyond the limit", arguments: 0..<12)
  func mutatedValues(_ seed: UInt64) throws {
    var generator = SplitMix(seed: seed)
    let limits = AMQPDecodingLimits(elements: 5_000)
    for _ in 0..<150 {
      let value = generator.value()
      let bytes = self.encoded(value)
      #expect(try self.encoded(self.decode(bytes)) == bytes)
      guard let read = try? self.decode(generator.mutated(bytes), limits) else { continue }
      #expect(self.count(read) <= 3 * limits.elements)
    }
  }

  @Test("mutated messages are read or refused by a typed error", arguments: 0..<12)
  func mutatedMessages(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    for _ in 0..<150 {
      let bytes = generator.mutated(generator.message().encoded())
      _ = try? AMQPMessage(decoding: bytes)
      _ = try? AMQPMessage(decodingBeforeBody: bytes)
      _ = try? AMQPMessageSections(bytes)
    }
  }

  @Test("an error of decoding holds nothing of what was decoded", arguments: 0..<20)
  func canaries(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    let canary = "canary-9"
    let message = AMQPMessage(
      messageAnnotations: AMQPMap([.init(key: .symbol(canary), value: .string(canary))]),
      properties: AMQPProperties(messageID: .string(canary), subject: canary), applicationProperties: ["canary-9": "canary-9"],
      body: .data(Array(canary.utf8)))
    for _ in 0..<300 {
      do {
        _ = try AMQPMessage(decoding: generator.mutated(message.encoded()))
      } catch {
        #expect(!"\(error) \(String(reflecting: error))".contains("canary"))
      }
    }
  }

  @Test("a mutated stream of frames: frames or a typed error, and no more buffered than came", arguments: 0..<12)
  func mutatedFrames(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    for _ in 0..<100 {
      var stream = AMQPFrame.saslHeader
      for _ in 0..<Int.random(in: 0..<5, using: &generator) {
        let fields = (0..<Int.random(in: 0..<5, using: &generator)).map { _ in AMQPValue?.some(generator.value()) }
        stream += AMQPFrame.encodedSASL(.random(in: 0x10...0x45, using: &generator), fields)
      }
      stream = generator.mutated(stream)
      var parser = AMQPFrameParser(maximumFrameSize: 4_096)
      var rest = stream[...]
      reading: while !rest.isEmpty {
        let count = Int.random(in: 1...rest.count, using: &generator)
        parser.append(rest.prefix(count))
        rest = rest.dropFirst(count)
        do {
          while try parser.next() != nil {}
        } catch {
          break reading
        }
        #expect(parser.rest.count <= stream.count)
      }
    }
  }
}

extension SplitMix {
  /// The same with bytes changed, taken away, put in, or cut off.
  mutating func mutated(_ original: [UInt8]) -> [UInt8] {
    var bytes = original
    for _ in 0..<Int.random(in: 1...4, using: &self) where !bytes.isEmpty {
      let index = Int.random(in: bytes.indices, using: &self)
      switch Int.random(in: 0..<6, using: &self) {
      case 0: bytes[index] = .random(in: 0...255, using: &self)
      case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
      case 2: bytes.remove(at: index)
      case 3: bytes.insert(.random(in: 0...255, using: &self), at: index)
      case 4: bytes[index] = [0x00, 0x40, 0x45, 0xff, 0xf0, 0xd0, 0xd1, 0xe0, 0xc0, 0xb0].randomElement(using: &self) ?? 0
      default: bytes = Array(bytes.prefix(index))
      }
    }
    return bytes
  }
}
