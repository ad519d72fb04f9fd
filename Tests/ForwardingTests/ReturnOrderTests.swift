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
    var settings = ForwardMachine.Settings()
    settings.window = 2
    var machine = ForwardMachine(settings)
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
    #expect(self.sent(later) == [4, 5])
    #expect(later.contains { if case .tell(let notice?) = $0 { notice.code == .notReturned } else { false } })
    #expect(machine.counts.notReturned == 3)
  }

  /// A machine whose link was lost with 1 to 3 on hand.
  private func lost(window: Int, _ kind: ForwardMachine.Failure.Kind) -> ForwardMachine {
    var settings = ForwardMachine.Settings()
    settings.window = window
    var machine = ForwardMachine(settings)
    func feed(_ event: ForwardMachine.Event, at now: Int64) { _ = machine.handle(event, now: now, milliseconds: 1) }
    feed(.started, at: 1)
    feed(.targetAttached(epoch: 1, maximumSize: nil), at: 2)
    feed(.sourceAttached(epoch: 1, unnoticedLimit: 390_000_000_000), at: 3)
    feed(.arrived(epoch: 1, self.arrivals(1...3, from: 1)), at: 4)
    feed(.sourceFailed(epoch: 1, .init(kind, ForwardingError(.sourceUnavailable, tried: "forward", seen: "lost"))), at: 5)
    return machine
  }

  @Test("a connection that just broke: the bus may hold the messages until it misses us, so that much longer is waited")
  func unnoticed() {
    for (kind, isLong) in [(ForwardMachine.Failure.Kind.link, false), (.connection, true)] {
      var machine = self.lost(window: 2, kind)
      func feed(_ event: ForwardMachine.Event, at now: Int64) -> [ForwardMachine.Action] {
        machine.handle(event, now: now, milliseconds: 1)
      }
      // The bus cannot be reached for an hour: that is none of the time it has.
      let hour: Int64 = 3_600_000_000_000
      _ = feed(.sourceAttached(epoch: 2, unnoticedLimit: 390_000_000_000), at: hour)
      let minute = feed(.arrived(epoch: 2, self.arrivals(4...4, from: 4)), at: hour + 61_000_000_000)
      #expect(minute.contains(.leaveSource(epoch: 2)) == isLong)
      #expect(minute.contains(.awaitNothing) == !isLong)
      #expect(minute.contains { if case .tell(let notice?) = $0 { notice.code == .notReturned } else { false } })
      guard isLong else { continue }
      _ = feed(.timePassed, at: hour + 64_000_000_000)
      _ = feed(.sourceAttached(epoch: 3, unnoticedLimit: 390_000_000_000), at: hour + 65_000_000_000)
      #expect(feed(.timePassed, at: hour + 389_000_000_000).contains(.awaitNothing) == false)
      #expect(feed(.timePassed, at: hour + 390_000_000_000).contains(.awaitNothing), "counted from the first link after it")
    }
  }

  @Test("one at a time: what does not come again stops the queue with words, and the next run goes on without it")
  func strict() {
    var machine = self.lost(window: 1, .link)
    _ = machine.handle(.sourceAttached(epoch: 2), now: 6, milliseconds: 1)
    let end = machine.handle(.arrived(epoch: 2, self.arrivals(4...4, from: 4)), now: 60_000_000_006, milliseconds: 1)
    #expect(self.sent(end).isEmpty)
    #expect(end.contains(.awaitNothing))
    #expect(end.contains(.giveBack(epoch: 2, [4])))
    #expect(end.contains { if case .finish(.failed(let error)) = $0 { error.code == .notReturned } else { false } })
  }

  @Test("a crash right after the loss of a link: the next process knows what was on hand, also what it was not about to send")
  func persisted() {
    var memory = JournalMemory(retained: 100)
    memory.apply(.queue(1, "a/q > b/q"))
    func journal(_ actions: [ForwardMachine.Action]) {
      for action in actions {
        switch action {
        case .journal(_, let records), .note(let records): for record in records { memory.apply(record) }
        case .interrupt(let serials): for serial in serials { memory.interrupt(serial) }
        default: break
        }
      }
    }
    var machine = ForwardMachine(ForwardMachine.Settings())
    func feed(_ event: ForwardMachine.Event, at now: Int64) { journal(machine.handle(event, now: now, milliseconds: 1)) }
    feed(.started, at: 1)
    feed(.targetAttached(epoch: 1, maximumSize: nil), at: 2)
    feed(.sourceAttached(epoch: 1), at: 3)
    feed(.arrived(epoch: 1, self.arrivals(1...3, from: 1)), at: 4)
    let all = (1...3).map { Fingerprint(high: UInt64($0), low: 7) }
    func next(_ memory: JournalMemory) -> [[Fingerprint]] {
      var memory = memory
      memory.interruptAll()
      return memory.awaited(in: 1)
    }
    #expect(next(memory) == [all], "a crash with all of it on hand")
    feed(.journaled(batch: 1, nil), at: 5)
    feed(.ended(epoch: 1, [(1, .accepted)]), at: 6)
    #expect(next(memory) == [Array(all[1...])])
    feed(
      .sourceFailed(epoch: 1, .init(.connection, ForwardingError(.sourceUnavailable, tried: "forward", seen: "lost"))), at: 7)
    #expect(next(memory) == [Array(all[1...])], "and right after the link was lost")
    #expect(memory.isNoticed(in: 1) == false)
    // Written anew, and read again.
    var second = JournalMemory(retained: 100)
    for record in memory.snapshot() { second.apply(record) }
    #expect(next(second) == [Array(all[1...])])
    feed(.sourceAttached(epoch: 2, unnoticedLimit: 390_000_000_000), at: 8)
    feed(.arrived(epoch: 2, self.arrivals(2...3, from: 4)), at: 9)
    #expect(next(memory) == [Array(all[1...])])
    feed(.stopAsked(deadline: 11), at: 10)
    #expect(machine.hasEnded)
    #expect(next(memory).isEmpty, "given back in order")
  }

  @Test("after a crash the bus is given a moment before anything is taken, and what was interrupted comes first")
  func afterCrash() {
    var settings = ForwardMachine.Settings()
    settings.holdOff = ForwardMachine.firstPause
    settings.awaited = [[Fingerprint(high: 1, low: 7)]]
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
