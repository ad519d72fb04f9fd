// SPDX-License-Identifier: Apache-2.0

/// `Encoder` over a ``PackedOutput``. A container ends when its parent is written to again, or the value that it stands in ends.
struct PackedEncoder: Encoder {
  let output: PackedOutput
  /// How many containers this value stands in.
  let depth: Int

  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(self.keyed())
  }

  func keyed<Key: CodingKey>() -> Keyed<Key> {
    self.output.begin(PackedToken.keyed)
    return Keyed(output: self.output, depth: self.output.depth)
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { self.list() }

  func list() -> List {
    self.output.begin(PackedToken.list)
    return List(output: self.output, depth: self.output.depth)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { Single(output: self.output) }

  struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let output: PackedOutput
    let depth: Int
    var codingPath: [any CodingKey] { [] }

    private func key(_ key: Key) {
      self.output.end(downTo: self.depth)
      self.output.text(key.stringValue)
    }

    func encodeNil(forKey key: Key) {
      self.key(key)
      self.output.null()
    }
    func encode(_ value: Bool, forKey key: Key) {
      self.key(key)
      self.output.bool(value)
    }
    func encode(_ value: String, forKey key: Key) {
      self.key(key)
      self.output.text(value)
    }
    func encode(_ value: Double, forKey key: Key) {
      self.key(key)
      self.output.double(value)
    }
    func encode(_ value: Float, forKey key: Key) { self.encode(Double(value), forKey: key) }
    private func number(_ value: some FixedWidthInteger, _ key: Key) throws {
      self.key(key)
      try self.output.number(value)
    }
    func encode(_ value: Int, forKey key: Key) throws { try self.number(value, key) }
    func encode(_ value: Int8, forKey key: Key) throws { try self.number(value, key) }
    func encode(_ value: Int16, forKey key: Key) throws { try self.number(value, key) }
    func encode(_ value: Int32, forKey key: Key) throws { try self.number(value, key) }
    func encode(_ value: Int64, forKey key: Key) throws { try self.number(value, key) }
    func encode(_ value: UInt, forKey key: Key) throws { try self.number(value, key) }
    func encode(_ value: UInt8, forKey key: Key) throws { try self.number(value, key) }
    func encode(_ value: UInt16, forKey key: Key) throws { try self.number(value, key) }
    func encode(_ value: UInt32, forKey key: Key) throws { try self.number(value, key) }
    func encode(_ value: UInt64, forKey key: Key) throws { try self.number(value, key) }
    func encode(_ value: some Encodable, forKey key: Key) throws {
      self.key(key)
      try self.output.value(value)
    }
    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
      self.key(key)
      return KeyedEncodingContainer(PackedEncoder(output: self.output, depth: self.depth).keyed())
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
      self.key(key)
      return PackedEncoder(output: self.output, depth: self.depth).list()
    }
    // The protocol lets neither of them fail. What they write is refused by whoever reads: no value stands where they were asked for.
    func superEncoder() -> any Encoder { PackedEncoder(output: self.output, depth: self.depth) }
    func superEncoder(forKey key: Key) -> any Encoder { PackedEncoder(output: self.output, depth: self.depth) }
  }

  struct List: UnkeyedEncodingContainer {
    let output: PackedOutput
    let depth: Int
    private(set) var count = 0
    var codingPath: [any CodingKey] { [] }

    init(output: PackedOutput, depth: Int) {
      self.output = output
      self.depth = depth
    }

    private mutating func next() {
      self.output.end(downTo: self.depth)
      self.count += 1
    }

    mutating func encodeNil() {
      self.next()
      self.output.null()
    }
    mutating func encode(_ value: some Encodable) throws {
      self.next()
      try self.output.value(value)
    }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
      self.next()
      return KeyedEncodingContainer(PackedEncoder(output: self.output, depth: self.depth).keyed())
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
      self.next()
      return PackedEncoder(output: self.output, depth: self.depth).list()
    }
    mutating func superEncoder() -> any Encoder { PackedEncoder(output: self.output, depth: self.depth) }
  }

  struct Single: SingleValueEncodingContainer {
    let output: PackedOutput
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { self.output.null() }
    func encode(_ value: Bool) { self.output.bool(value) }
    func encode(_ value: String) { self.output.text(value) }
    func encode(_ value: Double) { self.output.double(value) }
    func encode(_ value: Float) { self.output.double(Double(value)) }
    func encode(_ value: Int) throws { try self.output.number(value) }
    func encode(_ value: Int8) throws { try self.output.number(value) }
    func encode(_ value: Int16) throws { try self.output.number(value) }
    func encode(_ value: Int32) throws { try self.output.number(value) }
    func encode(_ value: Int64) throws { try self.output.number(value) }
    func encode(_ value: UInt) throws { try self.output.number(value) }
    func encode(_ value: UInt8) throws { try self.output.number(value) }
    func encode(_ value: UInt16) throws { try self.output.number(value) }
    func encode(_ value: UInt32) throws { try self.output.number(value) }
    func encode(_ value: UInt64) throws { try self.output.number(value) }
    func encode(_ value: some Encodable) throws { try self.output.value(value) }
  }
}
