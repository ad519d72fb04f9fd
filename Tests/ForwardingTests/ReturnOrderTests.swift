// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Forwarding

@Suite("What was on hand when a link was lost comes first")
struct ReturnOrderTests {
  private func message(_ number: UInt64) -> Fingerprint { Fingerprint(high: number, low: 1) }
  private func messages(_ numbers: ClosedRange<UInt64>) -> [Fingerprint] { numbers.map { self.message($0) } }

  private func took(_ order: inout ReturnOrder, _ fingerprint: Fingerprint) -> Bool { order.takes(fingerprint) }

  @Test("nothing was lost: everything may go")
  func nothing() {
    var order = ReturnOrder()
    #expect(self.took(&order, self.message(1)))
  }

  @Test("a later message before any that was on hand may not go; after all of them it may")
  func later() {
    var order = ReturnOrder()
    order.lost(self.messages(1...3))
    let early = order.takes(self.message(4))
    #expect(!early)
    for number in 1...3 { #expect(self.took(&order, self.message(UInt64(number)))) }
    #expect(order.isEmpty)
    #expect(self.took(&order, self.message(4)))
  }

  @Test("what one link held comes back together: what is missing among it is gone, and is not waited for")
  func gone() {
    var order = ReturnOrder()
    order.lost(self.messages(1...5))
    #expect(self.took(&order, self.message(3)))
    #expect(self.took(&order, self.message(9)))
    #expect(order.isEmpty)
  }

  @Test("what a later link held may not go before what an earlier one held")
  func generations() {
    var order = ReturnOrder()
    order.lost(self.messages(1...3))
    // A second link got 4 and 5 before the bus had noticed the first one's end, and was left.
    order.lost([], ahead: self.messages(4...5))
    let early = order.takes(self.message(4))
    #expect(!early)
    #expect(self.took(&order, self.message(1)))
    #expect(self.took(&order, self.message(2)))
    #expect(self.took(&order, self.message(3)))
    #expect(self.took(&order, self.message(4)))
    let beforeAll = order.takes(self.message(6))
    #expect(beforeAll, "5 is of the generation of 4, which has come: it is gone")
  }

  @Test("a link is lost while some have come again: those, then the rest of them, then what is new")
  func again() {
    var order = ReturnOrder()
    order.lost(self.messages(1...4))
    #expect(self.took(&order, self.message(1)))
    #expect(self.took(&order, self.message(2)))
    order.lost(self.messages(1...2))
    let rest = order.takes(self.message(5))
    #expect(!rest)
    for number in 1...4 { #expect(self.took(&order, self.message(UInt64(number)))) }
    #expect(order.isEmpty)
  }

  @Test("what the target has after all is not waited for")
  func accepted() {
    var order = ReturnOrder()
    order.lost(self.messages(1...2))
    order.drop(self.message(1))
    order.drop(self.message(2))
    #expect(self.took(&order, self.message(3)))
    #expect(order.isEmpty)
  }
}

@Suite("The machine waits for what a dead link holds")
struct LateReturnTests {
  private func arrivals(_ ids: ClosedRange<UInt64>, from number: UInt64) -> [ForwardMachine.Arrival] {
    ids.enumerated().map { place, id in
      ForwardMachine.Arrival(
        number: number + UInt64(place), fingerprint: Fingerprint(high: id, low: 7), serial: number + UInt64(place))
    }
  }

  private func sent(_ actions: [ForwardMachine.Action]) -> [UInt64] {
    actions.flatMap { action -> [UInt64] in
      guard case .journal(_, let records) = action else { return [] }
      return records.compactMap { if case .sending(_, _, let fingerprint, _) = $0 { fingerprint.high } else { nil } }
    }
  }

  @Test("a new link that gets later messages is left; once the earlier ones come, all go in their order")
  func leaves() {
    var settings = ForwardMachine.Settings()
    settings.window = 10
    var machine = ForwardMachine(settings)
    func feed(_ event: ForwardMachine.Event, at now: Int64) -> [ForwardMachine.Action] {
      machine.handle(event, now: now, milliseconds: 1)
    }
    _ = feed(.started, at: 1)
    _ = feed(.targetAttached(epoch: 1, maximumSize: nil), at: 2)
    _ = feed(.sourceAttached(epoch: 1), at: 3)
    #expect(self.sent(feed(.arrived(epoch: 1, self.arrivals(1...3, from: 1)), at: 4)) == [1, 2, 3])
    let lost = ForwardMachine.Failure(.link, ForwardingError(.sourceUnavailable, tried: "forward", seen: "lost"))
    #expect(feed(.sourceFailed(epoch: 1, lost), at: 5).contains(.attachSource(epoch: 2)))
    _ = feed(.sourceAttached(epoch: 2), at: 6)
    let early = feed(.arrived(epoch: 2, self.arrivals(4...5, from: 4)), at: 7)
    #expect(early.contains(.leaveSource(epoch: 2)))
    #expect(self.sent(early).isEmpty)
    #expect(feed(.timePassed, at: 2_000_000_007).contains(.attachSource(epoch: 3)))
    _ = feed(.sourceAttached(epoch: 3), at: 2_000_000_008)
    #expect(self.sent(feed(.arrived(epoch: 3, self.arrivals(1...5, from: 6)), at: 2_000_000_009)) == [1, 2, 3, 4, 5])
    #expect(machine.counts.notReturned == 0)
  }

  @Test("what has not come after a minute is somebody else's: the queue goes on, and says how many")
  func goesOn() {
    var machine = ForwardMachine(ForwardMachine.Settings())
    func feed(_ event: ForwardMachine.Event, at now: Int64) -> [ForwardMachine.Action] {
      machine.handle(event, now: now, milliseconds: 1)
    }
    _ = feed(.started, at: 1)
    _ = feed(.targetAttached(epoch: 1, maximumSize: nil), at: 2)
    _ = feed(.sourceAttached(epoch: 1), at: 3)
    _ = feed(.arrived(epoch: 1, self.arrivals(1...3, from: 1)), at: 4)
    let lost = ForwardMachine.Failure(.link, ForwardingError(.sourceUnavailable, tried: "forward", seen: "lost"))
    _ = feed(.sourceFailed(epoch: 1, lost), at: 5)
    _ = feed(.sourceAttached(epoch: 2), at: 6)
    let later = feed(.arrived(epoch: 2, self.arrivals(4...5, from: 4)), at: 60_000_000_006)
    #expect(later.contains(.awaitNothing))
    #expect(self.sent(later) == [4])
    #expect(machine.counts.notReturned == 3)
  }

  @Test("after a crash the bus is given a moment before anything is taken, and what was interrupted comes first")
  func afterCrash() {
    var settings = ForwardMachine.Settings()
    settings.isAfterCrash = true
    settings.awaited = [Fingerprint(high: 1, low: 7)]
    var machine = ForwardMachine(settings)
    _ = machine.handle(.started, now: 1, milliseconds: 1)
    let attached = machine.handle(.targetAttached(epoch: 1, maximumSize: nil), now: 2, milliseconds: 1)
    #expect(!attached.contains(.attachSource(epoch: 1)))
    let later = machine.handle(.timePassed, now: 2_000_000_001, milliseconds: 1)
    #expect(later.contains(.attachSource(epoch: 1)))
    _ = machine.handle(.sourceAttached(epoch: 1), now: 2_000_000_002, milliseconds: 1)
    let early = machine.handle(.arrived(epoch: 1, self.arrivals(2...2, from: 1)), now: 2_000_000_003, milliseconds: 1)
    #expect(early.contains(.leaveSource(epoch: 1)))
  }
}
