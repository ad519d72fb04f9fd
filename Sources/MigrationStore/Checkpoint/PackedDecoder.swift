// SPDX-License-Identifier: Apache-2.0

/// `Decoder` of one value of a ``PackedInput``.
struct PackedDecoder: Decoder {
  let input: PackedInput
  let node: Int

  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(try Keyed(self))
  }
  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try List(self) }
  func singleValueContainer() -> any SingleValueDecodingContainer { Single(value: self) }

  private var token: UInt8 { self.input.nodes[self.node].token }
  private var payload: Int64 { self.input.nodes[self.node].payload }

  var isNull: Bool { self.token == PackedToken.null }

  func bool() throws -> Bool {
    switch self.token {
    case PackedToken.yes: true
    case PackedToken.no: false
    default: throw PackedFault.typeDiffers
    }
  }

  func text() throws -> String {
    guard self.token == PackedToken.text else { throw PackedFault.typeDiffers }
    return self.input.texts[Int(self.payload)]
  }

  func double() throws -> Double {
    guard self.token == PackedToken.double else { throw PackedFault.typeDiffers }
    return Double(bitPattern: UInt64(bitPattern: self.payload))
  }

  func number<Number: FixedWidthInteger>() throws -> Number {
    guard self.token == PackedToken.number, let number = Number(exactly: self.payload) else { throw PackedFault.typeDiffers }
    return number
  }

  func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
    if let list = type as? any PackedList.Type, let value = try list.read(from: self) as? Value { return value }
    return try Value(from: self)
  }

  final class Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let value: PackedDecoder
    /// The child that was found last: mostly its neighbour is asked for next.
    private var last: Int
    var codingPath: [any CodingKey] { [] }

    init(_ value: PackedDecoder) throws {
      guard value.token == PackedToken.keyed else { throw PackedFault.typeDiffers }
      self.value = value
      self.last = value.node + 1
    }

    private var end: Int { Int(self.value.input.nodes[self.value.node].next) }

    var allKeys: [Key] {
      var keys: [Key] = []
      var child = self.value.node + 1
      while child < self.end {
        if let key = Key(stringValue: self.key(of: child)) { keys.append(key) }
        child = Int(self.value.input.nodes[child].next)
      }
      return keys
    }

    private func key(of child: Int) -> String { self.value.input.texts[Int(self.value.input.nodes[child].key)] }

    private func find(_ key: Key) -> Int? {
      let (text, end) = (key.stringValue, self.end)
      if self.last < end {
        if self.key(of: self.last) == text { return self.last }
        let neighbour = Int(self.value.input.nodes[self.last].next)
        if neighbour < end, self.key(of: neighbour) == text {
          self.last = neighbour
          return neighbour
        }
      }
      var child = self.value.node + 1
      while child < end {
        if self.key(of: child) == text {
          self.last = child
          return child
        }
        child = Int(self.value.input.nodes[child].next)
      }
      return nil
    }

    private func child(_ key: Key) throws -> PackedDecoder {
      guard let node = self.find(key) else { throw PackedFault.keyMissing }
      return PackedDecoder(input: self.value.input, node: node)
    }

    func contains(_ key: Key) -> Bool { self.find(key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try self.child(key).isNull }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try self.child(key).bool() }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try self.child(key).text() }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try self.child(key).double() }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { Float(try self.child(key).double()) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try self.child(key).number() }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try self.child(key).number() }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try self.child(key).number() }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try self.child(key).number() }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try self.child(key).number() }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try self.child(key).number() }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try self.child(key).number() }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try self.child(key).number() }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try self.child(key).number() }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try self.child(key).number() }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try self.child(key).value(type) }
    func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { try self.child(key).container(keyedBy: type) }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try self.child(key).unkeyedContainer() }
    func superDecoder() throws -> any Decoder { throw PackedFault.typeDiffers }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw PackedFault.typeDiffers }
  }

  struct List: UnkeyedDecodingContainer {
    private let value: PackedDecoder
    private var child: Int
    private(set) var currentIndex = 0
    let count: Int?
    var codingPath: [any CodingKey] { [] }
    var isAtEnd: Bool { self.currentIndex == self.count }

    init(_ value: PackedDecoder) throws {
      guard value.token == PackedToken.list else { throw PackedFault.typeDiffers }
      self.value = value
      self.child = value.node + 1
      let end = Int(value.input.nodes[value.node].next)
      var (count, child) = (0, value.node + 1)
      while child < end {
        count += 1
        child = Int(value.input.nodes[child].next)
      }
      self.count = count
    }

    private mutating func next() throws -> PackedDecoder {
      guard !self.isAtEnd else { throw PackedFault.keyMissing }
      let next = PackedDecoder(input: self.value.input, node: self.child)
      self.child = Int(self.value.input.nodes[self.child].next)
      self.currentIndex += 1
      return next
    }

    mutating func decodeNil() throws -> Bool {
      guard !self.isAtEnd else { throw PackedFault.keyMissing }
      guard PackedDecoder(input: self.value.input, node: self.child).isNull else { return false }
      _ = try self.next()
      return true
    }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try self.next().value(type) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
      try self.next().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try self.next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { throw PackedFault.typeDiffers }
  }

  struct Single: SingleValueDecodingContainer {
    let value: PackedDecoder
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { self.value.isNull }
    func decode(_ type: Bool.Type) throws -> Bool { try self.value.bool() }
    func decode(_ type: String.Type) throws -> String { try self.value.text() }
    func decode(_ type: Double.Type) throws -> Double { try self.value.double() }
    func decode(_ type: Float.Type) throws -> Float { Float(try self.value.double()) }
    func decode(_ type: Int.Type) throws -> Int { try self.value.number() }
    func decode(_ type: Int8.Type) throws -> Int8 { try self.value.number() }
    func decode(_ type: Int16.Type) throws -> Int16 { try self.value.number() }
    func decode(_ type: Int32.Type) throws -> Int32 { try self.value.number() }
    func decode(_ type: Int64.Type) throws -> Int64 { try self.value.number() }
    func decode(_ type: UInt.Type) throws -> UInt { try self.value.number() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try self.value.number() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try self.value.number() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try self.value.number() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try self.value.number() }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try self.value.value(type) }
  }
}

/// Arrays, which as the standard library reads them grow as they go and keep room for more: with tens of thousands of parties that
/// is memory.
private protocol PackedList {
  static func read(from value: PackedDecoder) throws -> Self
}

extension Array: PackedList where Element: Decodable {
  fileprivate static func read(from value: PackedDecoder) throws -> [Element] {
    try value.input.list(at: value.node) {
      var list = try PackedDecoder.List(value)
      var elements: [Element] = []
      elements.reserveCapacity(list.count ?? 0)
      while !list.isAtEnd { elements.append(try list.decode(Element.self)) }
      return elements
    }
  }
}
