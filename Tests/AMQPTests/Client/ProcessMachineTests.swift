// SPDX-License-Identifier: Apache-2.0

import Computing
import Testing

@testable import AMQP

@Suite("Processing: what starts, in what order, and how it ends", .serialized, .computing)
struct ProcessMachineTests {
  typealias Machine = ProcessMachine<String>

  private static let link = AMQPEpoch(connection: 1, link: 1)
  private static let nextLink = AMQPEpoch(connection: 1, link: 2)
  private static let reason = AMQPCondition("amqp:decode-error")

  private func machine(
    concurrent: Int = 2, retries: Int = 0, poison: Int? = 10, near: Int? = 15, failedKeepPlace: Bool = true
  ) -> Machine {
    Machine(
      .init(
        maximumConcurrent: concurrent, retriesAtOnce: retries, retryDelay: .seconds(60), poisonLimit: poison, reportedFrom: near,
        failedKeepPlace: failedKeepPlace))
  }

  private func arrive(
    _ machine: inout Machine, _ ticket: UInt64, _ key: String? = nil, id: AMQPMessageID? = nil, earlier: Int = 0
  ) -> [Machine.Action] {
    machine.arrived(ticket, key: key, messageID: id, generation: Self.link, earlierDeliveries: earlier)
  }

  /// The first of three of a key has failed, been held, and all are handed back.
  private func handedBack(_ machine: inout Machine) {
    for (ticket, id) in [(1, "m1"), (2, "m2"), (3, "m3")] as [(UInt64, String)] {
      _ = self.arrive(&machine, ticket, "a", id: .string(id))
    }
    _ = machine.finished(1, run: 1, .failure(.delay(.seconds(5))))
    same(
      machine.holdOver(1),
      [
        .settle(1, .handBackFailed), .settle(2, .handBackUnbegun), .settle(3, .handBackUnbegun),
        .expectReturn("a", round: 1, .seconds(10)),
      ])
  }

  @Test("what was on its way while a key's messages were handed back does not overtake them: it waits until they have come again")
  func notOvertaken() {
    var machine = self.machine()
    self.handedBack(&machine)
    same(self.arrive(&machine, 4, "a", id: "m4"), [])
    same(self.arrive(&machine, 5, "b", id: "other"), [.start(5, run: 1)])
    // In any order: the bus may mix them.
    same(self.arrive(&machine, 6, "a", id: "m2"), [])
    same(self.arrive(&machine, 7, "a", id: "m1"), [.start(7, run: 1)])
    same(self.arrive(&machine, 8, "a", id: "m5"), [])
    same(machine.finished(7, run: 1, .success), [.settle(7, .accept), .start(6, run: 1)])
    same(machine.finished(6, run: 1, .success), [.settle(6, .accept)])
    same(self.arrive(&machine, 9, "a", id: "m3"), [.start(9, run: 1)])
    same(machine.finished(9, run: 1, .success), [.settle(9, .accept), .start(4, run: 1)])
    same(machine.finished(4, run: 1, .success), [.settle(4, .accept), .start(8, run: 1)])
    same(machine.returnOver("a", round: 1), [])
  }

  @Test("what does not come again is not waited for without end; nor is it when the link is lost, or when it comes as poison")
  func noEndlessReturn() {
    var machine = self.machine()
    self.handedBack(&machine)
    same(self.arrive(&machine, 4, "a", id: "m4"), [])
    same(machine.returnOver("a", round: 9), [])
    same(machine.returnOver("a", round: 1), [.start(4, run: 1)])

    machine = self.machine()
    self.handedBack(&machine)
    same(self.arrive(&machine, 4, "a", id: "m4"), [])
    same(machine.linkLost(generation: Self.link), [.forget(4, wasHandled: false)])
    same(machine.arrived(5, key: "a", messageID: "m4", generation: Self.nextLink, earlierDeliveries: 0), [.start(5, run: 1)])

    machine = self.machine()
    self.handedBack(&machine)
    same(self.arrive(&machine, 4, "a", id: "m4"), [])
    _ = self.arrive(&machine, 5, "a", id: "m2", earlier: 10)
    _ = self.arrive(&machine, 6, "a", id: "m3", earlier: 10)
    #expect(self.arrive(&machine, 7, "a", id: "m1", earlier: 10).last == .start(4, run: 1))
  }

  @Test("as many start as may; the next when one has ended; success is accepted")
  func concurrency() {
    var machine = self.machine()
    same(self.arrive(&machine, 1), [.start(1, run: 1)])
    same(self.arrive(&machine, 2), [.start(2, run: 1)])
    same(self.arrive(&machine, 3), [])
    same(machine.finished(1, run: 1, .success), [.settle(1, .accept), .start(3, run: 1)])
  }

  @Test("of one key one at a time, in order; other keys and those without go past")
  func order() {
    var machine = self.machine(concurrent: 3)
    same(self.arrive(&machine, 1, "a"), [.start(1, run: 1)])
    same(self.arrive(&machine, 2, "a"), [])
    same(self.arrive(&machine, 3, "b"), [.start(3, run: 1)])
    same(self.arrive(&machine, 4), [.start(4, run: 1)])
    same(machine.finished(3, run: 1, .success), [.settle(3, .accept)])
    same(machine.finished(1, run: 1, .success), [.settle(1, .accept), .start(2, run: 1)])
  }

  @Test("a failure is held, with those behind it, and then handed back together; nothing is released at once")
  func held() {
    var machine = self.machine()
    _ = self.arrive(&machine, 1, "a")
    _ = self.arrive(&machine, 2, "a")
    same(machine.finished(1, run: 1, .failure(.delay(.seconds(5)))), [.hold(1, .seconds(5))])
    same(self.arrive(&machine, 3, "a"), [])
    same(machine.holdOver(1), [.settle(1, .handBackFailed), .settle(2, .handBackUnbegun), .settle(3, .handBackUnbegun)])
    same(machine.holdOver(1), [])
    // Without message ids they cannot be known again.
    same(self.arrive(&machine, 4, "a"), [.start(4, run: 1)])
  }

  @Test("where a failed one keeps no place, those behind it go on, and it alone is handed back")
  func passedBy() {
    var machine = self.machine(failedKeepPlace: false)
    _ = self.arrive(&machine, 1, "a")
    _ = self.arrive(&machine, 2, "a")
    same(machine.finished(1, run: 1, .failure(.delay(.seconds(5)))), [.hold(1, .seconds(5)), .start(2, run: 1)])
    same(machine.holdOver(1), [.settle(1, .handBackFailed)])
    same(machine.finished(2, run: 1, .success), [.settle(2, .accept)])
  }

  @Test("given back at once, and held without being counted as a failure, as the verdict says")
  func untouched() {
    var machine = self.machine()
    _ = self.arrive(&machine, 1)
    same(machine.finished(1, run: 1, .failure(.delay(.zero, failed: false))), [.settle(1, .handBackUnbegun)])
    _ = self.arrive(&machine, 2)
    same(machine.finished(2, run: 1, .failure(.delay(.seconds(1), failed: false))), [.hold(2, .seconds(1))])
    same(machine.holdOver(2), [.settle(2, .handBackUnbegun)])
    _ = self.arrive(&machine, 3)
    same(machine.finished(3, run: 1, .failure(.delay(.seconds(1), failed: false))), [.hold(3, .seconds(1))])
    same(machine.stop(), [.leave, .settle(3, .handBackUnbegun), .done])
  }

  @Test("what needs no place is begun at once, however many are at work; a place that it asks for comes in its turn")
  func places() {
    var machine = self.machine(concurrent: 1)
    func ping(_ ticket: UInt64) -> [Machine.Action] {
      machine.arrived(ticket, key: nil, needsPlace: false, generation: Self.link, earlierDeliveries: 0)
    }
    _ = self.arrive(&machine, 1)
    same(ping(2), [.start(2, run: 1)])
    same(ping(3), [.start(3, run: 1)])
    #expect(machine.runningCount == 1)
    same(machine.askedForPlace(2, run: 1), [])
    same(self.arrive(&machine, 4), [])
    same(machine.finished(3, run: 1, .success), [.settle(3, .accept)])
    same(machine.askedForPlace(1, run: 1), [.givePlace(1, true)])
    same(machine.finished(1, run: 1, .success), [.settle(1, .accept), .givePlace(2, true)])
    same(machine.finished(2, run: 1, .success), [.settle(2, .accept), .start(4, run: 1)])
    same(ping(5), [.start(5, run: 1)])
    same(machine.askedForPlace(5, run: 1), [])
    same(machine.stop(), [.leave, .givePlace(5, false)])
    same(machine.askedForPlace(5, run: 1), [.givePlace(5, false)])
    same(machine.finished(5, run: 1, .failure(.delay(.zero, failed: false))), [.settle(5, .handBackUnbegun)])
    #expect(machine.runningCount == 1)
  }

  @Test("again at once, as often as allowed; then held")
  func retries() {
    var machine = self.machine(retries: 2)
    _ = self.arrive(&machine, 1)
    same(machine.finished(1, run: 1, .failure(.retryNow)), [.start(1, run: 2)])
    same(machine.finished(1, run: 1, .success), [])
    same(machine.finished(1, run: 2, .failure(.retryNow)), [.start(1, run: 3)])
    same(machine.finished(1, run: 3, .failure(.retryNow)), [.hold(1, .seconds(60))])
  }

  @Test("dead-lettered with its reason; poison unseen; near the limit reported")
  func deadLetters() {
    var machine = self.machine(poison: 12, near: 9)
    _ = self.arrive(&machine, 1)
    same(machine.finished(1, run: 1, .failure(.deadLetter(Self.reason))), [.settle(1, .deadLetter(Self.reason))])
    same(self.arrive(&machine, 2, earlier: 9), [.reportNearLimit(2, deliveries: 9), .start(2, run: 1)])
    guard case .settle(3, .deadLetter(let reason))? = self.arrive(&machine, 3, earlier: 12).first else {
      Issue.record("poison was not dead-lettered")
      return
    }
    #expect(reason.text?.contains("12") == true)
  }

  @Test("taken back by the bus: the handler is cancelled, and settling unlocks; one that waits is settled at once")
  func withdrawn() {
    var machine = self.machine(concurrent: 1)
    _ = self.arrive(&machine, 1)
    _ = self.arrive(&machine, 2)
    same(machine.withdrawn(2), [.settle(2, .unlock)])
    same(machine.withdrawn(1), [.cancel(1)])
    same(machine.withdrawn(1), [])
    same(machine.finished(1, run: 1, .failure(.delay(.seconds(1)))), [.settle(1, .unlock)])
  }

  @Test(
    "taken back by the bus: those of its key behind it go back before the link is unlocked, or later ones would overtake them")
  func withdrawnInOrder() {
    var machine = self.machine(concurrent: 3)
    for ticket in 1...4 as ClosedRange<UInt64> { _ = self.arrive(&machine, ticket, "a") }
    _ = self.arrive(&machine, 5, "b")
    // Not the one at work: that goes on, and what is before the one taken back stays.
    same(machine.withdrawn(3), [.settle(4, .handBackUnbegun), .settle(3, .unlock)])
    same(machine.withdrawn(1), [.cancel(1)])
    same(
      machine.finished(1, run: 1, .failure(.delay(.seconds(1)))), [.settle(2, .handBackUnbegun), .settle(1, .unlock)])
    same(self.arrive(&machine, 6, "a"), [.start(6, run: 1)])
  }

  @Test("the link is lost: what waits is dropped, handlers go on, and the same key waits for them")
  func linkLost() {
    var machine = self.machine()
    _ = self.arrive(&machine, 1, "a")
    _ = self.arrive(&machine, 2, "a")
    same(machine.linkLost(generation: Self.link), [.forget(2, wasHandled: false)])
    same(self.arrive(&machine, 3, "b"), [.forget(3, wasHandled: false)])
    same(machine.arrived(4, key: "a", generation: Self.nextLink, earlierDeliveries: 1), [])
    same(machine.finished(1, run: 1, .success), [.forget(1, wasHandled: true), .start(4, run: 1)])
  }

  @Test("stopping: nothing starts, what waits is handed back, handlers end; at the deadline they are cancelled")
  func stop() {
    var machine = self.machine(concurrent: 1)
    _ = self.arrive(&machine, 1)
    _ = self.arrive(&machine, 2)
    same(machine.stop(), [.leave, .settle(2, .handBackUnbegun)])
    same(self.arrive(&machine, 3), [.settle(3, .handBackUnbegun)])
    same(machine.deadlinePassed(), [.cancel(1)])
    same(machine.finished(1, run: 1, .success), [.settle(1, .accept), .done])
  }

  @Test("a handler that heeds no cancellation: its delivery is handed back, whatever it does after that")
  func stubborn() {
    var machine = self.machine()
    _ = self.arrive(&machine, 1)
    _ = machine.deadlinePassed()
    same(machine.graceOver(), [.settle(1, .handBackUnbegun)])
    same(machine.graceOver(), [])
    same(machine.finished(1, run: 1, .success), [.done])
  }

  @Test("in any order of events: never too many at once, keys in order, each settled once, none forgotten", arguments: 0..<100)
  func model(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    let limit = Int.random(in: 1...4, using: &random)
    var machine = self.machine(concurrent: limit, retries: 1, poison: 10, near: 8)
    var link: UInt64 = 1
    var running: [UInt64: Int] = [:]
    var held: Set<UInt64> = []
    var ended: [UInt64: Int] = [:]
    var keys: [UInt64: String] = [:]
    var links: [UInt64: UInt64] = [:]
    var started: [String: UInt64] = [:]
    var free: Set<UInt64> = []
    var expected: [(key: String, round: UInt64)] = []
    var last: UInt64 = 0
    var isStopped = false
    var dones = 0

    func take(_ actions: [Machine.Action]) {
      for action in actions {
        switch action {
        case .start(let ticket, let run):
          #expect(!isStopped, "started after the stop")
          #expect(ended[ticket] == nil)
          running[ticket] = run
          if run == 1, let key = keys[ticket] {
            #expect(!running.keys.contains { $0 != ticket && keys[$0] == key }, "two of one key at once")
            #expect(!held.contains { keys[$0] == key }, "went past one of its key that is held")
            // Those that came back go before those that came meanwhile.
            if !machine.hasReturned(ticket) {
              #expect(started[key, default: 0] < ticket, "out of order")
              started[key] = ticket
            }
          }
        case .settle(let ticket, _), .forget(let ticket, _):
          ended[ticket, default: 0] += 1
          held.remove(ticket)
        case .hold(let ticket, _): held.insert(ticket)
        case .cancel(let ticket): #expect(running[ticket] != nil)
        case .givePlace(let ticket, let isGiven):
          #expect(running[ticket] != nil)
          if isGiven { free.remove(ticket) }
        case .leave: #expect(isStopped)
        case .expectReturn(let key, let round, _): expected.append((key, round))
        case .reportNearLimit: break
        case .done: dones += 1
        }
      }
      #expect(running.keys.count { !free.contains($0) } <= limit)
      #expect(machine.runningCount <= limit)
    }

    for step in 0..<600 {
      if step == 500 {
        isStopped = true
        take(machine.stop())
      }
      switch Int.random(in: 0..<20, using: &random) {
      case 0..<8:
        last += 1
        keys[last] = ["a", "b", nil].randomElement(using: &random) ?? nil
        links[last] = link
        let needsPlace = Int.random(in: 0..<4, using: &random) > 0
        if !needsPlace { free.insert(last) }
        take(
          machine.arrived(
            last, key: keys[last], messageID: .ulong(UInt64.random(in: 0..<30, using: &random)), needsPlace: needsPlace,
            generation: AMQPEpoch(connection: 1, link: link),
            earlierDeliveries: Int.random(in: 0...11, using: &random)))
      case 8..<16:
        guard let (ticket, run) = running.randomElement(using: &random) else { continue }
        running[ticket] = nil
        let reactions: [Machine.Ending] = [
          .success, .success, .failure(.retryNow), .failure(.delay(.seconds(1))), .failure(.deadLetter(Self.reason)),
        ]
        take(machine.finished(ticket, run: run, reactions.randomElement(using: &random) ?? .success))
      case 16:
        guard let (ticket, run) = running.randomElement(using: &random) else { continue }
        take(machine.askedForPlace(ticket, run: run))
      case 17 where Bool.random(using: &random):
        if let one = expected.popLast() { take(machine.returnOver(one.key, round: one.round)) }
      case 17: if let ticket = held.randomElement(using: &random) { take(machine.holdOver(ticket)) }
      case 18: if last > 0 { take(machine.withdrawn(UInt64.random(in: 1...last, using: &random))) }
      default:
        take(machine.linkLost(generation: AMQPEpoch(connection: 1, link: link)))
        link += 1
      }
    }
    while let (ticket, run) = running.first {
      running[ticket] = nil
      take(machine.finished(ticket, run: run, .success))
    }
    #expect(machine.count == 0)
    #expect(dones == 1)
    #expect(ended.count == Int(last))
    #expect(ended.values.allSatisfy { $0 == 1 })
  }
}
