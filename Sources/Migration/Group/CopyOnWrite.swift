// SPDX-License-Identifier: Apache-2.0

/// A value behind one reference: handing it on costs as much as a number does, and it is copied when it changes while somebody else
/// holds it as well. Equal when the values are.
struct CopyOnWrite<Value: Sendable & Hashable>: Sendable, Hashable {
  /// Sendable though it changes: it is changed in ``CopyOnWrite/value`` only, after that has seen that nobody else holds it.
  private final class Box: @unchecked Sendable {
    // Whoever changes it does so through the struct, whose own exclusivity is the compiler's to check.
    @exclusivity(unchecked) var value: Value

    init(_ value: Value) { self.value = value }
  }

  private var box: Box

  init(_ value: Value) { self.box = Box(value) }

  var value: Value {
    _read { yield self.box.value }
    _modify {
      if !isKnownUniquelyReferenced(&self.box) { self.box = Box(self.box.value) }
      yield &self.box.value
    }
  }

  static func == (one: Self, other: Self) -> Bool { one.box === other.box || one.box.value == other.box.value }

  func hash(into hasher: inout Hasher) { hasher.combine(self.box.value) }
}

/// A value behind one reference that never changes.
struct Unchanging<Value: Sendable & Hashable>: Sendable, Hashable {
  private final class Box: Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
  }

  private let box: Box

  init(_ value: Value) { self.box = Box(value) }

  var value: Value { _read { yield self.box.value } }

  static func == (one: Self, other: Self) -> Bool { one.box === other.box || one.box.value == other.box.value }

  func hash(into hasher: inout Hasher) { hasher.combine(self.box.value) }
}

// Both are written as the value itself.

extension CopyOnWrite: Codable where Value: Codable {
  init(from decoder: any Decoder) throws { self.init(try Value(from: decoder)) }
  func encode(to encoder: any Encoder) throws { try self.value.encode(to: encoder) }
}

extension Unchanging: Codable where Value: Codable {
  init(from decoder: any Decoder) throws { self.init(try Value(from: decoder)) }
  func encode(to encoder: any Encoder) throws { try self.value.encode(to: encoder) }
}
