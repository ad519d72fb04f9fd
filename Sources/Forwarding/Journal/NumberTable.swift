// SPDX-License-Identifier: Apache-2.0

/// Values by numbers that are given out one after the other: they are as good a hash as any, and a journal looks up several for each
/// message.
struct NumberTable<Number: FixedWidthInteger & Sendable, Value: Sendable>: Sendable {
  private struct Key: Hashable {
    let number: Number
    func _rawHashValue(seed: Int) -> Int { Int(truncatingIfNeeded: self.number) ^ seed }
    func hash(into hasher: inout Hasher) { hasher.combine(self.number) }
  }

  private var table: [Key: Value] = [:]

  init() {}

  var keys: [Number] { self.table.keys.map(\.number) }

  /// In no order.
  var entries: [(key: Number, value: Value)] { self.table.map { ($0.key.number, $0.value) } }

  subscript(number: Number) -> Value? {
    get { self.table[Key(number: number)] }
    _modify { yield &self.table[Key(number: number)] }
  }

  subscript(number: Number, default value: @autoclosure () -> Value) -> Value {
    get { self.table[Key(number: number), default: value()] }
    _modify { yield &self.table[Key(number: number), default: value()] }
  }

  @discardableResult
  mutating func removeValue(forKey number: Number) -> Value? { self.table.removeValue(forKey: Key(number: number)) }
}
