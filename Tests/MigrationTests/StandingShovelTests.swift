// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

/// A shovel is known to be gone by reading back, and by nothing else; until then nothing rests on the queues that it may be carrying.
@Suite("Shovels that may still carry")
struct StandingShovelTests {
  private static let left = ForwardingOrderTests.left
  private static let shovel = StandingShovel(
    node: "b", name: "tjenestebuss.0a.1", virtualHost: "/", from: Self.left,
    to: ForwardingOrderTests.address(Fixture.target))

  private func walk(_ phase: GroupPhase = .draining) -> GroupWalk {
    let walk = GroupWalk.standing(in: phase, policy: ForwardingOrderTests.policy)
    walk.send(.approveForwarding(ForwardingOrderTests.order { $0.carrier = .shovel }))
    return walk
  }

  private func work(_ walk: GroupWalk) -> ForwardingWork? {
    walk.group.forwardingWork(Fixture.plan([200], policy: ForwardingOrderTests.policy), in: walk.context)
  }

  private func gone(_ walk: GroupWalk) { walk.send(.shovelGone(node: "b", name: Self.shovel.name)) }

  private func stays(_ walk: GroupWalk, _ seen: String = "no answer") {
    walk.send(.shovelStays(node: "b", name: Self.shovel.name, code: "SHOVEL-003", seen: seen))
  }

  @Test("none is declared without an order for shovels, nor a second one for the same queue")
  func intended() {
    let own = GroupWalk.standing(in: .draining, policy: ForwardingOrderTests.policy)
    #expect(own.send(.shovelIntended(Self.shovel)).refusal?.code == .noForwarding)
    own.send(.approveForwarding(ForwardingOrderTests.order()))
    #expect(own.send(.shovelIntended(Self.shovel)).refusal?.code == .noForwarding)
    let walk = self.walk()
    #expect(walk.send(.shovelIntended(Self.shovel)).refusal == nil)
    #expect(walk.group.shovels.map(\.name) == [Self.shovel.name] && walk.group.shovels.first?.since == walk.now)
    #expect(walk.send(.shovelIntended(Self.shovel)).refusal?.code == .shovelStands)
    // One that carries as it should keeps nothing back.
    #expect(self.work(walk)?.routes.isEmpty == false)
    self.gone(walk)
    #expect(walk.group.shovels.isEmpty)
    #expect(walk.send(.shovelGone(node: "b", name: Self.shovel.name)).refusal?.code == .nothingDue)
  }

  @Test("one that was not shown to be gone keeps back whatever would be carried, until it is")
  func keepsBack() {
    let walk = self.walk()
    walk.send(.shovelIntended(Self.shovel))
    walk.send(.pauseForwarding(by: "Kari", why: "storm"))
    self.stays(walk)
    walk.send(.resumeForwarding(by: "Kari"))
    #expect(self.work(walk) == nil)
    let kept = walk.group.forwardingKeptBack(in: walk.context)
    #expect(kept?.code == .shovelStands && kept?.seen.contains("SHOVEL-003") == true, "\(String(describing: kept))")
    #expect(
      walk.send(.shovelStays(node: "b", name: Self.shovel.name, code: "SHOVEL-003", seen: "no answer")).refusal?.code
        == .nothingDue)
    walk.send(.looked(Fixture.look(depth: 3)))
    guard case .wait(let reason) = walk.group.next(in: walk.context, now: walk.now) else {
      Issue.record("it waits")
      return
    }
    #expect(reason.code == .shovelStands && reason.seen.contains(Self.shovel.name))
    // Our own forwarder is not begun beside it either.
    walk.send(.endForwarding(by: "Kari", why: "by ourselves"))
    walk.send(.approveForwarding(ForwardingOrderTests.order()))
    #expect(self.work(walk) == nil)
    self.gone(walk)
    #expect(self.work(walk) != nil)
  }

  @Test("a start of the daemon trusts none that was declared before, and none is carried beside it")
  func restart() {
    let walk = self.walk()
    walk.send(.shovelIntended(Self.shovel))
    walk.group.applyRestart(at: walk.now)
    #expect(walk.group.shovels.first?.staying?.code == "SHOVEL-007")
    let since = walk.group.shovels.first?.staying?.since
    walk.now = walk.now + .minutes(5)
    self.stays(walk)
    #expect(walk.group.shovels.first?.staying?.since == since)
    #expect(walk.group.forwardingKeptBack(in: walk.context)?.code == .shovelStands)
  }

  @Test("the way back carries nothing while a shovel of the way forward may carry against it")
  func turned() {
    let walk = self.walk()
    walk.send(.shovelIntended(Self.shovel))
    walk.group.apply(.rollBackStarted(by: "Kari", why: "asked"), at: walk.now, policy: ForwardingOrderTests.policy)
    #expect(walk.group.shovels.first?.staying == nil)
    #expect(walk.group.lingeringShovel?.name == Self.shovel.name)
    #expect(walk.send(.shovelGone(node: "b", name: Self.shovel.name)).refusal == nil)
    #expect(walk.group.lingeringShovel == nil)
  }

  @Test("nothing counts as drained while one stands, whatever the counters say and whoever answers for it")
  func verdict() {
    func quiet(_ walk: GroupWalk) {
      for _ in 0..<400 {
        walk.now = walk.now + .minutes(5)
        walk.send(.looked(Fixture.look()))
      }
    }
    let walk = self.walk()
    walk.send(.shovelIntended(Self.shovel))
    quiet(walk)
    #expect(walk.group.phase == .draining)
    #expect(walk.send(.waive(by: "Kari", why: "old", until: walk.now + .days(1))).refusal?.code == .shovelStands)
    let plan = Fixture.plan([200], policy: ForwardingOrderTests.policy)
    let verdict = walk.group.drainVerdict(plan, now: walk.now) { _ in nil }
    #expect(verdict.result == .notDrained && verdict.code == "MIG-427", "\(verdict.because)")
    self.gone(walk)
    walk.now = walk.now + .minutes(5)
    walk.send(.looked(Fixture.look()))
    #expect(walk.group.phase == .drained)
    #expect(walk.group.drainVerdict(plan, now: walk.now) { _ in nil }.isDrained)
  }

  @Test("what was read before the drain began, before the last look, or long ago is no look")
  func staleReadings() {
    let walk = GroupWalk.standing(in: .draining, policy: ForwardingOrderTests.policy)
    func look(_ readAt: Instant) -> [QueueReading] {
      Fixture.look().map { QueueReading(address: $0.address, kind: $0.kind, count: $0.count, readAt: readAt) }
    }
    walk.now = walk.now + .minutes(5)
    #expect(walk.send(.looked(look(walk.now + .milliseconds(-300_001)))).refusal?.code == .nothingDue)
    #expect(walk.send(.looked(look(walk.now + .seconds(-30)))).refusal == nil)
    let plan = Fixture.plan([200], policy: ForwardingOrderTests.policy)
    let verdict = walk.group.drainVerdict(plan, now: walk.now) { _ in nil }
    #expect(verdict.cannotProve.contains { $0.contains("last moments before a look") }, "\(verdict.cannotProve)")
    walk.now = walk.now + .minutes(5)
    #expect(walk.send(.looked(look(walk.now + .milliseconds(-300_001)))).refusal?.code == .nothingDue)
    walk.now = walk.now + .hours(2)
    #expect(walk.send(.looked(look(walk.now + .hours(-1)))).refusal?.code == .nothingDue)
    #expect(walk.send(.looked(look(walk.now + .seconds(1)))).refusal?.code == .nothingDue)
  }

  @Test("no queue may go, and no move be accepted, while a shovel may carry between them")
  func theEnd() {
    for (phase, input) in [
      (GroupPhase.accepted, GroupInput.retire(by: ["Kari", "Ola"])), (.retired, .approveRemoval(by: ["Kari", "Ola"])),
    ] {
      let walk = GroupWalk.standing(in: phase, policy: ForwardingOrderTests.policy)
      walk.group.apply(.shovelIntended(shovel: Self.shovel), at: walk.now, policy: ForwardingOrderTests.policy)
      walk.now = walk.now + .days(40)
      #expect(walk.send(input).refusal?.code == .shovelStands, "\(phase)")
    }
  }
}
