// SPDX-License-Identifier: Apache-2.0

/// A value of AMQP 1.0's type system (spec part 1).
///
/// Every type of the spec has its case, so that a value that was read can be written again as it was.
public indirect enum AMQPValue: Sendable, Hashable {
  case null
  case boolean(Bool)
  case ubyte(UInt8)
  case ushort(UInt16)
  case uint(UInt32)
  case ulong(UInt64)
  case byte(Int8)
  case short(Int16)
  case int(Int32)
  case long(Int64)
  case float(Float)
  case double(Double)
  /// IEEE 754 decimals are carried as their bits: Swift has no such type.
  case decimal32(UInt32)
  case decimal64(UInt64)
  case decimal128(AMQPUUID)
  /// A UTF-32 code unit as it came; not every one is a Unicode scalar.
  case char(UInt32)
  /// Milliseconds since 1970-01-01T00:00:00Z.
  case timestamp(Int64)
  case uuid(AMQPUUID)
  case binary([UInt8])
  case string(String)
  case symbol(String)
  case list([AMQPValue])
  case map(AMQPMap)
  /// Elements of one and the same type. An empty array is written as an array of null.
  case array([AMQPValue])
  case described(descriptor: AMQPValue, value: AMQPValue)

  /// The text of a string or symbol; nil for any other type.
  public var text: String? {
    switch self {
    case .string(let text), .symbol(let text): text
    default: nil
    }
  }

  /// The number of any integer type, when it fits an `Int64`; nil for any other type.
  public var integer: Int64? {
    switch self {
    case .ubyte(let n): Int64(n)
    case .ushort(let n): Int64(n)
    case .uint(let n): Int64(n)
    case .ulong(let n): Int64(exactly: n)
    case .byte(let n): Int64(n)
    case .short(let n): Int64(n)
    case .int(let n): Int64(n)
    case .long(let n), .timestamp(let n): n
    default: nil
    }
  }
}

extension AMQPValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

/// Sixteen bytes: a UUID (RFC 4122 byte order), or a decimal128's bits.
public struct AMQPUUID: Sendable, Hashable {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
}

/// A map as it stands on the wire: in order, with keys of any type.
///
/// Order is kept so that a message that passes through is not changed.
public struct AMQPMap: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  public struct Entry: Sendable, Hashable {
    public var key: AMQPValue
    public var value: AMQPValue
    public init(key: AMQPValue, value: AMQPValue) {
      self.key = key
      self.value = value
    }
  }

  public var entries: [Entry]

  public init(_ entries: [Entry] = []) { self.entries = entries }

  /// String keys, as application properties have them.
  public init(dictionaryLiteral elements: (String, AMQPValue)...) {
    self.entries = elements.map { Entry(key: .string($0.0), value: $0.1) }
  }

  public var isEmpty: Bool { self.entries.isEmpty }

  /// The value of the first entry whose key is this text, as string or as symbol.
  ///
  /// Setting replaces that entry, or appends one with a string key; setting nil removes it.
  public subscript(key: String) -> AMQPValue? {
    get { self.entries.first { $0.key.text == key }?.value }
    set {
      let index = self.entries.firstIndex { $0.key.text == key }
      switch (index, newValue) {
      case (let index?, let value?): self.entries[index].value = value
      case (let index?, nil): self.entries.remove(at: index)
      case (nil, let value?): self.entries.append(Entry(key: .string(key), value: value))
      case (nil, nil): break
      }
    }
  }
}
