// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

/// A bus that counts those that wait and not those that a receiver holds: what is not seen is not drained.
@Suite("What receivers hold is not counted")
struct HeldNotCountedTests {
  private static func reading(
    _ figures: QueueFigures?, consumers: Int64?, kind: QueueKind = .asynchronous
  ) -> QueueReading {
    QueueReading(
      address: SightingTests.queue, kind: kind,
      count: .counted(depth: 0, arrivals: nil, consumers: consumers, figures: figures))
  }

  /// Every queue empty, the asynchronous one as `/management` of RabbitMQ 4 tells it.
  private static func look(consumers: Int64?) -> [QueueReading] {
    Fixture.look(deadLetters: 0).map { reading in
      guard reading.kind == .asynchronous else { return reading }
      var reading = reading
      reading.count = .counted(depth: 0, arrivals: nil, consumers: consumers, figures: QueueFigures(active: 0))
      return reading
    }
  }

  @Test("a reading hides what is held where those that wait are told alone and somebody is, or may be, attached")
  func readings() {
    let waiting = QueueFigures(active: 0)
    #expect(Self.reading(waiting, consumers: 1).mayHideHeld)
    #expect(Self.reading(waiting, consumers: nil).mayHideHeld)
    #expect(Self.reading(waiting, consumers: 1, kind: .deadLetter).mayHideHeld)
    #expect(!Self.reading(waiting, consumers: 0).mayHideHeld && Self.reading(waiting, consumers: 0).leavesOutHeld)
    #expect(!Self.reading(QueueFigures(active: 0, locked: 0), consumers: 1).mayHideHeld)
    for told in [
      QueueFigures(active: 0, scheduled: 0), QueueFigures(active: 0, deferred: 0), QueueFigures(active: 0, deadLettered: 0),
      QueueFigures(active: 0, transfer: 0),
    ] {
      #expect(!Self.reading(told, consumers: nil).mayHideHeld)
    }
    #expect(!Self.reading(QueueFigures(deadLettered: 0), consumers: 1).mayHideHeld)
    #expect(!Self.reading(nil, consumers: 1).mayHideHeld)
    var gone = Self.reading(nil, consumers: nil)
    gone.count = .absent
    #expect(!gone.mayHideHeld)
  }

  @Test("the wait has a code of its own, names the queue, says what to do and that a person must do it")
  func waits() {
    let walk = GroupWalk.standing(in: .draining)
    for _ in 0..<400 {
      walk.now = walk.now + walk.policy.lookInterval
      walk.send(.looked(Self.look(consumers: 2)))
    }
    #expect(walk.group.phase == .draining && walk.group.drain.quietSince == nil)
    guard case .wait(let reason) = walk.group.next(in: walk.context, now: walk.now) else {
      Issue.record("it waits")
      return
    }
    #expect(reason.code == .heldNotCounted && reason.clears == .person)
    #expect(reason.seen.contains("200_async (2 attached)") && reason.seen.contains("management"))
    #expect(WaitEstimate(reason, group: walk.group, context: walk.context, now: walk.now).kind == .person)
    #expect(walk.group.drain.stretches.last?.found == .notAllCounted)
    #expect(walk.group.drain.lateArrivals == 0)
    // Words for a bus that does not say who is attached.
    walk.send(.looked(Self.look(consumers: nil)))
    #expect(walk.group.drain.words(.heldNotCounted, policy: walk.policy).text.contains("who is attached is not told"))
  }

  @Test(
    "the quiet begins when the receiver is gone; a look that leaves something out is no look, and three intervals of such end the quiet"
  )
  func quiet() {
    let policy = DrainLedgerTests.policy
    var ledger = DrainLedger()
    func look(_ second: Int64, consumers: Int64) {
      ledger.take(Self.look(consumers: consumers), at: Fixture.start + .seconds(second), longestGap: policy.longestLookGap)
    }
    look(1, consumers: 1)
    #expect(ledger.quietSince == nil && ledger.quietLooks == 0 && ledger.unreadableLooks == 1)
    for second in 2...3 { look(Int64(second), consumers: 0) }
    #expect(ledger.quietSince == Fixture.start + .seconds(2) && ledger.quietLooks == 2)
    for second in 4...5 { look(Int64(second), consumers: 1) }
    #expect(ledger.quietSince == Fixture.start + .seconds(2) && ledger.quietLooks == 2)
    #expect(ledger.shortcoming(now: Fixture.start + .seconds(60), policy: policy) == .heldNotCounted)
    look(6, consumers: 0)
    #expect(ledger.quietSince == Fixture.start + .seconds(2) && ledger.quietLooks == 3 && ledger.longestGap == .seconds(3))
    for second in 7...9 { look(Int64(second), consumers: 1) }
    look(10, consumers: 0)
    #expect(ledger.quietSince == Fixture.start + .seconds(10) && ledger.unreadableLooks == 6 && ledger.lateArrivals == 0)
  }

  @Test("nobody accepts, retires or has queues removed on a look that leaves out what a receiver holds")
  func decisions() {
    let names = ["Kari", "Ola"]
    let observing = GroupWalk.standing(in: .observing)
    observing.lookOn(for: .days(15))
    observing.send(.looked(Self.look(consumers: 1)))
    #expect(observing.group.phase == .observing)
    let refused = observing.send(.accept(by: names)).refusal
    #expect(refused?.code == .gateInconclusive && refused?.seen.contains("what receivers hold is not counted") == true)
    observing.send(.looked(Self.look(consumers: 0)))
    #expect(observing.send(.accept(by: names)).refusal == nil)

    observing.send(.looked(Self.look(consumers: 1)))
    let retire = observing.send(.retire(by: names)).refusal
    #expect(retire?.code == .gateInconclusive && retire?.seen.contains("what receivers hold is not counted") == true)
    observing.now = observing.now + observing.policy.longestWatchGap + .milliseconds(1)
    observing.send(.looked(Self.look(consumers: 0)))
    // It was there for long: the quiet is to be had again.
    #expect(observing.send(.retire(by: names)).refusal?.code == .gateInconclusive)
    observing.lookOn(for: .days(4))
    #expect(observing.send(.retire(by: names)).refusal == nil)

    observing.lookOn(for: .days(40))
    observing.send(.looked(Self.look(consumers: 1)))
    let removal = observing.send(.approveRemoval(by: names)).refusal
    #expect(removal?.code == .gateInconclusive && removal?.seen.contains("what receivers hold is not counted") == true)
  }

  @Test("who answers for the queue answers for what is held there, while that lasts")
  func excepted() {
    let walk = GroupWalk.standing(in: .draining)
    let exception = DrainException(
      by: ["Kari", "Ola"], what: .queue(SightingTests.queue), why: "its receiver is known", until: walk.now + .hours(2))
    walk.send(.except(exception))
    walk.send(.looked(Self.look(consumers: 1)))
    #expect(walk.group.drain.quietSince == walk.now)
    walk.now = walk.now + .hours(2)
    #expect(walk.group.drain.shortcoming(now: walk.now, policy: walk.policy) == .heldNotCounted)
  }
}
