// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not the packed form, or not of the type that was asked for.
enum PackedFault: Error {
  case cutOff
  case malformed
  case typeDiffers
  case keyMissing
}

/// Reads what ``PackedWriter`` wrote, record by record in the same order. Whatever the bytes are, it ends: with values, or by an error.
struct PackedReader {
  private let input = PackedInput()

  func value<Value: Decodable>(_ type: Value.Type, of record: [UInt8]) throws -> Value {
    try self.input.parse(record)
    return try Value(from: PackedDecoder(input: self.input, node: 0))
  }
}

/// One record as a tree that lies flat: a container's children stand right behind it.
final class PackedInput {
  struct Node {
    var token: UInt8
    /// The text's number; -1 for a value that stands in no keyed container.
    var key: Int32
    /// Where the next value after this one and all in it begins.
    var next: Int32
    /// The number itself, the double's bits, or the text's number.
    var payload: Int64
    /// Where its bytes stand in the record.
    var begin: Int32
    var end: Int32
  }

  /// A list as it was written, and as what it was read.
  private struct ListKey: Hashable {
    var bytes: [UInt8]
    var type: ObjectIdentifier
  }

  private static let listLimit = 1_024

  private(set) var nodes: [Node] = []
  private(set) var texts: [String] = []
  private var bytes: [UInt8] = []
  /// Lists that were read before: hundreds of parties inherit the same addresses, and are told the same. The same bytes mean the same
  /// while no text is forgotten.
  private var lists: [ListKey: Any] = [:]

  /// The list at `node`, read by `body` unless one like it was read before.
  func list<List>(at node: Int, _ body: () throws -> List) rethrows -> List {
    let (begin, end) = (Int(self.nodes[node].begin), Int(self.nodes[node].end))
    // A short one is not worth the search, a long one does not come twice.
    guard (16...512).contains(end - begin) else { return try body() }
    let key = ListKey(bytes: Array(self.bytes[begin..<end]), type: ObjectIdentifier(List.self))
    if let known = self.lists[key] as? List { return known }
    let list = try body()
    if self.lists.count >= Self.listLimit { self.lists.removeAll(keepingCapacity: true) }
    self.lists[key] = list
    return list
  }

  func parse(_ bytes: [UInt8]) throws(PackedFault) {
    self.nodes.removeAll(keepingCapacity: true)
    self.bytes = bytes
    if self.texts.count >= PackedToken.textLimit {
      self.texts.removeAll(keepingCapacity: true)
      self.lists.removeAll(keepingCapacity: true)
    }
    var place = 0
    var open: [Int] = []
    repeat {
      guard place < bytes.count else { throw .cutOff }
      if bytes[place] == PackedToken.end {
        guard let container = open.popLast() else { throw .malformed }
        place += 1
        self.nodes[container].next = Int32(truncatingIfNeeded: self.nodes.count)
        self.nodes[container].end = Int32(truncatingIfNeeded: place)
        continue
      }
      var key: Int32 = -1
      if let container = open.last, self.nodes[container].token == PackedToken.keyed {
        key = Int32(truncatingIfNeeded: try self.text(bytes, &place))
        guard place < bytes.count else { throw .cutOff }
      }
      guard bytes.count < Int(Int32.max) else { throw .malformed }
      var node = Node(
        token: bytes[place], key: key, next: Int32(self.nodes.count + 1), payload: 0, begin: Int32(place), end: Int32(place))
      switch node.token {
      case PackedToken.null, PackedToken.no, PackedToken.yes: place += 1
      case PackedToken.number:
        place += 1
        let value = try Self.varint(bytes, &place)
        node.payload = Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
      case PackedToken.double:
        place += 1
        guard bytes.count - place >= 8 else { throw .cutOff }
        var bits: UInt64 = 0
        for index in 0..<8 { bits |= UInt64(bytes[place + index]) << UInt64(8 * index) }
        node.payload = Int64(bitPattern: bits)
        place += 8
      case PackedToken.text, PackedToken.known:
        node.payload = try self.text(bytes, &place)
        node.token = PackedToken.text
      case PackedToken.keyed, PackedToken.list:
        place += 1
        open.append(self.nodes.count)
      default: throw .malformed
      }
      self.nodes.append(node)
    } while !open.isEmpty
    guard place == bytes.count else { throw .malformed }
  }

  /// - Returns: the text's number.
  private func text(_ bytes: [UInt8], _ place: inout Int) throws(PackedFault) -> Int64 {
    let token = bytes[place]
    place += 1
    let number = try Self.varint(bytes, &place)
    switch token {
    case PackedToken.known:
      guard number < UInt64(self.texts.count) else { throw .malformed }
      return Int64(number)
    case PackedToken.text:
      guard number <= UInt64(bytes.count - place) else { throw .cutOff }
      let end = place + Int(number)
      guard let text = String(validating: bytes[place..<end], as: UTF8.self) else { throw .malformed }
      place = end
      self.texts.append(text)
      return Int64(self.texts.count - 1)
    default: throw .malformed
    }
  }

  static func varint(_ bytes: [UInt8], _ place: inout Int) throws(PackedFault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard place < bytes.count else { throw .cutOff }
      let byte = bytes[place]
      place += 1
      guard shift < 63 || byte <= 1 else { throw .malformed }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }
}
