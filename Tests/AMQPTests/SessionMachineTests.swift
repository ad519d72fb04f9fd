// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import AMQP

@Suite("The sessions of a connection")
struct SessionMachineTests {
  private typealias Machine = SessionMachine<Int, Int>
  private let far = NIODeadline.distantFuture

  private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }
  private func request(_ number: Int) -> Machine.RequestID { .init(number: number) }

  @Test("a session whose link was detached serves the next link, unless that one wants a new session")
  func reuse() {
    var machine = Machine(limit: 64)
    same(machine.attach(self.request(1), deadline: self.far), [.begin(self.request(1), on: nil)])
    machine.begun(self.request(1), on: 100, links: [1])
    same(machine.detachStarted(1, at: self.at(0)), [])
    same(machine.detached(1, at: self.at(0)), [])
    same(machine.attach(self.request(2), needsNewSession: true, deadline: self.far), [.begin(self.request(2), on: nil)])
    machine.begun(self.request(2), on: 101, links: [2])
    same(machine.attach(self.request(3), deadline: self.far), [.begin(self.request(3), on: 100)])
    machine.begun(self.request(3), on: 100, links: [3])
    same(machine.count, 2)
  }

  @Test("the peer's End is answered half a second later, and the links are told of at once; no more than 16 wait")
  func held() {
    var machine = Machine(limit: 64)
    for number in 1...17 {
      same(machine.attach(self.request(number), deadline: self.far), [.begin(self.request(number), on: nil)])
      machine.begun(self.request(number), on: 100 + number, links: [number])
    }
    for number in 1...16 {
      let (links, actions) = machine.endedByPeer(100 + number, at: self.at(Int64(number)))
      #expect(links == [number])
      #expect(actions == [])
    }
    let (links, actions) = machine.endedByPeer(117, at: self.at(20))
    #expect(links == [17])
    #expect(actions == [.end(101)])
    #expect(machine.nextDeadline == self.at(502))
    same(machine.passed(self.at(502)), [.end(102)])
    let again = machine.endedByPeer(117, at: self.at(600))
    #expect(again.lost.isEmpty && again.actions.isEmpty)
  }

  @Test("no session is begun while an End of ours is unanswered; after a second nobody waits for it any more")
  func ending() {
    var machine = Machine(limit: 64)
    _ = machine.attach(self.request(1), deadline: self.far)
    machine.begun(self.request(1), on: 100, links: [1])
    same(machine.lost(1, at: self.at(0)), [.end(100)])
    same(machine.attach(self.request(2), deadline: self.at(5_000)), [])
    #expect(machine.nextDeadline == self.at(1_000))
    same(machine.passed(self.at(1_000)), [.begin(self.request(2), on: nil)])

    machine.begun(self.request(2), on: 101, links: [2])
    same(machine.lost(2, at: self.at(2_000)), [.end(101)])
    same(machine.attach(self.request(3), deadline: self.at(2_500)), [])
    same(machine.attach(self.request(4), deadline: self.at(9_000)), [])
    same(machine.passed(self.at(2_500)), [.timedOut(self.request(3))])
    let answer = machine.endedByPeer(101, at: self.at(2_600))
    #expect(answer.actions == [.begin(self.request(4), on: nil)])
  }

  @Test("RabbitMQ 3 answers no Detach: the session is ended with its link, after the next one was begun")
  func rabbitMQ3() {
    var machine = Machine(limit: 64)
    machine.answersCloseOfLink = false
    _ = machine.attach(self.request(1), deadline: self.far)
    machine.begun(self.request(1), on: 100, links: [1])
    same(machine.detachStarted(1, at: self.at(0)), [.beginSpare, .startEnd(100)])
    machine.spareBegun(101)
    // The spare one is used at once, whether the End is answered or not.
    same(machine.attach(self.request(2), deadline: self.far), [.begin(self.request(2), on: 101)])
    machine.begun(self.request(2), on: 101, links: [2])
    let (links, actions) = machine.endedByPeer(100, at: self.at(10))
    #expect(links == [1], "the End stands for the Detach that never comes")
    #expect(actions == [])
  }

  @Test("over the limit an attach is refused, unless a session is just going")
  func limit() {
    var machine = Machine(limit: 2)
    for number in 1...2 {
      _ = machine.attach(self.request(number), deadline: self.far)
      machine.begun(self.request(number), on: 100 + number, links: [number])
    }
    same(machine.attach(self.request(3), deadline: self.far), [.refused(self.request(3))])
    _ = machine.endedByPeer(101, at: self.at(0))
    same(machine.attach(self.request(4), deadline: self.far), [])
    same(machine.passed(self.at(500)), [.end(101), .begin(self.request(4), on: nil)])
  }

  @Test(
    "whatever happens: every attach is begun, refused or timed out exactly once, and no session serves two", arguments: 0..<50)
  func model(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    var machine = Machine(limit: 8)
    machine.answersCloseOfLink = Bool.random(using: &generator)
    var now: Int64 = 0
    var lastID = 0
    var asked: Set<Int> = []
    var decided: [Int: Int] = [:]
    /// What stands at the peer: session, and its link.
    var linkOf: [Int: Int] = [:]
    var ended: Set<Int> = []
    func carryOut(_ actions: [Machine.Action]) {
      for action in actions {
        switch action {
        case .begin(let request, let session):
          decided[request.number, default: 0] += 1
          lastID += 1
          let link = lastID
          var on = session
          if on == nil {
            lastID += 1
            on = lastID
          }
          if let on {
            #expect(linkOf[on] == nil, "session \(on) has a link already")
            #expect(!ended.contains(on), "session \(on) is going")
            linkOf[on] = link
            machine.begun(request, on: on, links: [link])
          }
        case .beginSpare:
          lastID += 1
          machine.spareBegun(lastID)
        case .startEnd(let session), .end(let session):
          ended.insert(session)
          linkOf[session] = nil
        case .timedOut(let request), .refused(let request): decided[request.number, default: 0] += 1
        }
        #expect(machine.count <= 8, "more sessions than may stand")
      }
    }
    for _ in 0..<1_000 {
      now += Int64.random(in: 0..<200, using: &generator)
      let time = self.at(now)
      switch Int.random(in: 0..<6, using: &generator) {
      case 0, 1:
        lastID += 1
        asked.insert(lastID)
        let isNew = Int.random(in: 0..<8, using: &generator) == 0
        carryOut(machine.attach(self.request(lastID), needsNewSession: isNew, deadline: time + .seconds(2)))
      case 2:
        if let (session, link) = linkOf.randomElement(using: &generator) {
          linkOf[session] = nil
          carryOut(machine.detachStarted(link, at: time))
          if machine.answersCloseOfLink { carryOut(machine.detached(link, at: time)) }
        }
      case 3:
        if let (session, link) = linkOf.randomElement(using: &generator) {
          linkOf[session] = nil
          carryOut(machine.lost(link, at: time))
        }
      case 4:
        if let session = linkOf.keys.randomElement(using: &generator) {
          linkOf[session] = nil
          ended.insert(session)
          carryOut(machine.endedByPeer(session, at: time).actions)
        } else if let session = ended.randomElement(using: &generator) {
          carryOut(machine.endedByPeer(session, at: time).actions)
        }
      default: carryOut(machine.passed(time))
      }
    }
    carryOut(machine.passed(self.at(now + 10_000)))
    carryOut(machine.passed(self.at(now + 20_000)))
    #expect(Set(decided.keys) == asked)
    #expect(decided.values.allSatisfy { $0 == 1 })
    machine.connectionEnded()
    same(machine.attach(self.request(-1), deadline: self.far), [])
    #expect(machine.nextDeadline == nil)
  }
}
