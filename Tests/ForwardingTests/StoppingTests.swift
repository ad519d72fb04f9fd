// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

@testable import Forwarding

@Suite("A forwarder that stops, pauses or waits", .timeLimit(.minutes(5)))
struct StoppingTests {
  private func running(_ settings: ForwardMachine.Settings, messages: UInt64) -> ForwardMachine {
    var machine = ForwardMachine(settings)
    func feed(_ event: ForwardMachine.Event) { _ = machine.handle(event, now: 1, milliseconds: 1) }
    feed(.started)
    feed(.targetAttached(epoch: 1, maximumSize: nil))
    feed(.sourceAttached(epoch: 1))
    feed(
      .arrived(
        epoch: 1,
        (1...messages).map { ForwardMachine.Arrival(number: $0, fingerprint: Fingerprint(high: $0, low: 7), serial: $0) }))
    feed(.journaled(batch: 1, nil))
    return machine
  }

  private var settings: ForwardMachine.Settings {
    var settings = ForwardMachine.Settings()
    settings.window = 10
    return settings
  }

  @Test("what waits in the sender is taken back before anything goes back to the source, and what left is awaited")
  func stops() {
    var machine = self.running(self.settings, messages: 3)
    let stop = machine.handle(.stopAsked(deadline: 100), now: 2, milliseconds: 1)
    #expect(stop.contains(.withdraw(epoch: 1)))
    #expect(!stop.contains { if case .giveBack = $0 { true } else { false } })
    let back = machine.handle(.withdrawn(epoch: 1, [2, 3]), now: 3, milliseconds: 1)
    #expect(!back.contains(.finish(.asked)), "the first has left, and is awaited")
    let end = machine.handle(.ended(epoch: 1, [(1, .accepted)]), now: 4, milliseconds: 1)
    #expect(end.contains(.settle(epoch: 1, [1])))
    #expect(end.contains(.giveBack(epoch: 1, [2, 3])))
    #expect(end.contains(.finish(.asked)))
    let notes = end.flatMap { action -> [JournalRecord] in if case .note(let records) = action { records } else { [] } }
    #expect(notes.contains(.notSent(serial: 2)) && notes.contains(.notSent(serial: 3)), "known not to have left: no duplicates")
  }

  @Test("a pause takes back what waits; nothing goes before that is known, and then in order")
  func pauses() {
    var machine = self.running(self.settings, messages: 4)
    #expect(machine.handle(.paused, now: 2, milliseconds: 1).contains(.withdraw(epoch: 1)))
    let early = machine.handle(.resumed, now: 3, milliseconds: 1)
    #expect(!early.contains { if case .send = $0 { true } else { false } })
    let back = machine.handle(.withdrawn(epoch: 1, [3, 4]), now: 4, milliseconds: 1)
    #expect(back.contains(.send(epoch: 1, [3, 4])))
  }

  @Test("a target that says nothing for a minute is told of once, and when it speaks again")
  func silent() {
    var machine = self.running(self.settings, messages: 2)
    func told(_ actions: [ForwardMachine.Action]) -> [String?] {
      actions.compactMap { action -> String?? in if case .tell(let notice) = action { .some(notice?.stableCode) } else { nil } }
    }
    let minute = machine.settings.silenceLimit
    #expect(told(machine.handle(.timePassed, now: minute, milliseconds: 1)).isEmpty)
    let late = machine.handle(.timePassed, now: minute + 1, milliseconds: 1)
    #expect(told(late) == ["FWD-110"])
    #expect(!late.contains { if case .settle = $0 { true } else { false } })
    #expect(told(machine.handle(.timePassed, now: minute + 2, milliseconds: 1)).isEmpty)
    #expect(told(machine.handle(.ended(epoch: 1, [(1, .accepted)]), now: minute + 3, milliseconds: 1)) == [nil])
    #expect(!machine.hasEnded)
  }

  @Test("stopped while the target grants no credit: not one message leaves once it does")
  func noCredit() async throws {
    try await TwoBuses.with { buses in
      try await buses.fill((0..<30).map { .health("m-\($0)") })
      try await buses.target.stopGrantingCredit()
      let journal = try await ForwardingJournal.open(at: buses.journalPath)
      let forwarder = try buses.forwarder(journal: journal)
      async let run = forwarder.run()
      try await buses.source.waitUntil { ($0.queues["q"]?.locked ?? 0) == 30 }
      forwarder.stop()
      let report = try await run
      #expect(report.ending == .asked)
      try await buses.target.grantCredit()
      try await buses.source.waitUntil { ($0.queues["q"]?.locked ?? 1) == 0 && $0.depth(of: "q") == 30 }
      let left = try await buses.target.depth(of: "q")
      #expect(report.counts.accepted == left)
      await journal.close()
      let second = try await buses.carry()
      #expect(second.counts.accepted == 30 - left)
      #expect(second.counts.possibleDuplicates == 0)
      #expect(try await buses.target.depth(of: "q") == 30)
    }
  }

  @Test("parcels that wait for credit are taken back with their numbers, and have no other end")
  func withdrawn() async throws {
    try await TwoBuses.with { buses in
      try await buses.target.stopGrantingCredit()
      try await AMQPConnection.withConnection(try buses.target.clientConfiguration()) { connection in
        let sender = try await connection.openSender(to: buses.target.sendingAddress("q"))
        let ends = NIOLockedValueBox<[UInt64]>([])
        let parcels = (1...5).map { number in
          AMQPParcel(number: number, head: ForwardedForm.plainHeader, payload: AMQPMessage.health("m").encoded(), start: 0)
        }
        sender.send(parcels: parcels) { told in ends.withLockedValue { $0 += told.map(\.number) } }
        let back = await withCheckedContinuation { continuation in
          sender.withdrawParcels { continuation.resume(returning: $0) }
        }
        #expect(back == [1, 2, 3, 4, 5])
        await sender.close()
        #expect(ends.withLockedValue { $0 }.isEmpty)
      }
    }
  }
}
