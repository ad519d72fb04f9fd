// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Forwarding

@Suite("What the journal takes for carried")
struct CarriedTests {
  private let message = Fingerprint(high: 1, low: 7)

  @Test("carried there and back again it is not taken for being there: the third time it goes again")
  func thereAndBack() {
    var memory = JournalMemory(retained: 10)
    memory.apply(.queue(1, "a/q > b/q"))
    memory.apply(.queue(2, "b/q > a/q"))
    for (serial, queue) in [(UInt64(1), UInt32(1)), (2, 2)] {
      memory.apply(.sending(serial: serial, queue: queue, self.message, id: "m"))
      memory.apply(.accepted(serial: serial))
      memory.apply(.settled(serial: serial))
    }
    #expect(memory.standing(of: self.message, in: 1) == .unknown)
    #expect(memory.standing(of: self.message, in: 2) == .accepted)
  }

  /// One message that the journal knows to be at the target, and that the bus gives out again.
  private func again(id: String?) -> ForwardMachine {
    var machine = ForwardMachine(ForwardMachine.Settings())
    _ = machine.handle(.started, now: 1, milliseconds: 1)
    _ = machine.handle(.targetAttached(epoch: 1, maximumSize: nil), now: 2, milliseconds: 1)
    _ = machine.handle(.sourceAttached(epoch: 1), now: 3, milliseconds: 1)
    var arrival = ForwardMachine.Arrival(number: 1, fingerprint: self.message, serial: 1)
    arrival.messageID = id
    arrival.standing = .accepted
    arrival.isRedelivered = true
    _ = machine.handle(.arrived(epoch: 1, [arrival]), now: 4, milliseconds: 1)
    return machine
  }

  @Test("with an id it is settled and not sent again; without one it may be another like it, and goes")
  func alike() {
    #expect(self.again(id: "m").counts.settledAgain == 1)
    #expect(self.again(id: nil).counts.settledAgain == 0)
    #expect(self.again(id: nil).counts.possibleDuplicates == 1)
  }

  @Test("a lock ran out while it waited: it comes again on the same link, and goes once")
  func lockRanOut() {
    var settings = ForwardMachine.Settings()
    settings.window = 1
    var machine = ForwardMachine(settings)
    func feed(_ event: ForwardMachine.Event) -> [ForwardMachine.Action] { machine.handle(event, now: 5, milliseconds: 1) }
    _ = feed(.started)
    _ = feed(.targetAttached(epoch: 1, maximumSize: nil))
    _ = feed(.sourceAttached(epoch: 1))
    let other = ForwardMachine.Arrival(number: 1, fingerprint: Fingerprint(high: 9, low: 7), serial: 1)
    let first = ForwardMachine.Arrival(number: 2, fingerprint: self.message, serial: 2)
    _ = feed(.arrived(epoch: 1, [other, first]))
    var again = ForwardMachine.Arrival(number: 3, fingerprint: self.message, serial: 3)
    again.isRedelivered = true
    _ = feed(.arrived(epoch: 1, [again]))
    #expect(machine.items.filter { $0.fingerprint == self.message && $0.state == .waiting }.map(\.number) == [3])
  }

  @Test("a queue that stopped with words ends, though an outcome never comes")
  func ends() {
    var settings = ForwardMachine.Settings()
    settings.window = 2
    var machine = ForwardMachine(settings)
    func feed(_ event: ForwardMachine.Event, at now: Int64) -> [ForwardMachine.Action] {
      machine.handle(event, now: now, milliseconds: 1)
    }
    _ = feed(.started, at: 1)
    _ = feed(.targetAttached(epoch: 1, maximumSize: nil), at: 1)
    _ = feed(.sourceAttached(epoch: 1), at: 1)
    let arrivals = (1...2).map { ForwardMachine.Arrival(number: $0, fingerprint: Fingerprint(high: $0, low: 7), serial: $0) }
    _ = feed(.arrived(epoch: 1, arrivals), at: 1)
    _ = feed(.journaled(batch: 1, nil), at: 1)
    _ = feed(.ended(epoch: 1, [(1, .refused("full"))]), at: 2)
    #expect(!machine.hasEnded)
    _ = feed(.timePassed, at: 2 + settings.stopLimit)
    #expect(machine.hasEnded)
  }

  @Test("a time of enqueuing from before all clocks ends nothing but the message's life")
  func age() {
    var message = StrandedMessage([])
    message.timeToLive = 1_000
    message.enqueuedTime = .min
    #expect(ForwardedForm.age(of: message, at: 1_770_000_000_000) == .expired)
    message.enqueuedTime = .max
    #expect(ForwardedForm.age(of: message, at: 1_770_000_000_000) == .left(1_000))
  }
}
