// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@testable import Migration

@Suite("A party's test protocol is signed before it is moved")
struct TestProtocolTests {
  private static let tests = TestProtocol(centralServices: ["Kjernejournal"])

  private func walk(_ herIDs: [Int32] = [200], in phase: GroupPhase = .known) -> GroupWalk {
    let walk = GroupWalk.standing(in: phase, herIDs)
    walk.context.policy.testProtocol = Self.tests
    return walk
  }

  private func sign(_ walk: GroupWalk, _ item: TestItem, _ herID: Int32 = 200, passed: Bool = true) -> GroupState.Outcome {
    walk.send(.signTest(Fixture.herID(herID), item, passed: passed, by: "Kari", seen: "with Sykehus Test"))
  }

  @Test("planned, it waits for a person, item by item; with the last one signed it goes on by itself")
  func story() {
    let walk = self.walk(in: .planned)
    for item in Self.tests.items {
      guard case .wait(let wait) = walk.group.next(in: walk.context, now: walk.now) else {
        Issue.record("it goes on without \(item)")
        return
      }
      #expect(wait.code == .testsNotSigned && wait.clears == .person && wait.seen.contains(item.text))
      #expect(self.sign(walk, item).refusal == nil)
    }
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.preflight))
    walk.go(to: .observing)
    #expect(walk.group.phase == .observing)
  }

  @Test("every item matters, and every party of the group", arguments: TestProtocolTests.tests.items.indices)
  func eachItem(left: Int) {
    for party in [Int32(100), 101, 102] {
      let walk = self.walk([100, 101, 102], in: .ready)
      for value in [Int32(100), 101, 102] {
        for (index, item) in Self.tests.items.enumerated() where !(value == party && index == left) {
          #expect(self.sign(walk, item, value).refusal == nil)
        }
      }
      #expect(walk.send(.advance).refusal?.code == .testsNotSigned)
      #expect(walk.group.missingTests(walk.policy).map(\.item) == [Self.tests.items[left]])
      #expect(self.sign(walk, Self.tests.items[left], party).refusal == nil)
      #expect(walk.send(.advance).refusal == nil)
    }
  }

  @Test("the last word counts: a test that fails later takes the signature away")
  func lastWord() {
    let walk = self.walk(in: .ready)
    for item in Self.tests.items { _ = self.sign(walk, item) }
    _ = self.sign(walk, .valueChain, passed: false)
    #expect(walk.send(.advance).refusal?.code == .testsNotSigned)
    _ = self.sign(walk, .valueChain)
    #expect(walk.send(.advance).refusal == nil)
  }

  @Test("what is not in the protocol, not in the group, by nobody, or after the cut is refused")
  func refusals() {
    let walk = self.walk()
    #expect(self.sign(walk, TestItem(text: "own-pong")).refusal?.code == .noSuchTest)
    #expect(self.sign(walk, TestItem(centralService: "Reseptformidleren")).refusal?.code == .noSuchTest)
    #expect(self.sign(walk, .ownPing, 300).refusal?.code == .unknownParty)
    #expect(walk.send(.signTest(Fixture.herID(200), .ownPing, passed: true, by: "", seen: "x")).refusal?.code == .nobodyNamed)
    #expect(self.sign(self.walk(in: .cutIntent), .ownPing).refusal?.code == .notInThisPhase)
    #expect(self.sign(GroupWalk(), .ownPing).refusal?.code == .noSuchTest)
  }

  @Test(
    "a write is kept back as long as nothing is written; a cut-over that is done is carried on, whatever is said of tests then")
  func carriedThrough() {
    let armed = self.walk(in: .armed)
    #expect(
      armed.send(.beginWrite(Fixture.herID(200), observed: armed.read(Fixture.herID(200)))).refusal?.code == .testsNotSigned)
    let applied = self.walk(in: .cutApplied)
    applied.go(to: .observing)
    #expect(applied.group.phase == .observing)
  }

  @Test("a pulje with a protocol, hooks or gates is written so that an older program stops at it; one without hashes as before")
  func versions() throws {
    /// As one was planned that knew nothing of the buses' dialects.
    func undialected(_ plan: Plan) -> Plan {
      var plan = plan
      plan.sourceDialect = nil
      plan.targetDialect = nil
      return plan
    }
    let plain = undialected(Fixture.plan([200]))
    #expect(MigrationEvent.puljeSealed(plan: plain, by: "Kari").version == 1)
    for change in [
      { $0.testProtocol = Self.tests }, { $0.hooks = ["x"] }, { $0.gates = Gates() },
    ] as [(inout Policy) -> Void] {
      var policy = Policy()
      change(&policy)
      let plan = undialected(Fixture.plan([200], policy: policy))
      #expect(plan.isClear && plan.hash != plain.hash)
      #expect(MigrationEvent.puljeSealed(plan: plan, by: "Kari").version == 3)
      let data = try CanonicalJSON.encode(plan)
      #expect(try JSONDecoder().decode(Plan.self, from: data).hash == plan.hash)
    }
    #expect(!String(decoding: try CanonicalJSON.encode(plain), as: UTF8.self).contains("gates"))
  }

  @Test("a protocol, hooks and gates that cannot be carried out block the plan")
  func unsound() {
    for change in [
      { $0.testProtocol = TestProtocol(ownPing: false, valueChain: false, vendorConfirms: false) },
      { $0.blocks = [.preflightFails] }, { $0.testProtocol = TestProtocol(centralServices: ["a", "a"]) }, { $0.hooks = [] },
      { $0.hooks = ["a", "a"] },
      {
        $0.gates = Gates()
        $0.gates?.measureInterval = .seconds(0)
      },
      {
        $0.gates = Gates()
        $0.gates?.pingLossPercent = 101
      },
    ] as [(inout Policy) -> Void] {
      var policy = Policy()
      change(&policy)
      #expect(Fixture.plan([200], policy: policy).obstacles.map(\.code) == [.policyUnsound])
    }
  }
}
