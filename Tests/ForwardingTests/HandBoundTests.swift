// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP
@testable import Forwarding

@Suite("How much is on hand")
struct HandBoundTests {
  @Test("it begins small, doubles while the target keeps up, and ends at what keeps it busy")
  func grows() {
    var bound = HandBound(most: 200)
    #expect(bound.limit == 32)
    for _ in 0..<32 { bound.wasAccepted() }
    #expect(bound.limit == 64)
    for _ in 0..<1_000 { bound.wasAccepted() }
    #expect(bound.limit == 200)
  }

  @Test("messages of 10 MB: 64 MiB of them and no more, and small ones after them are many again")
  func large() {
    var bound = HandBound(most: 2_000)
    for _ in 0..<4_000 { bound.wasAccepted() }
    #expect(bound.limit == 2_000)
    bound.arrived(10_000_000)
    #expect(bound.limit == 6)
    bound.arrived(200_000_000)
    #expect(bound.limit == 1)
    for _ in 0..<2_000 { bound.arrived(1_000) }
    #expect(bound.limit == 2_000)
  }

  private func arrivals(_ numbers: ClosedRange<UInt64>) -> [ForwardMachine.Arrival] {
    numbers.map { ForwardMachine.Arrival(number: $0, fingerprint: Fingerprint(high: $0, low: 7), serial: $0) }
  }

  @Test(
    "a lock is about to run out on what waits: it goes back, nothing more is taken until what is on its way has ended, and less then"
  )
  func letsGo() {
    var settings = ForwardMachine.Settings()
    settings.window = 2
    settings.ahead = 8
    var machine = ForwardMachine(settings)
    func feed(_ event: ForwardMachine.Event, at now: Int64) -> [ForwardMachine.Action] {
      machine.handle(event, now: now, milliseconds: 1)
    }
    _ = feed(.started, at: 1)
    _ = feed(.targetAttached(epoch: 1, maximumSize: nil), at: 1)
    #expect(feed(.sourceAttached(epoch: 1, holdLimit: 20), at: 1).contains(.take(epoch: 1, 8, kept: 0)))
    _ = feed(.arrived(epoch: 1, self.arrivals(1...5)), at: 2)
    #expect(feed(.journaled(batch: 1, nil), at: 3).contains(.send(epoch: 1, [1, 2])))
    #expect(feed(.timePassed, at: 21).contains(.wake(at: 22)))
    let late = feed(.timePassed, at: 22)
    #expect(late.contains(.letGo(epoch: 1, [3, 4, 5])))
    #expect(!late.contains { if case .leaveSource = $0 { true } else { false } })
    let first = feed(.ended(epoch: 1, [(1, .accepted)]), at: 60)
    #expect(first.contains(.settle(epoch: 1, [1])), "over the link that it came on")
    let second = feed(.ended(epoch: 1, [(2, .accepted)]), at: 61)
    #expect(second.contains(.settle(epoch: 1, [2])))
    #expect(second.contains(.leaveSource(epoch: 1)))
    #expect(second.contains(.attachSource(epoch: 2)))
    #expect(feed(.sourceAttached(epoch: 2, holdLimit: 20), at: 62).contains(.take(epoch: 2, 4, kept: 0)))
    let again = feed(.arrived(epoch: 2, self.arrivals(6...8)), at: 63)
    #expect(!again.contains { if case .leaveSource = $0 { true } else { false } }, "they were given back: nothing is awaited")
  }

  @Test("a smaller window takes credit back, lets what crosses it come, and grants again as what is held goes down")
  func credit() {
    let epoch = AMQPEpoch(connection: 1, link: 1)
    var machine = CreditMachine(window: 10, epoch: epoch)
    #expect(machine.handle(.attached, epoch: epoch) == .grant(10))
    _ = machine.handle(.arrived, epoch: epoch)
    _ = machine.handle(.taken(1), epoch: epoch)
    #expect(machine.handle(.windowChanged(3, kept: 0), epoch: epoch) == .withdraw(7))
    // Nine were on their way.
    for _ in 0..<9 { #expect(machine.handle(.arrived, epoch: epoch) == .none) }
    #expect(machine.credit == -7)
    _ = machine.handle(.taken(9), epoch: epoch)
    #expect(machine.handle(.settled(8), epoch: epoch) == .grant(8))
    #expect(machine.handle(.settled(2), epoch: epoch) == .grant(2))
    #expect(machine.credit == 3)
    #expect(machine.handle(.windowChanged(20, kept: 0), epoch: epoch) == .grant(17))
  }

  @Test("what is kept for long holds no grant up: one more than forty that are set aside is granted at once")
  func kept() {
    let epoch = AMQPEpoch(connection: 1, link: 1)
    var machine = CreditMachine(window: 56, epoch: epoch)
    #expect(machine.handle(.attached, epoch: epoch) == .grant(56))
    for _ in 0..<56 { _ = machine.handle(.arrived, epoch: epoch) }
    _ = machine.handle(.taken(56), epoch: epoch)
    #expect(machine.handle(.windowChanged(56, kept: 40), epoch: epoch) == .none)
    #expect(machine.handle(.settled(7), epoch: epoch) == .none)
    #expect(machine.handle(.settled(1), epoch: epoch) == .grant(8), "half of the sixteen that are not kept")
    for _ in 0..<8 { _ = machine.handle(.arrived, epoch: epoch) }
    _ = machine.handle(.taken(8), epoch: epoch)
    #expect(machine.handle(.windowChanged(57, kept: 56), epoch: epoch) == .grant(1))
  }
}
