// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import AMQP

@Suite("The life of a connection")
struct ConnectionMachineTests {
  private static func error(_ code: AMQPError.Code, _ seen: String = "test") -> AMQPError {
    AMQPError(code, .connection, .remote, tried: "test", seen: seen)
  }
  private let closed = error(.connectionClosed)
  private let lost = error(.connectionLost)
  private let plain = error(.connectionLost, "plain")
  private let byPeer = error(.connectionClosedByPeer)

  @Test("open, close, the channel goes: one Close, one end, and the reason is our own wish")
  func orderly() {
    var machine = ConnectionMachine(epoch: 1)
    same(machine.handle(.opened), [.announceOpen])
    same(machine.handle(.closeAsked(self.closed)), [.sendClose(nil)])
    same(machine.handle(.closeAsked(self.closed)), [])
    same(machine.handle(.closedByPeer(self.byPeer)), [])
    same(machine.handle(.transportClosed), [.cutChannel])
    same(machine.handle(.channelClosed(below: nil, plain: self.plain)), [.end(self.closed)])
    same(machine.handle(.channelClosed(below: nil, plain: self.plain)), [])
    same(machine.handle(.abortAsked(self.lost)), [])
  }

  @Test("the peer's Close is answered, and its words are the reason")
  func peerCloses() {
    var machine = ConnectionMachine(epoch: 1)
    _ = machine.handle(.opened)
    same(machine.handle(.closedByPeer(self.byPeer)), [.sendClose(nil)])
    same(machine.failure, self.byPeer)
    same(machine.handle(.transportFailed(self.lost)), [.cutAfterLastWords])
    same(machine.handle(.channelClosed(below: Self.error(.tlsFailed), plain: self.plain)), [.end(self.byPeer)])
  }

  @Test("what the socket or TLS saw explains more than Proton's view of the same loss")
  func below() {
    var machine = ConnectionMachine(epoch: 1)
    same(machine.handle(.transportFailed(self.lost)), [.cutAfterLastWords])
    let tls = Self.error(.certificateRefused)
    same(machine.handle(.channelClosed(below: tls, plain: self.plain)), [.end(tls)])
  }

  @Test("a refused login is not replaced by the broken socket that follows")
  func loginRefused() {
    var machine = ConnectionMachine(epoch: 1)
    let refused = Self.error(.loginRefused)
    same(machine.handle(.transportFailed(refused)), [.cutAfterLastWords])
    same(machine.handle(.channelClosed(below: Self.error(.connectionLost, "reset"), plain: self.plain)), [.end(refused)])
  }

  @Test("nobody gave a reason: the TCP connection was closed")
  func noReason() {
    var machine = ConnectionMachine(epoch: 1)
    same(machine.handle(.channelClosed(below: nil, plain: self.plain)), [.end(self.plain)])
  }

  @Test("what is said of an earlier connection, or a later one, changes nothing")
  func otherGeneration() {
    var machine = ConnectionMachine(epoch: 2)
    let error = Self.error(.connectionLost, "late")
    for epoch: UInt64 in [1, 3] {
      for event: ConnectionMachine.Event in [
        .opened, .closeAsked(error), .closedByPeer(error), .violated(error, AMQPCondition("x:y")), .transportFailed(error),
        .transportClosed, .abortAsked(error), .channelClosed(below: error, plain: self.plain),
      ] { same(machine.handle(event, of: epoch), []) }
    }
    #expect(machine.state == .connecting)
    #expect(machine.failure == nil)
    same(machine.handle(.opened, of: 2), [.announceOpen])
  }

  @Test(
    "in any order of events: one announcement at most, one Close at most, one end, last, with the first reason",
    arguments: 0..<100)
  func model(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    var machine = ConnectionMachine(epoch: 1)
    var actions: [ConnectionMachine.Action] = []
    var firstReason: AMQPError?
    for step in 0..<50 {
      let error = Self.error(
        [.connectionLost, .connectionClosedByPeer, .protocolViolated].randomElement(using: &generator) ?? .connectionLost,
        "\(step)")
      let event: ConnectionMachine.Event
      switch Int.random(in: 0..<12, using: &generator) {
      case 0..<4: event = .opened
      case 4: event = .closeAsked(error)
      case 5: event = .closedByPeer(error)
      case 6: event = .violated(error, AMQPCondition("x:y"))
      case 7: event = .transportFailed(error)
      case 8: event = .transportClosed
      case 9: event = .abortAsked(nil)
      case 10: event = .abortAsked(error)
      default: event = .channelClosed(below: nil, plain: self.plain)
      }
      let before = machine.failure
      if Int.random(in: 0..<4, using: &generator) == 0 {
        same(machine.handle(event, of: 0), [])
        continue
      }
      actions += machine.handle(event)
      if firstReason == nil { firstReason = machine.failure }
      if let before { #expect(machine.failure == before, "a later reason replaced the first") }
      #expect((machine.state == .closed) == (actions.last.map { if case .end = $0 { true } else { false } } ?? false))
    }
    _ = machine.handle(.channelClosed(below: nil, plain: self.plain))
    #expect(actions.count { $0 == .announceOpen } <= 1)
    #expect(actions.count { if case .sendClose = $0 { true } else { false } } <= 1)
    #expect(actions.count { if case .end = $0 { true } else { false } } <= 1)
    if case .end(let reason)? = actions.last { #expect(reason == firstReason) }
  }
}

@Suite("The watchdog of a connection's links")
struct WatchdogMachineTests {
  private typealias Machine = WatchdogMachine<Int>
  private let machine = Machine(limits: .init(stalled: .seconds(60), quiet: .seconds(600), idle: .seconds(30)))

  private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

  private func view(_ credit: Int, held: Int = 0, granting: Bool = true, since: Int64 = 0) -> Machine.View {
    Machine.View(link: 1, credit: credit, held: held, isGranting: granting, lastActivity: self.at(since))
  }

  @Test("no credit and nothing held is a stall after a minute; with something held, or while draining, it is not")
  func stalled() {
    #expect(self.machine.check([self.view(0)], lastRead: self.at(59), at: self.at(59)) == [])
    #expect(self.machine.check([self.view(0)], lastRead: self.at(60), at: self.at(60)) == [.stalled(1, since: self.at(0))])
    #expect(self.machine.check([self.view(-3)], lastRead: self.at(60), at: self.at(60)) == [.stalled(1, since: self.at(0))])
    #expect(self.machine.check([self.view(0, held: 1)], lastRead: self.at(900), at: self.at(900)) == [])
    #expect(self.machine.check([self.view(0, granting: false)], lastRead: self.at(900), at: self.at(900)) == [])
  }

  @Test("credit and not a sign of life for ten minutes: quiet; not while something is held, and never when switched off")
  func quiet() {
    #expect(self.machine.check([self.view(10)], lastRead: self.at(599), at: self.at(599)) == [])
    #expect(self.machine.check([self.view(10)], lastRead: self.at(600), at: self.at(600)) == [.quiet(1, since: self.at(0))])
    #expect(self.machine.check([self.view(10, held: 2)], lastRead: self.at(600), at: self.at(600)) == [])
    #expect(self.machine.check([self.view(10, since: 300)], lastRead: self.at(600), at: self.at(600)) == [])
    let never = Machine(limits: .init(stalled: .seconds(60), quiet: nil, idle: .seconds(30)))
    #expect(never.check([self.view(10)], lastRead: self.at(9_000), at: self.at(9_000)) == [])
  }

  @Test("no frame within twice the idle time: the connection itself")
  func silent() {
    #expect(self.machine.check([self.view(0)], lastRead: self.at(10), at: self.at(70)) == [.connectionSilent(since: self.at(10))])
  }

  @Test("the next check is never at once, never later than a stall can be due, and finds everything", arguments: 0..<50)
  func model(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    let stalledAfter = Int64.random(in: 1...100, using: &generator)
    let machine = Machine(limits: .init(stalled: .seconds(stalledAfter), quiet: nil, idle: .seconds(10_000)))
    var now: NIODeadline = self.at(0)
    var standsSince: NIODeadline = self.at(0)
    var view = self.view(5)
    for _ in 0..<200 {
      if Bool.random(using: &generator) {
        // Something happens between two checks: the link moves, or it comes to a stand.
        standsSince = now
        view = Machine.View(
          link: 1, credit: Bool.random(using: &generator) ? 0 : 5, held: 0, isGranting: true, lastActivity: now)
      }
      let next = machine.nextCheck([view], lastRead: now, after: now)
      #expect(next > now)
      #expect(next <= now + .seconds(stalledAfter))
      now = next
      let verdicts = machine.check([view], lastRead: now, at: now)
      let isDue = view.credit == 0 && now >= standsSince + .seconds(stalledAfter)
      #expect(verdicts == (isDue ? [.stalled(1, since: standsSince)] : []))
    }
  }
}

extension ConnectionMachine {
  /// An event of its own connection.
  fileprivate mutating func handle(_ event: Event) -> [Action] { self.handle(event, of: self.epoch) }
}
