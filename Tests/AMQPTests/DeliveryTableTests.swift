// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

@Suite struct DeliveryTableTests {
  private func pointer(_ number: Int) throws -> OpaquePointer { try #require(OpaquePointer(bitPattern: number)) }

  @Test func theNextDeliveryHasThePlaceOfOneThatIsClosedAndIsAnother() throws {
    var open = OpenDeliveries()
    let (one, other) = (try self.pointer(8), try self.pointer(16))
    let first = open.open(one, number: 1)
    let second = open.open(other, number: 2)
    #expect(open[first] == one)
    #expect(open.close(first) == one)
    #expect(open.close(first) == nil)
    let third = open.open(one, number: 3)
    #expect(third.place == first.place)
    #expect(open[first] == nil)
    #expect(open.id(at: Int(third.place), of: one) == third)
    #expect(open.id(at: Int(third.place), of: other) == nil)
    open.closeAll { $0 == one }
    #expect(open[third] == nil)
    #expect(open[second] == other)
  }

  @Test func oneThatIsCountedLongerThanItsPlaceIsKeptIsStillFound() throws {
    var open = OpenDeliveries()
    var table = DeliveryTable<String>()
    let pointer = try self.pointer(8)
    let first = open.open(pointer, number: 1)
    table.insert("first", for: first)
    _ = open.close(first)
    let second = open.open(pointer, number: 2)
    table.insert("second", for: second)
    #expect(table.count == 2)
    #expect(table[first] == "first")
    #expect(table[second] == "second")
    #expect(table.values.sorted() == ["first", "second"])
    #expect(table.remove(first) == "first")
    #expect(table.remove(first) == nil)
    #expect(table.remove(second) == "second")
    #expect(table.isEmpty)
  }

  @Test func whatWasSettledWhenItCameIsNotCounted() {
    var table = DeliveryTable<String>()
    let settled = DeliveryID(number: 7, place: -1)
    table.insert("settled", for: settled)
    #expect(table[settled] == nil)
    #expect(table.remove(settled) == nil)
    #expect(table.isEmpty)
  }
}
