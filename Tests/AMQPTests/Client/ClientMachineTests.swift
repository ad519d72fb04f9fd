// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

@Suite("A client's life")
struct ClientLifecycleMachineTests {
  private let stopped = AMQPError.clientStopped("test")

  @Test("leaving: no new work, what is under way is waited for, then it closes")
  func graceful() {
    var machine = ClientLifecycleMachine()
    same(machine.start(), true)
    same(machine.start(), false)
    same(machine.workBegan(), true)
    same(machine.workBegan(), true)
    same(machine.stop(within: .seconds(8)), .askToFinish(within: .seconds(6)))
    same(machine.workBegan(), false)
    same(machine.workEnded(), nil)
    same(machine.workEnded(), .close)
    same(machine.workDeadlinePassed(), nil)
    machine.ended(self.stopped)
    #expect(machine.endReason == self.stopped)
  }

  @Test("work that does not end is left behind at the deadline; a reserve of it is for closing")
  func deadline() {
    var machine = ClientLifecycleMachine()
    _ = machine.start()
    _ = machine.workBegan()
    same(machine.stop(within: .seconds(100)), .askToFinish(within: .seconds(98)))
    same(machine.workDeadlinePassed(), .close)
    same(machine.workEnded(), nil)
  }

  @Test("stopping twice, stopping idle, stopping before the start")
  func twice() {
    var machine = ClientLifecycleMachine()
    same(machine.stop(within: .seconds(1)), .close)
    same(machine.stop(within: .seconds(1)), nil)
    same(machine.start(), false)
    #expect(machine.isLeaving)
    #expect(!machine.hasStarted)
  }

  @Test("in any order of events it closes once, and never while work may still begin", arguments: 0..<50)
  func model(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    var machine = ClientLifecycleMachine()
    var under = 0
    var closes = 0
    var asked = 0
    func take(_ action: ClientLifecycleMachine.Action?) {
      switch action {
      case nil: break
      case .askToFinish(let limit):
        asked += 1
        #expect(limit > .zero)
      case .close: closes += 1
      }
    }
    for _ in 0..<200 {
      switch Int.random(in: 0..<20, using: &random) {
      case 0: _ = machine.start()
      case 1..<9:
        let began = machine.workBegan()
        #expect(began == (closes == 0 && asked == 0))
        if began { under += 1 }
      case 9..<18 where under > 0:
        under -= 1
        take(machine.workEnded())
      case 18: take(machine.stop(within: .seconds(4)))
      case 19: take(machine.workDeadlinePassed())
      default: break
      }
      #expect(machine.workCount == under)
      #expect(closes <= 1 && asked <= 1)
    }
    take(machine.stop(within: .seconds(4)))
    take(machine.workDeadlinePassed())
    #expect(closes == 1)
  }
}

@Suite("States that are told")
struct StateHistoryTests {
  private let lost = AMQPError(.connectionLost, .connection, .remote, tried: "test", seen: "test")

  private func state(
    _ phase: AMQPClientState.Phase, _ cause: AMQPError? = nil, attempt: Int = 1
  ) -> AMQPClientState {
    AMQPClientState(subject: .connection(.sending), phase: phase, tier: .connection, cause: cause, attempt: attempt)
  }

  @Test("two thousand equal failures are told eleven times, not two thousand")
  func repeated() {
    var history = StateHistory()
    same(history.note(self.state(.connecting)), true)
    var told = 0
    for attempt in 1...2_000 {
      if history.note(self.state(.waiting, self.lost, attempt: attempt)) { told += 1 }
      if history.note(self.state(.connecting, self.lost, attempt: attempt + 1)) { told += 1 }
    }
    #expect(told == 11)
    #expect(history.current[.connection(.sending)]?.attempt == 2_001)
  }

  @Test("another cause is news, and so is coming back")
  func news() {
    var history = StateHistory()
    _ = history.note(self.state(.connecting))
    same(history.note(self.state(.open)), true)
    same(history.note(self.state(.open)), false)
    same(history.note(self.state(.waiting, self.lost, attempt: 3)), true)
    same(history.note(self.state(.waiting, self.lost, attempt: 5)), false)
    var other = self.lost
    other.condition = AMQPCondition("amqp:internal-error")
    same(history.note(self.state(.waiting, other, attempt: 6)), true)
    same(history.note(self.state(.open)), true)
    same(history.note(self.state(.waiting, other, attempt: 7)), true)
  }

  @Test("links that are gone are forgotten; a connection's last word stays")
  func bounded() {
    var history = StateHistory()
    for number in 0..<1_000 {
      let subject = AMQPClientState.Subject.receiver("q", number: UInt64(number))
      _ = history.note(AMQPClientState(subject: subject, phase: .open, tier: .link))
      _ = history.note(AMQPClientState(subject: subject, phase: .ended, tier: .link))
    }
    _ = history.note(self.state(.ended, self.lost))
    #expect(history.current.count == 1)
    #expect(history.current[.connection(.sending)]?.cause == self.lost)
  }

  @Test("a state says in one sentence how it is")
  func sentence() {
    var state = self.state(.waiting, self.lost, attempt: 2)
    state.nextAttemptIn = .seconds(20)
    #expect(state.sentence == "sending connection: test (AMQP-107), next attempt in 20000 ms")
  }
}
