// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Forwarding

@Suite("What was on hand when a link was lost comes first")
struct ReturnOrderTests {
  private func message(_ number: Int) -> Fingerprint { Fingerprint(high: UInt64(number), low: 1) }
  private func messages(_ numbers: ClosedRange<Int>) -> [Fingerprint] { numbers.map { self.message($0) } }

  private func again(_ number: Int) -> ForwardMachine.Arrival {
    var arrival = self.fresh(number)
    arrival.isRedelivered = true
    return arrival
  }

  private func fresh(_ number: Int) -> ForwardMachine.Arrival {
    ForwardMachine.Arrival(number: UInt64(number), fingerprint: self.message(number), serial: UInt64(number))
  }

  private func released(_ order: inout ReturnOrder) -> [Int] { order.release().map { Int($0.number) } }

  /// Those that may go at once.
  private func going(_ order: inout ReturnOrder, _ arrivals: [ForwardMachine.Arrival]) -> [Int] {
    arrivals.filter { order.turn(of: $0) == .now }.map { Int($0.number) }
  }

  @Test("nothing was lost: everything may go")
  func nothing() {
    var order = ReturnOrder()
    #expect(order.turn(of: self.fresh(1)) == .now)
  }

  @Test("a later message before any that was on hand is held, and goes after all of them")
  func later() {
    var order = ReturnOrder()
    order.lost(self.messages(1...3), link: 1, isNoticed: true)
    #expect(order.turn(of: self.fresh(4)) == .early(behind: self.message(3)))
    #expect(self.going(&order, [1, 2, 3].map(self.again)) == [1, 2, 3])
    #expect(order.hasAllCome)
    #expect(self.released(&order) == [4])
    #expect(order.isEmpty)
  }

  @Test("one link's messages come together: what is missing among them is gone, and is not waited for")
  func gone() {
    var order = ReturnOrder()
    order.lost(self.messages(1...5), link: 1, isNoticed: true)
    #expect(self.going(&order, [3, 5].map(self.again)) == [3, 5])
    #expect(order.isEmpty)
    #expect(order.turn(of: self.fresh(9)) == .now)
  }

  @Test("a quorum queue gives back first what came back first: the later link's is held until the earlier link's has come")
  func rotated() {
    var order = ReturnOrder()
    order.lost(self.messages(1...3), link: 1, isNoticed: false)
    // A second link got 4 and 5 before the bus had noticed the first one's end.
    #expect(self.going(&order, [4, 5].map(self.fresh)) == [])
    order.lost([], link: 2, isNoticed: true)
    #expect(self.going(&order, [4, 5, 1, 2, 3].map(self.again)) == [1, 2, 3])
    #expect(order.hasAllCome)
    #expect(self.released(&order) == [4, 5])
  }

  @Test("what a dead link had been given and nobody had read comes behind what was read, and goes before what was held")
  func tail() {
    var order = ReturnOrder()
    order.lost(self.messages(1...2), link: 1, isNoticed: false)
    #expect(order.turn(of: self.fresh(9)) == .early(behind: self.message(2)))
    #expect(self.going(&order, (1...5).map(self.again)) == [1, 2, 3, 4, 5])
    #expect(order.hasAllCome)
    #expect(order.latest == .went, "more of it may follow")
    #expect(order.turn(of: self.fresh(10)) == .early(behind: self.message(9)))
    #expect(order.latest == .fresh)
    #expect(self.released(&order) == [9, 10])
  }

  @Test("a link is lost with half of what came again: the other half comes first then, and is held")
  func halves() {
    var order = ReturnOrder()
    order.lost(self.messages(1...6), link: 1, isNoticed: true)
    #expect(self.going(&order, (1...3).map(self.again)) == [1, 2, 3])
    // Of the rest it had been given 4, which nobody read.
    order.lost(self.messages(1...3), link: 2, isNoticed: true)
    #expect(self.going(&order, [5, 6, 7].map(self.again)) == [], "7 was never read, and comes behind 6")
    #expect(self.going(&order, [1, 2, 3, 4].map(self.again)) == [1, 2, 3, 4])
    #expect(order.hasAllCome)
    #expect(self.released(&order) == [5, 6, 7])
  }

  @Test("what was read of a dead link may be gone while its tail is not: the tail's rest goes behind what the last link held")
  func splitTail() {
    var order = ReturnOrder()
    order.lost(self.messages(1...2), link: 1, isNoticed: true)
    #expect(self.going(&order, (1...4).map(self.again)) == [1, 2, 3, 4])
    order.lost(self.messages(1...4), link: 2, isNoticed: true)
    #expect(order.turn(of: self.again(5)) == .early(behind: self.message(4)))
    #expect(order.turn(of: self.again(6)) == .early(behind: self.message(5)))
    #expect(self.going(&order, (1...4).map(self.again)) == [1, 2, 3, 4])
    #expect(self.released(&order) == [5, 6])
  }

  @Test("nothing was on hand, and the bus may not know that the link is dead: it may hold what nobody has read")
  func blind() {
    var order = ReturnOrder()
    order.lost([], link: 1, isNoticed: false)
    #expect(!order.isEmpty)
    #expect(order.turn(of: self.fresh(3)) == .early(behind: nil))
    #expect(self.going(&order, [1, 2].map(self.again)) == [], "they may have been on another link")
    #expect(!order.hasAllCome)
    #expect(order.giveUp() == 0)
    #expect(order.hasAllCome)
    #expect(self.released(&order) == [1, 2, 3])
    order.lost([], link: 2, isNoticed: true)
    #expect(order.isEmpty, "what the bus itself has ended holds nothing")
  }

  @Test(
    "all that was on hand had been settled, in vain: that it comes again says that the link's end is known, and what nobody read follows"
  )
  func settledInVain() {
    var order = ReturnOrder()
    order.lost([], link: 1, isNoticed: false)
    var settled = self.again(1)
    settled.standing = .accepted
    order.passed(settled)
    #expect(order.isEmpty)
    #expect(self.going(&order, [2, 3].map(self.again)) == [2, 3])
    // Of two links one may still hold something.
    order.lost([], link: 2, isNoticed: false)
    order.lost([], link: 3, isNoticed: false)
    order.passed(settled)
    #expect(order.turn(of: self.fresh(9)) == .early(behind: nil))
  }

  @Test("after some have gone on that were held, what the link held does not come again in the order in which it was sent")
  func reordered() {
    var order = ReturnOrder()
    order.lost(self.messages(1...2), link: 1, isNoticed: true)
    _ = order.turn(of: self.again(5))
    #expect(self.going(&order, [1, 2].map(self.again)) == [1, 2])
    #expect(self.released(&order) == [5])
    order.lost([1, 2, 5].map(self.message), link: 2, isNoticed: true)
    #expect(self.going(&order, [5, 1, 2].map(self.again)) == [1, 2], "5 says nothing of 1 and 2")
    #expect(self.released(&order) == [5])
  }

  @Test("what the target has after all is not waited for")
  func accepted() {
    var order = ReturnOrder()
    order.lost(self.messages(1...2), link: 1, isNoticed: true)
    order.drop(self.message(1))
    order.passed(self.again(2))
    #expect(order.turn(of: self.fresh(3)) == .now)
    #expect(order.isEmpty)
  }

  @Test("when the time is up what has not come is counted, and what was held goes")
  func timeIsUp() {
    var order = ReturnOrder()
    order.lost(self.messages(1...3), link: 1, isNoticed: false)
    #expect(self.going(&order, [self.fresh(4)]) == [])
    #expect(order.giveUp() == 3)
    #expect(order.hasAllCome)
    #expect(self.released(&order) == [4])
  }

  @Test("of two that are alike one is waited for, and the other goes where it comes")
  func twins() {
    var order = ReturnOrder()
    order.lost([1, 2, 1, 3].map(self.message), link: 1, isNoticed: true)
    #expect(self.going(&order, [1, 2, 1, 3].map(self.again)) == [1, 2, 1, 3])
    #expect(order.isEmpty)
  }

  // MARK: Numbered

  private func numbered(_ number: Int) -> ForwardMachine.Arrival {
    var arrival = self.again(number)
    arrival.sequenceNumber = Int64(number)
    return arrival
  }

  @Test("what was behind came first, and the rest of it after what was owed: it goes behind what is held with a smaller number")
  func behindHeld() {
    var order = ReturnOrder()
    order.lost(self.messages(1...1), link: 1, isNoticed: false)
    #expect(self.going(&order, [2, 3].map { self.numbered($0) }) == [])
    #expect(self.going(&order, [1, 4, 5].map { self.numbered($0) }) == [1], "4 would overtake 2 and 3")
    #expect(self.released(&order) == [2, 3, 4, 5])
  }

  @Test("what the dead link held unread has smaller numbers than what was held: it goes before that")
  func unreadTail() {
    var order = ReturnOrder()
    order.lost(self.messages(1...1), link: 1, isNoticed: false)
    #expect(self.going(&order, [4, 5].map { self.numbered($0) }) == [])
    #expect(self.going(&order, [1, 2, 3].map { self.numbered($0) }) == [1, 2, 3])
    #expect(self.released(&order) == [4, 5])
  }

  @Test("the order that an earlier process wrote down was a guess: the numbers put it right")
  func wrongLine() {
    var order = ReturnOrder()
    var awaited = Awaited()
    awaited.held = self.messages(20...22)
    awaited.isWhole = false
    awaited.behind = self.messages(15...16)
    order.await(awaited)
    #expect(self.going(&order, [15, 16, 20, 21, 22].map { self.numbered($0) }) == [])
    #expect(order.hasAllCome)
    #expect(self.released(&order) == [15, 16, 20, 21, 22])
  }

  @Test("the numbers are known of what was held and given back, too")
  func givenBack() {
    var order = ReturnOrder()
    order.lost(self.messages(1...1), link: 1, isNoticed: false)
    #expect(self.going(&order, [2, 3].map { self.numbered($0) }) == [])
    _ = order.letGo()
    order.lost([], link: 2, isNoticed: true)
    #expect(self.going(&order, [1, 4].map { self.numbered($0) }) == [1], "2 and 3 have not come again")
    #expect(self.going(&order, [2, 3].map { self.numbered($0) }) == [2, 3])
    #expect(self.released(&order) == [4])
  }

  @Test("a partitioned queue has a counter for each partition: numbers of two of them say nothing")
  func partitions() {
    var order = ReturnOrder()
    order.lost(self.messages(1...2), link: 1, isNoticed: true)
    var (first, second) = (self.again(1), self.again(2))
    (first.sequenceNumber, second.sequenceNumber) = (5 << 48 + 1, 2 << 48 + 1)
    #expect(order.turn(of: second) == .early(behind: self.message(1)) || order.hasAllCome)
    #expect(order.turn(of: first) == .now)
  }

  // MARK: An earlier link that the bus may not have missed

  @Test("what a later link held comes again before the bus has missed an earlier one: it waits for what that may hold unread")
  func laterLinkFirst() {
    var order = ReturnOrder()
    order.lost([], link: 1, isNoticed: false)
    #expect(self.going(&order, [self.fresh(9)]) == [])
    order.lost([], link: 2, isNoticed: true)
    #expect(self.going(&order, [self.numbered(9)]) == [], "1 to 8 lie unread on the first link")
    #expect(self.going(&order, (1...8).map(self.numbered)) == [])
    order.noticed()
    #expect(self.released(&order) == Array(1...9))
  }

  @Test("what a process gave back that held it for order's sake says nothing of the link that it doubted")
  func doubtOutlivesOrderlyEnd() {
    var order = ReturnOrder()
    var awaited = Awaited()
    awaited.behind = self.messages(1...2)
    awaited.isNoticed = false
    order.await(awaited, isNumbered: true)
    #expect(order.waitsForTime)
    #expect(self.going(&order, [1, 2].map(self.numbered)) == [])
    #expect(!order.isNoticed)
    order.noticed()
    #expect(self.released(&order) == [1, 2])
  }
}
