// SPDX-License-Identifier: Apache-2.0

import AMQP
import Testing
import TjenestebussTesting

@testable import Forwarding

@Suite("A target that accepts and loses what is sent to a queue that is gone", .timeLimit(.minutes(5)))
struct UnseenQueueTests {
  private func machine(window: Int = 10, messages: UInt64) -> ForwardMachine {
    var settings = ForwardMachine.Settings()
    settings.window = window
    var machine = ForwardMachine(settings)
    func feed(_ event: ForwardMachine.Event) { _ = machine.handle(event, now: 1, milliseconds: 1) }
    feed(.started)
    feed(.targetAttached(epoch: 1, maximumSize: nil, losesUnseen: true))
    feed(.sourceAttached(epoch: 1))
    feed(
      .arrived(
        epoch: 1,
        (1...messages).map { ForwardMachine.Arrival(number: $0, fingerprint: Fingerprint(high: $0, low: 7), serial: $0) }))
    feed(.journaled(batch: 1, nil))
    return machine
  }

  private func settled(_ actions: [ForwardMachine.Action]) -> [UInt64] {
    actions.flatMap { action -> [UInt64] in if case .settle(_, let numbers) = action { numbers } else { [] } }
  }

  @Test(
    "accepted settles nothing before the queue was seen after it; what came while a look was under way waits for the next one")
  func looks() {
    var machine = self.machine(messages: 4)
    func feed(_ event: ForwardMachine.Event) -> [ForwardMachine.Action] { machine.handle(event, now: 2, milliseconds: 1) }
    let first = feed(.ended(epoch: 1, [(1, .accepted), (2, .accepted)]))
    #expect(first.contains(.look(epoch: 1, 1)))
    #expect(self.settled(first).isEmpty)
    let second = feed(.ended(epoch: 1, [(3, .accepted)]))
    #expect(self.settled(second).isEmpty)
    #expect(!second.contains(.look(epoch: 1, 2)), "one look at a time")
    #expect(machine.counts.accepted == 0)
    let seen = feed(.queueSeen(epoch: 1, look: 1))
    #expect(self.settled(seen) == [1, 2])
    #expect(seen.contains(.look(epoch: 1, 2)))
    #expect(self.settled(feed(.queueSeen(epoch: 1, look: 1))).isEmpty, "an answer to an earlier look says nothing")
    #expect(self.settled(feed(.queueSeen(epoch: 1, look: 2))) == [3])
    #expect(machine.counts.accepted == 3)
    #expect(machine.counts.onTheirWay == 1)
  }

  @Test("the queue is not seen: what it accepted since is of unknown outcome, goes again and is listed; what never left is not")
  func notSeen() {
    var machine = self.machine(messages: 3)
    func feed(_ event: ForwardMachine.Event, at now: Int64 = 2) -> [ForwardMachine.Action] {
      machine.handle(event, now: now, milliseconds: 1)
    }
    _ = feed(.ended(epoch: 1, [(1, .accepted)]))
    _ = feed(.ended(epoch: 1, [(2, .accepted)]))
    let gone = ForwardMachine.Failure(.connection, ForwardingError(.targetUnsafe, tried: "forward", seen: "gone"))
    let lost = feed(.queueNotSeen(epoch: 1, gone, unsent: [3]))
    #expect(self.settled(lost).isEmpty)
    #expect(self.settled(feed(.queueSeen(epoch: 1, look: 1))).isEmpty, "too late")
    let again = feed(.timePassed, at: 3)
    #expect(again.contains(.attachTarget(epoch: 2)) || lost.contains(.attachTarget(epoch: 2)))
    let attached = feed(.targetAttached(epoch: 2, maximumSize: nil, losesUnseen: true), at: 4)
    let listed = attached.flatMap { action -> [UInt64] in
      guard case .journal(_, let records) = action else { return [] }
      return records.compactMap { if case .possibleDuplicate(_, let fingerprint, _, _, _) = $0 { fingerprint.high } else { nil } }
    }
    #expect(listed == [1, 2])
    let sent = feed(.journaled(batch: 2, nil), at: 5)
    #expect(sent.contains(.send(epoch: 2, [1, 2, 3])), "in their order, and none is taken for poison")
    #expect(machine.counts.accepted == 0)
  }

  @Test("stopped while a look is under way: it is awaited; at the deadline what it was for is of unknown outcome")
  func stopped() {
    var machine = self.machine(messages: 1)
    func feed(_ event: ForwardMachine.Event, at now: Int64 = 2) -> [ForwardMachine.Action] {
      machine.handle(event, now: now, milliseconds: 1)
    }
    _ = feed(.ended(epoch: 1, [(1, .accepted)]))
    #expect(!feed(.stopAsked(deadline: 100)).contains(.finish(.asked)))
    var other = machine
    let seen = feed(.queueSeen(epoch: 1, look: 1))
    #expect(self.settled(seen) == [1])
    #expect(seen.contains(.finish(.asked)))
    let late = other.handle(.timePassed, now: 100, milliseconds: 1)
    #expect(late.contains(.interrupt([1])))
    #expect(late.contains(.giveBack(epoch: 1, [1])))
  }

  @Test(
    "deleted in mid-stream: nothing is settled that was not in the queue before, and all the rest goes once it is there again")
  func deleted() async throws {
    try await TwoBuses.with(from: .rabbitMQ4AddressV2, to: .rabbitMQ3) { buses in
      try await buses.fill((0..<400).map { .health("m-\($0)", from: "\($0 % 5)") })
      var rules = ForwardingRules.fast
      rules.window = 10
      let journal = try await ForwardingJournal.open(at: buses.journalPath)
      let forwarder = try buses.forwarder(rules, journal: journal)
      async let run = forwarder.run(untilIdleFor: .seconds(3))
      try await buses.target.waitUntil { $0.depth(of: "q") >= 40 }
      let before = try await buses.target.delete("q")
      let report = try await run
      guard case .stopped(let error) = report.ending else {
        Issue.record("ended \(report.ending)")
        return
      }
      #expect([.targetUnsafe, .targetUnavailable].contains(error.code))
      #expect(report.counts.settled <= before)
      #expect(try await buses.source.depth(of: "q") == 400 - report.counts.settled)
      try await buses.target.declare("q")
      let second = try await buses.forwarder(rules, journal: journal).run(untilIdleFor: .seconds(3))
      #expect(second.counts.accepted == 400 - report.counts.settled)
      #expect(try await buses.source.depth(of: "q") == 0)
      #expect(try await buses.target.depth(of: "q") == 400 - report.counts.settled)
      await journal.close()
    }
  }
}
