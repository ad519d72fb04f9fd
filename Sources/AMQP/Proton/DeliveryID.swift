// SPDX-License-Identifier: Apache-2.0

/// A delivery of one engine. Never reused: a delivery of an earlier link cannot be settled by mistake.
package struct DeliveryID: Hashable, Sendable {
  let number: Int
  /// Its place in a ``DeliveryTable`` while it is open; a later delivery has it when it is not. Below zero: it never was.
  let place: Int32

  package static func == (one: DeliveryID, other: DeliveryID) -> Bool { one.number == other.number }

  package func hash(into hasher: inout Hasher) { hasher.combine(self.number) }
}

/// What belongs to the open deliveries of an engine, found by their places: each message costs several look-ups, and none of them hashes.
struct DeliveryTable<Value> {
  private var entries: ContiguousArray<(number: Int, value: Value?)> = []
  /// Those whose place a later delivery has: the engine had done with them before whoever counts them here had.
  private var displaced: [Int: Value] = [:]
  private(set) var count = 0

  var isEmpty: Bool { self.count == 0 }

  subscript(id: DeliveryID) -> Value? {
    let place = Int(id.place)
    guard place >= 0, place < self.entries.count else { return nil }
    guard self.entries[place].number != id.number else { return self.entries[place].value }
    return self.displaced.isEmpty ? nil : self.displaced[id.number]
  }

  func contains(_ id: DeliveryID) -> Bool { self[id] != nil }

  mutating func insert(_ value: Value, for id: DeliveryID) {
    let place = Int(id.place)
    guard place >= 0 else { return }
    while self.entries.count <= place { self.entries.append((0, nil)) }
    let (number, before) = self.entries[place]
    if let before, number != id.number { self.displaced[number] = before }
    if before == nil || number != id.number { self.count += 1 }
    self.entries[place] = (id.number, value)
  }

  @discardableResult
  mutating func remove(_ id: DeliveryID) -> Value? {
    let place = Int(id.place)
    guard place >= 0, place < self.entries.count else { return nil }
    let removed: Value?
    if self.entries[place].number == id.number {
      removed = self.entries[place].value
      self.entries[place].value = nil
    } else {
      removed = self.displaced.isEmpty ? nil : self.displaced.removeValue(forKey: id.number)
    }
    if removed != nil { self.count -= 1 }
    return removed
  }

  mutating func removeAll() { self = DeliveryTable() }

  /// In no order.
  var values: [Value] { self.entries.compactMap(\.value) + self.displaced.values }
}

/// The open deliveries of an engine: who gives and takes their places.
struct OpenDeliveries {
  private var entries: ContiguousArray<(number: Int, pointer: OpaquePointer?)> = []
  private var free: ContiguousArray<Int32> = []

  /// - Returns: what it is called from now on.
  mutating func open(_ pointer: OpaquePointer, number: Int) -> DeliveryID {
    if let place = self.free.popLast() {
      self.entries[Int(place)] = (number, pointer)
      return DeliveryID(number: number, place: place)
    }
    self.entries.append((number, pointer))
    return DeliveryID(number: number, place: Int32(self.entries.count - 1))
  }

  subscript(id: DeliveryID) -> OpaquePointer? {
    let place = Int(id.place)
    guard place >= 0, place < self.entries.count, self.entries[place].number == id.number else { return nil }
    return self.entries[place].pointer
  }

  /// The delivery at a place; nil when `pointer` is not it.
  func id(at place: Int, of pointer: OpaquePointer) -> DeliveryID? {
    guard place >= 0, place < self.entries.count, self.entries[place].pointer == pointer else { return nil }
    return DeliveryID(number: self.entries[place].number, place: Int32(place))
  }

  mutating func close(_ id: DeliveryID) -> OpaquePointer? {
    guard let pointer = self[id] else { return nil }
    self.entries[Int(id.place)].pointer = nil
    self.free.append(id.place)
    return pointer
  }

  mutating func closeAll(where isMeant: (OpaquePointer) -> Bool) {
    for place in self.entries.indices {
      guard let pointer = self.entries[place].pointer, isMeant(pointer) else { continue }
      self.entries[place].pointer = nil
      self.free.append(Int32(place))
    }
  }
}
