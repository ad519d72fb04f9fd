// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Forwarding

/// A machine with both links, and the journal beside it.
private struct Carrying {
  var machine: ForwardMachine
  var memory = JournalMemory(retained: 100)
  /// The next arrival's.
  var number: UInt64 = 1
  var link = 1

  static let second: Int64 = 1_000_000_000

  init(window: Int = 10, awaited: Awaited = Awaited(), holdOff: Int64 = 0, linksLag: Int64? = nil) {
    var settings = ForwardMachine.Settings()
    settings.linksLag = linksLag
    settings.window = window
    settings.awaited = awaited
    settings.holdOff = holdOff
    self.machine = ForwardMachine(settings)
    self.memory.apply(.queue(1, "a/q > b/q"))
    self.feed(.started, at: 1)
    self.feed(.targetAttached(epoch: 1, maximumSize: nil), at: 2)
  }

  @discardableResult
  mutating func feed(_ event: ForwardMachine.Event, at now: Int64) -> [ForwardMachine.Action] {
    var actions = self.machine.handle(event, now: now, milliseconds: 1)
    for action in actions {
      switch action {
      case .journal(_, let records), .note(let records): for record in records { self.memory.apply(record) }
      case .interrupt(let serials): for serial in serials { self.memory.interrupt(serial) }
      case .goOn(let serials): for serial in serials { self.memory.goOn(serial) }
      case .again(let epoch, let held):
        let arrivals = self.numbered(held)
        actions += self.feed(.arrivedAgain(epoch: epoch, arrivals), at: now)
      default: break
      }
    }
    return actions
  }

  private mutating func numbered(_ held: [ForwardMachine.Arrival]) -> [ForwardMachine.Arrival] {
    var arrivals = held
    for index in arrivals.indices {
      arrivals[index].number = self.number
      arrivals[index].serial = self.number
      self.number += 1
    }
    return arrivals
  }

  mutating func attach(at now: Int64) {
    self.feed(.timePassed, at: now)
    self.feed(
      .sourceAttached(epoch: self.machine.sourceEpoch, unnoticedLimit: 390 * Self.second), at: now)
  }

  @discardableResult
  mutating func come(_ ids: [Int], again: Bool = false, at now: Int64) -> [ForwardMachine.Action] {
    let arrivals = ids.enumerated().map { place, id in
      let number = self.number + UInt64(place)
      var arrival = ForwardMachine.Arrival(number: number, fingerprint: Fingerprint(high: UInt64(id), low: 7), serial: number)
      arrival.isRedelivered = again
      arrival.standing = self.memory.standing(of: arrival.fingerprint, in: 1)
      return arrival
    }
    self.number += UInt64(ids.count)
    return self.feed(.arrived(epoch: self.machine.sourceEpoch, arrivals), at: now)
  }

  @discardableResult
  mutating func lose(_ kind: ForwardMachine.Failure.Kind, at now: Int64) -> [ForwardMachine.Action] {
    self.feed(
      .sourceFailed(
        epoch: self.machine.sourceEpoch, .init(kind, ForwardingError(.sourceUnavailable, tried: "forward", seen: "lost"))),
      at: now)
  }

  /// What a process would know after a crash.
  var awaitedAfterCrash: Awaited {
    var memory = self.memory
    memory.interruptAll()
    return memory.awaited(in: 1)
  }
}

extension [ForwardMachine.Action] {
  /// What is about to be sent, by its id.
  fileprivate var sent: [Int] {
    self.flatMap { action -> [Int] in
      guard case .journal(_, let records) = action else { return [] }
      return records.compactMap { if case .sending(_, _, let fingerprint, _) = $0 { Int(fingerprint.high) } else { nil } }
    }
  }

  fileprivate var tellsOfReturns: Bool {
    self.contains { if case .tell(let notice?) = $0 { notice.code == .notReturned } else { false } }
  }

  /// How many more the source may give.
  fileprivate var asked: Int? {
    self.compactMap { if case .take(_, let window, let kept) = $0 { window - kept } else { nil } }.last
  }
}

@Suite("The machine waits for what a dead link holds")
struct LateReturnTests {
  private let second = Carrying.second
  private func messages(_ ids: ClosedRange<Int>) -> [Fingerprint] { ids.map { Fingerprint(high: UInt64($0), low: 7) } }

  /// A machine whose link was lost with 1 to 3 on hand, one way or the other.
  private func lost(window: Int = 10, _ kind: ForwardMachine.Failure.Kind) -> Carrying {
    var carrying = Carrying(window: window)
    carrying.attach(at: 3)
    carrying.come([1, 2, 3], at: 4)
    carrying.lose(kind, at: 5)
    return carrying
  }

  @Test("a later message that a new link gets is held; once the earlier ones have come, all go in their order")
  func holds() {
    var carrying = self.lost(.connection)
    carrying.attach(at: 6)
    let early = carrying.come([4], at: 7)
    #expect(early.sent.isEmpty)
    #expect(early.tellsOfReturns)
    #expect(early.asked == 0, "what is owed comes before others like it")
    #expect(!early.contains { if case .leaveSource = $0 { true } else { false } })
    let look = carrying.feed(.timePassed, at: 2 * self.second + 7)
    #expect(look.asked == 1)
    #expect(carrying.come([5], at: 2 * self.second + 8).asked == 0)
    #expect(carrying.feed(.timePassed, at: 4 * self.second + 8).asked == nil, "four seconds now")
    #expect(carrying.feed(.timePassed, at: 6 * self.second + 8).asked == 1)
    #expect(carrying.come([1, 2, 3], again: true, at: 6 * self.second + 9).sent == [1, 2, 3])
    let late = carrying.come([9], again: true, at: 7 * self.second)
    #expect(late.sent == [9], "behind them comes what nobody had read")
    let free = carrying.come([6], at: 7 * self.second + 1)
    #expect(free.sent == [4, 5, 6], "\(free.sent)")
    #expect(free.contains(.tell(nil)))
    #expect(carrying.machine.counts.notReturned == 0)
    #expect(carrying.machine.counts.received == 10)
    #expect(carrying.awaitedAfterCrash.behind.isEmpty)
  }

  @Test("nothing more comes: then what was held goes after half a minute")
  func silence() {
    var carrying = self.lost(.connection)
    carrying.attach(at: 6)
    carrying.come([4], at: 7)
    carrying.come([1, 2, 3], again: true, at: 8)
    #expect(carrying.feed(.timePassed, at: 29 * self.second).sent.isEmpty)
    #expect(carrying.feed(.timePassed, at: 30 * self.second + 8).sent == [4])
  }

  @Test("a quorum queue gives back the second link's first: no turning round, and in order")
  func rotation() {
    var carrying = self.lost(.connection)
    carrying.attach(at: 6)
    carrying.come([4], at: 7)
    carrying.lose(.link, at: 8)
    carrying.attach(at: self.second)
    #expect(carrying.come([4], again: true, at: self.second + 1).sent.isEmpty)
    #expect(carrying.come([1, 2, 3], again: true, at: self.second + 2).sent == [1, 2, 3])
    #expect(carrying.come([5], at: self.second + 3).sent == [4, 5])
    #expect(carrying.machine.counts.notReturned == 0)
  }

  @Test("what has not come after a minute is somebody else's: the queue goes on, and says how many")
  func goesOn() {
    var carrying = self.lost(.link)
    carrying.attach(at: 6)
    carrying.come([4], at: 7)
    let later = carrying.feed(.timePassed, at: 60 * self.second + 6)
    #expect(later.contains(.awaitNothing))
    #expect(later.tellsOfReturns)
    #expect(later.sent == [4])
    #expect(carrying.machine.counts.notReturned == 3)
  }

  @Test("a connection that just broke: the bus may hold the messages until it misses us, so that much longer is waited")
  func unnoticed() {
    for (kind, isLong) in [(ForwardMachine.Failure.Kind.link, false), (.connection, true)] {
      var carrying = self.lost(kind)
      // The bus cannot be reached for an hour: that is none of the time it has.
      let hour = 3_600 * self.second
      carrying.attach(at: hour)
      carrying.come([4], at: hour + self.second)
      let minute = carrying.feed(.timePassed, at: hour + 61 * self.second)
      #expect(minute.contains(.awaitNothing) == !isLong)
      guard isLong else { continue }
      #expect(!carrying.feed(.timePassed, at: hour + 389 * self.second).contains(.awaitNothing))
      #expect(
        carrying.feed(.timePassed, at: hour + 390 * self.second).contains(.awaitNothing), "counted from the first link after it")
    }
  }

  @Test(
    "nothing was on hand when the connection broke: what comes as new is held all the same, for somebody may have been given what nobody read"
  )
  func blind() {
    var carrying = Carrying()
    carrying.attach(at: 3)
    carrying.lose(.connection, at: 4)
    carrying.attach(at: 5)
    let early = carrying.come([3], at: 6)
    #expect(early.sent.isEmpty)
    #expect(early.tellsOfReturns)
    #expect(carrying.come([1, 2], again: true, at: 7).sent.isEmpty)
    #expect(carrying.feed(.timePassed, at: 389 * self.second).sent.isEmpty)
    let free = carrying.feed(.timePassed, at: 390 * self.second + 5)
    #expect(free.sent == [1, 2, 3])
    #expect(free.contains(.tell(nil)))
    #expect(carrying.machine.counts.notReturned == 0)
  }

  @Test("one at a time: what does not come again stops the queue with words, and the next run goes on without it")
  func strict() {
    var carrying = self.lost(window: 1, .link)
    carrying.attach(at: 6)
    carrying.come([4], at: 7)
    let end = carrying.feed(.timePassed, at: 60 * self.second + 6)
    #expect(end.sent.isEmpty)
    #expect(end.contains(.awaitNothing))
    #expect(end.contains(.giveBack(epoch: 2, [4])))
    #expect(end.contains { if case .finish(.failed(let error)) = $0 { error.code == .notReturned } else { false } })
    #expect(carrying.awaitedAfterCrash.held + carrying.awaitedAfterCrash.behind == self.messages(4...4))
  }

  @Test("stopped with something held: the next run knows what goes before it")
  func stopped() {
    var carrying = self.lost(.connection)
    carrying.attach(at: 6)
    carrying.come([4], at: 7)
    let end = carrying.feed(.stopAsked(deadline: 20), at: 8)
    #expect(end.contains(.giveBack(epoch: 2, [4])))
    #expect(carrying.machine.hasEnded)
    let awaited = carrying.awaitedAfterCrash
    #expect(awaited.held + awaited.behind == self.messages(1...4))
    #expect(!awaited.isNoticed)
  }

  @Test("a crash right after the loss of a link: the next process knows what was on hand, also what it was not about to send")
  func persisted() {
    var carrying = Carrying(window: 1)
    carrying.attach(at: 3)
    carrying.come([1, 2, 3], at: 4)
    #expect(carrying.awaitedAfterCrash.held == self.messages(1...3), "a crash with all of it on hand")
    #expect(carrying.awaitedAfterCrash.isWhole)
    carrying.feed(.journaled(batch: 1, nil), at: 5)
    carrying.feed(.ended(epoch: 1, [(1, .accepted)]), at: 6)
    #expect(carrying.awaitedAfterCrash.held == self.messages(2...3))
    carrying.lose(.connection, at: 7)
    #expect(carrying.awaitedAfterCrash.behind == self.messages(2...3), "and right after the link was lost")
    #expect(!carrying.awaitedAfterCrash.isNoticed)
    // Written anew, and read again.
    var second = JournalMemory(retained: 100)
    for record in carrying.memory.snapshot() { second.apply(record) }
    second.interruptAll()
    #expect(second.awaited(in: 1) == carrying.awaitedAfterCrash)
    carrying.attach(at: 8)
    carrying.come([5], at: 9)
    #expect(carrying.awaitedAfterCrash.behind == [2, 3, 5].map { Fingerprint(high: $0, low: 7) }, "what is held too")
    #expect(!carrying.awaitedAfterCrash.isWhole)
    carrying.come([2, 3], again: true, at: 10)
    #expect(carrying.awaitedAfterCrash.held == self.messages(2...3))
    carrying.feed(.timePassed, at: 31 * self.second)
    #expect(carrying.awaitedAfterCrash.held == [2, 3, 5].map { Fingerprint(high: $0, low: 7) })
    #expect(!carrying.awaitedAfterCrash.isWhole, "5 came before them")
    carrying.feed(.stopAsked(deadline: 32 * self.second), at: 32 * self.second)
    #expect(carrying.machine.hasEnded)
    #expect(carrying.awaitedAfterCrash.behind == [2, 3, 5].map { Fingerprint(high: $0, low: 7) }, "it is given back as it came")
  }

  @Test("after a crash the bus is given a moment before anything is taken, and what was interrupted comes first")
  func afterCrash() {
    var awaited = Awaited()
    awaited.held = self.messages(1...1)
    var carrying = Carrying(awaited: awaited, holdOff: ForwardMachine.firstPause)
    #expect(carrying.machine.source == .retry(at: 2 * self.second + 1))
    #expect(carrying.feed(.timePassed, at: 2 * self.second + 1).contains(.attachSource(epoch: 1)))
    carrying.attach(at: 2 * self.second + 2)
    #expect(carrying.come([2], at: 2 * self.second + 3).sent.isEmpty)
    #expect(carrying.come([1], again: true, at: 2 * self.second + 4).sent == [1])
  }

  /// Of a process that died with nothing on hand, on a network of which the bus may not know that it is gone.
  private var unread: Awaited {
    var awaited = Awaited()
    awaited.isNoticed = false
    return awaited
  }

  @Test("what a link was given that died with its process, and nobody read, is not overtaken")
  func unreadOfCrash() {
    var carrying = Carrying(awaited: self.unread, holdOff: ForwardMachine.firstPause)
    carrying.attach(at: 2 * self.second + 2)
    let early = carrying.come([4], at: 3 * self.second)
    #expect(early.sent.isEmpty)
    #expect(early.tellsOfReturns)
    #expect(carrying.come([1, 2, 3], again: true, at: 300 * self.second).sent.isEmpty, "there may be more of it")
    #expect(carrying.come([5], at: 301 * self.second).sent.isEmpty)
    #expect(carrying.feed(.timePassed, at: 393 * self.second).sent == [1, 2, 3, 4, 5])
  }

  @Test("on a Service Bus what we gave back ourselves, and comes again, says nothing of the dead link's lock")
  func unreadOfCrashOnServiceBus() {
    var carrying = Carrying(awaited: self.unread, holdOff: ForwardMachine.firstPause)
    carrying.feed(.timePassed, at: 2 * self.second + 1)
    var deliveries = 0
    var now = 3 * self.second
    while now < 330 * self.second {
      carrying.feed(
        .sourceAttached(epoch: carrying.machine.sourceEpoch, unnoticedLimit: 330 * self.second, holdLimit: 20 * self.second),
        at: now)
      #expect(carrying.come([4], again: deliveries > 0, at: now + 1).sent.isEmpty, "\(now / self.second) s")
      deliveries += 1
      let back = carrying.feed(.timePassed, at: now + 20 * self.second + 1)
      #expect(back.contains { if case .letGo = $0 { true } else { false } }, "\(deliveries): \(back)")
      guard case .retry(let at) = carrying.machine.source else {
        Issue.record("the link is left: \(carrying.machine.source)")
        return
      }
      now = at
      carrying.feed(.timePassed, at: now)
    }
    #expect(deliveries <= 2, "ten is what a Service Bus bears, and coming again says nothing")
    carrying.feed(
      .sourceAttached(epoch: carrying.machine.sourceEpoch, unnoticedLimit: 330 * self.second, holdLimit: 20 * self.second),
      at: now)
    #expect(carrying.come([4], again: true, at: now + 1).sent == [4], "the lock has run out by now")
  }

  @Test("it is not waited for longer than the bus takes to notice")
  func unreadInVain() {
    var carrying = Carrying(awaited: self.unread, holdOff: ForwardMachine.firstPause)
    carrying.attach(at: 2 * self.second + 2)
    #expect(carrying.come([4], at: 3 * self.second).sent.isEmpty)
    #expect(carrying.feed(.timePassed, at: 380 * self.second).sent.isEmpty)
    #expect(carrying.feed(.timePassed, at: 393 * self.second).sent == [4])
  }

  @Test("where the bus says that nobody is on the queue there is no such link")
  func nobodyOnTheQueue() {
    var carrying = Carrying(awaited: self.unread, holdOff: ForwardMachine.firstPause, linksLag: 12 * self.second)
    #expect(!carrying.feed(.timePassed, at: 3 * self.second).contains(.seekLinks), "it may say so of the time before the crash")
    #expect(carrying.feed(.timePassed, at: 12 * self.second + 1).contains(.seekLinks))
    #expect(carrying.feed(.timePassed, at: 13 * self.second) == [], "asked once, and nothing is attached meanwhile")
    #expect(carrying.feed(.linksSeen(0), at: 14 * self.second).contains(.attachSource(epoch: 1)))
    carrying.attach(at: 14 * self.second + 1)
    #expect(carrying.come([4], at: 15 * self.second).sent == [4])
  }

  @Test("where somebody is on the queue, or nobody says so, it is held", arguments: [1, nil])
  func somebodyOnTheQueue(_ count: Int?) {
    var carrying = Carrying(awaited: self.unread, holdOff: ForwardMachine.firstPause, linksLag: 12 * self.second)
    carrying.feed(.timePassed, at: 12 * self.second + 1)
    #expect(carrying.feed(.linksSeen(count), at: 14 * self.second).contains(.attachSource(epoch: 1)))
    carrying.attach(at: 14 * self.second + 1)
    #expect(carrying.come([4], at: 15 * self.second).sent.isEmpty)
  }

  @Test("where something was on hand, its coming again says that the bus knows: nobody is asked")
  func onHandSaysIt() {
    var awaited = self.unread
    awaited.held = self.messages(1...1)
    var carrying = Carrying(awaited: awaited, holdOff: ForwardMachine.firstPause, linksLag: 12 * self.second)
    #expect(carrying.feed(.timePassed, at: 2 * self.second + 1).contains(.attachSource(epoch: 1)))
    carrying.attach(at: 2 * self.second + 2)
    #expect(carrying.come([1], again: true, at: 3 * self.second).sent == [1])
    #expect(carrying.come([2], at: 3 * self.second + 1).sent == [2])
  }

  @Test("a Service Bus counts each time: what is held is given back before its lock runs out, and asked for ever more rarely")
  func locks() {
    var carrying = self.lost(.connection)
    carrying.feed(.journaled(batch: 1, nil), at: 5)
    var deliveries = 0
    var now = 6 * self.second
    while now < 330 * self.second {
      carrying.feed(
        .sourceAttached(epoch: carrying.machine.sourceEpoch, unnoticedLimit: 330 * self.second, holdLimit: 20 * self.second),
        at: now)
      carrying.come([4], again: deliveries > 0, at: now + 1)
      deliveries += 1
      let back = carrying.feed(.timePassed, at: now + 20 * self.second + 1)
      #expect(back.contains { if case .letGo = $0 { true } else { false } }, "\(deliveries): \(back)")
      guard case .retry(let at) = carrying.machine.source else {
        Issue.record("the link is left: \(carrying.machine.source)")
        return
      }
      now = at
      carrying.feed(.timePassed, at: now)
    }
    #expect(deliveries <= 6, "ten is what a Service Bus bears")
    carrying.feed(
      .sourceAttached(epoch: carrying.machine.sourceEpoch, unnoticedLimit: 330 * self.second, holdLimit: 20 * self.second),
      at: now)
    #expect(carrying.come([1, 2, 3, 4], again: true, at: now + 1).sent == [1, 2, 3, 4])
  }
}
