// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

@Suite("Credit of a receiving link")
struct CreditMachineTests {
  private static let epoch = AMQPEpoch(connection: 1, link: 7)

  private struct Link {
    var machine: CreditMachine
    init(window: Int) { self.machine = CreditMachine(window: window, epoch: CreditMachineTests.epoch) }
    mutating func on(_ event: CreditMachine.Event) -> CreditMachine.Action {
      self.machine.handle(event, epoch: CreditMachineTests.epoch)
    }
  }

  @Test("nothing is granted before the peer's attach")
  func notBeforeAttach() {
    var link = Link(window: 10)
    same(link.on(.settled(3)), .none)
    same(link.on(.resumed), .none)
    same(link.on(.arrived), .refuse)
    same(link.on(.attached), .grant(10))
    same(link.on(.attached), .none)
  }

  @Test("credit is granted again when half the window is free; buffered and unsettled are told apart")
  func topUp() {
    var link = Link(window: 4)
    same(link.on(.attached), .grant(4))
    same(link.on(.arrived), .none)
    same(link.on(.arrived), .none)
    same(link.on(.taken(2)), .none)
    same(link.machine.unsettled, 2)
    same(link.machine.buffered, 0)
    same(link.on(.settled(1)), .none)
    same(link.on(.settled(1)), .grant(2))
    same(link.machine.credit, 4)
  }

  @Test("what RabbitMQ 3 sends beyond the credit is kept and made up for by the next grant; a peer that heeds none is refused")
  func overdrawn() {
    var link = Link(window: 2)
    same(link.on(.attached), .grant(2))
    for _ in 0..<4 { same(link.on(.arrived), .none) }
    same(link.on(.arrived), .refuse)
    same(link.machine.credit, -2)
    same(link.machine.held, 4)
    same(link.on(.taken(4)), .none)
    same(link.on(.settled(2)), .grant(2))
    same(link.machine.credit, 0)
    same(link.on(.closed), .none)
    same(link.on(.settled(2)), .none)
  }

  @Test("a drain ends when the peer has used some credit and given the rest back; nothing is granted until it is resumed")
  func drain() {
    var link = Link(window: 10)
    _ = link.on(.attached)
    same(link.on(.drainAsked), .askToDrain)
    same(link.on(.arrived), .none)
    same(link.on(.arrived), .none)
    same(link.on(.taken(2)), .none)
    same(link.on(.settled(2)), .none)
    same(link.on(.creditReturned(8)), .drained(arrived: 2, returned: 8))
    same(link.on(.drainAsked), .drained(arrived: 0, returned: 0))
    same(link.on(.settled(1)), .none)
    same(link.on(.resumed), .grant(10))
  }

  @Test("a drain of a link without credit is over at once, and one whose credit is all used ends with the last message")
  func drainWithoutCredit() {
    var link = Link(window: 2)
    _ = link.on(.attached)
    same(link.on(.drainAsked), .askToDrain)
    same(link.on(.arrived), .none)
    same(link.on(.arrived), .drained(arrived: 2, returned: 0))
    same(link.on(.resumed), .none)
    same(link.on(.drainAsked), .drained(arrived: 0, returned: 0))
  }

  @Test("a receiver that wants nothing gets nothing: it is there to see whether the address is taken")
  func nothing() {
    var link = Link(window: 0)
    same(link.on(.attached), .none)
    #expect(!link.machine.isGranting)
    same(link.on(.arrived), .refuse)
    same(link.on(.leaving), .none)
  }

  @Test("leaving takes the credit back, once; what crosses it is counted, and no room is granted again")
  func leaving() {
    var link = Link(window: 4)
    _ = link.on(.attached)
    same(link.on(.arrived), .none)
    same(link.on(.leaving), .withdraw(3))
    same(link.on(.leaving), .none)
    same(link.on(.arrived), .none)
    same(link.machine.credit, -1)
    same(link.on(.taken(2)), .none)
    same(link.on(.settled(2)), .none)
    same(link.on(.resumed), .none)
    same(link.on(.drainAsked), .none)
    same(link.on(.closed), .none)
  }

  @Test("an event of another generation changes nothing")
  func late() {
    var machine = CreditMachine(window: 2, epoch: CreditMachineTests.epoch)
    same(machine.handle(.attached, epoch: AMQPEpoch(connection: 1, link: 6)), .none)
    same(machine.credit, 0)
    same(machine.handle(.attached, epoch: CreditMachineTests.epoch), .grant(2))
    for event in [CreditMachine.Event.arrived, .closed, .drainAsked, .creditReturned(1), .settled(1), .taken(1)] {
      same(machine.handle(event, epoch: AMQPEpoch(connection: 2, link: 7)), .none)
    }
    same(machine.credit, 2)
    same(machine.isDraining, false)
  }

  @Test(
    "whatever happens: credit + buffered + unsettled <= window, what is held <= two windows, and no link starves",
    arguments: 0..<50)
  func model(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    let window = Int.random(in: 1...20, using: &generator)
    var link = Link(window: window)
    // What the test knows of the peer and of the tasks.
    var peerCredit = 0
    var buffered = 0
    var unsettled = 0
    var isDraining = false
    var isStopped = false
    func carryOut(_ action: CreditMachine.Action) {
      switch action {
      case .none, .refuse: break
      case .grant(let count):
        #expect(!isDraining && !isStopped, "credit was granted while draining")
        peerCredit += count
      case .withdraw(let count):
        #expect(count == peerCredit)
        peerCredit = 0
      case .askToDrain: isDraining = true
      case .drained:
        isDraining = false
        isStopped = true
        #expect(peerCredit <= 0)
      }
    }
    carryOut(link.on(.attached))
    for _ in 0..<2_000 {
      switch Int.random(in: 0..<16, using: &generator) {
      case 0..<5 where peerCredit > 0:
        peerCredit -= 1
        buffered += 1
        carryOut(link.on(.arrived))
      case 5 where peerCredit <= 0 && peerCredit > -window:
        // The peer oversteps, as RabbitMQ 3 does.
        peerCredit -= 1
        buffered += 1
        carryOut(link.on(.arrived))
      case 6..<9 where buffered > 0:
        let count = Int.random(in: 1...buffered, using: &generator)
        buffered -= count
        let settled = Int.random(in: 0...count, using: &generator)
        unsettled += count - settled
        carryOut(link.on(.taken(count - settled)))
        carryOut(link.on(.takenSettled(settled)))
      case 9..<12 where unsettled > 0:
        let count = Int.random(in: 1...unsettled, using: &generator)
        unsettled -= count
        carryOut(link.on(.settled(count)))
      case 12 where buffered > 0:
        buffered -= 1
        carryOut(link.on(.dropped(1)))
      case 13 where !isStopped: carryOut(link.on(.drainAsked))
      case 14 where isDraining && peerCredit > 0:
        let returned = peerCredit
        peerCredit = 0
        carryOut(link.on(.creditReturned(returned)))
      case 15 where isStopped || isDraining:
        isStopped = false
        isDraining = false
        carryOut(link.on(.resumed))
      default: break
      }
      let machine = link.machine
      #expect(machine.credit == peerCredit)
      #expect(machine.buffered == buffered)
      #expect(machine.unsettled == unsettled)
      #expect(machine.credit + machine.buffered + machine.unsettled <= window)
      #expect(machine.held <= 2 * window)
      if !isDraining, !isStopped, machine.held == 0 { #expect(machine.credit > 0, "the link starves") }
    }
  }
}
