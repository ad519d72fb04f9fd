// SPDX-License-Identifier: Apache-2.0

import BusModel
import Computing
import Testing

@testable import Migration

/// Carrying over what strands: who may order it, where it may happen, and how its count balances.
@Suite("Orders to carry over what strands", .serialized, .computing)
struct ForwardingOrderTests {
  static let policy: Policy = {
    var policy = Policy()
    policy.leftovers = .forward
    return policy
  }()

  static func order(_ people: [String] = ["Kari", "Ola"], _ change: (inout ForwardingOrder) -> Void = { _ in }) -> ForwardingOrder
  {
    var order = ForwardingOrder(approvals: people)
    change(&order)
    return order
  }

  static func address(_ bus: Bus, _ kind: QueueKind = .asynchronous, _ party: Int32 = 200) -> QueueAddress {
    QueueAddress(host: bus.hosts[0], path: bus.path, queue: "\(party)_\(kind.rawValue)")
  }

  static let left = Self.address(Fixture.source)

  func walk(_ phase: GroupPhase = .draining, ordered: Bool = true) -> GroupWalk {
    let walk = GroupWalk.standing(in: phase, policy: Self.policy)
    if ordered { walk.send(.approveForwarding(Self.order())) }
    return walk
  }

  func work(_ walk: GroupWalk) -> ForwardingWork? {
    walk.group.forwardingWork(Fixture.plan([200], policy: Self.policy), in: walk.context)
  }

  @Test("it may be ordered once the drain has begun, and until the move is accepted; both ways", arguments: GroupPhase.allCases)
  func phases(phase: GroupPhase) {
    let walk = self.walk(phase, ordered: false)
    let allowed: Set<GroupPhase> = [.draining, .drained, .observing, .backDraining, .backDrained]
    #expect(walk.send(.approveForwarding(Self.order())).refusal?.code == (allowed.contains(phase) ? nil : .notInThisPhase))
  }

  @Test("forward it takes as many people as the policy asks for, back it takes one; nobody is too few")
  func approvals() {
    let walk = self.walk(ordered: false)
    #expect(walk.send(.approveForwarding(Self.order(["Kari"]))).refusal?.code == .tooFewApprovals)
    #expect(walk.send(.approveForwarding(Self.order(["Kari", " KARI "]))).refusal?.code == .tooFewApprovals)
    #expect(walk.send(.approveForwarding(Self.order())).refusal == nil)
    let back = self.walk(.backDraining, ordered: false)
    #expect(back.send(.approveForwarding(Self.order([]))).refusal?.code == .tooFewApprovals)
    #expect(back.send(.approveForwarding(Self.order(["Kari"]))).refusal == nil)
  }

  @Test("an order that cannot be carried out is refused: synchronous messages are left to expire")
  func unsound() {
    let unsound: [(inout ForwardingOrder) -> Void] = [
      { $0.queues = [] }, { $0.queues = [.asynchronous, .synchronous] }, { $0.queues = [.synchronousReply] },
      { $0.queues = [.error, .error] }, { $0.window = 0 }, { $0.ratePerSecond = 0 },
    ]
    let walk = self.walk(ordered: false)
    for change in unsound {
      #expect(walk.send(.approveForwarding(Self.order(["Kari", "Ola"], change))).refusal?.code == .forwardingUnsound)
    }
    #expect(
      walk.send(
        .approveForwarding(
          Self.order {
            $0.queues = [.deadLetter]
            $0.window = 1
            $0.ratePerSecond = 1
          })
      ).refusal == nil)
  }

  @Test(
    "paused, stopped, quarantined, held, not started or not asked for: it is not ordered, and what was ordered is not carried out"
  )
  func keptBack() {
    let changes: [(Refusal.Code, (GroupWalk) -> Void)] = [
      (.paused, { $0.context.pause = Note(by: "Ola", why: "storm", at: $0.now) }),
      (.lineStopped, { $0.context.stop = Note(by: "Ola", why: "storm", at: $0.now) }),
      (.notStarted, { $0.context.isStarted = false }), (.quarantined, { $0.send(.quarantine(by: "Ola", why: "odd")) }),
      (.held, { $0.send(.looked(Fixture.look(missing: true))) }),
      (.forwardingNotAsked, { $0.context.policy.leftovers = .external }),
    ]
    for (code, change) in changes {
      let walk = self.walk(ordered: false)
      change(walk)
      #expect(walk.send(.approveForwarding(Self.order())).refusal?.code == code)
      let ordered = self.walk()
      #expect(self.work(ordered) != nil)
      change(ordered)
      #expect(self.work(ordered) == nil, "\(code)")
      #expect(ordered.group.forwardingKeptBack(in: ordered.context)?.code == code)
    }
  }

  @Test("nothing is carried while an entry is to be read again: where mail belongs is not known")
  func unproven() {
    let walk = self.walk()
    walk.group.applyRestart(at: walk.now)
    #expect(walk.group.forwarding?.stands == true && self.work(walk) == nil)
    #expect(walk.group.forwardingKeptBack(in: walk.context)?.code == .recordNotProven)
    walk.send(.readBack(walk.read(Fixture.herID(200)), retryAt: walk.retryAt))
    #expect(self.work(walk) != nil && walk.group.forwardingKeptBack(in: walk.context) == nil)
  }

  @Test("from each queue that is left to the same party's queue of that kind on the other bus; back, the roles are swapped")
  func routes() throws {
    let forward = try #require(self.work(self.walk()))
    #expect(forward.from == Fixture.source.name && forward.to == Fixture.target.name)
    #expect(forward.routes.map(\.kind) == [.asynchronous, .error])
    #expect(forward.routes.map(\.from) == [QueueKind.asynchronous, .error].map { Self.address(Fixture.source, $0) })
    #expect(forward.routes.map(\.to) == [QueueKind.asynchronous, .error].map { Self.address(Fixture.target, $0) })
    let back = try #require(self.work(self.walk(.backDraining)))
    #expect(back.from == Fixture.target.name && back.to == Fixture.source.name)
    #expect(back.routes.map(\.from) == [QueueKind.asynchronous, .error].map { Self.address(Fixture.target, $0) })
    #expect(back.routes.map(\.to) == [QueueKind.asynchronous, .error].map { Self.address(Fixture.source, $0) })
    let dead = self.walk(ordered: false)
    dead.send(.approveForwarding(Self.order { $0.queues = [.deadLetter] }))
    #expect(self.work(dead)?.routes.map(\.from.queue) == ["200_dl"])
  }

  @Test("a queue whose parties part ways has no route: nobody guesses whose message it is")
  func parted() {
    var plan = Fixture.plan([100, 101, 102], policy: Self.policy)
    #expect(GroupState(plan.groups[0], at: Fixture.start).routes.count == 5)
    plan.groups[0].members[1].after = Fixture.record(101, on: Fixture.target)
    let routes = GroupState(plan.groups[0], at: Fixture.start).routes
    #expect(routes.isEmpty)
  }

  @Test("pausing and ending takes one person, and resuming too; each only where there is something to pause, resume or end")
  func pauses() {
    let none = self.walk(ordered: false)
    for input in [
      GroupInput.pauseForwarding(by: "Kari", why: "x"), .resumeForwarding(by: "Kari"), .endForwarding(by: "Kari", why: "x"),
      .forwarded(Self.left, ForwardingCount(run: "1")), .forwardingStopped(Self.left, code: "FWD-1", seen: "x"),
    ] { #expect(none.send(input).refusal?.code == .noForwarding) }
    let walk = self.walk()
    #expect(walk.send(.approveForwarding(Self.order())).refusal?.code == .pauseUnchanged)
    for input in [
      GroupInput.pauseForwarding(by: "", why: "x"), .resumeForwarding(by: ""), .endForwarding(by: "", why: "x"),
    ] { #expect(walk.send(input).refusal?.code == .nobodyNamed) }
    #expect(walk.send(.resumeForwarding(by: "Kari")).refusal?.code == .pauseUnchanged)
    #expect(walk.send(.pauseForwarding(by: "Kari", why: "x")).refusal == nil)
    #expect(self.work(walk) == nil && walk.group.forwardingKeptBack(in: walk.context)?.code == .paused)
    #expect(walk.send(.pauseForwarding(by: "Kari", why: "x")).refusal?.code == .pauseUnchanged)
    walk.context.stop = Note(by: "Ola", why: "storm", at: walk.now)
    #expect(walk.send(.resumeForwarding(by: "Kari")).refusal?.code == .lineStopped)
    walk.context.stop = nil
    #expect(walk.send(.resumeForwarding(by: "Kari")).refusal == nil)
    #expect(self.work(walk) != nil)
    #expect(walk.send(.endForwarding(by: "Kari", why: "done")).refusal == nil)
    #expect(self.work(walk) == nil && walk.group.forwardingKeptBack(in: walk.context) == nil)
    #expect(walk.send(.endForwarding(by: "Kari", why: "done")).refusal?.code == .noForwarding)
    #expect(walk.send(.approveForwarding(Self.order())).refusal == nil)
    #expect(self.work(walk) != nil)
  }

  @Test("a queue on which it has stopped is left out until somebody resumes it; the others are carried")
  func stops() {
    let walk = self.walk()
    walk.send(.looked(Fixture.look(depth: 2)))
    #expect(self.wait(walk) == .forwarding)
    walk.send(.forwardingStopped(Self.left, code: "FWD-1", seen: "rejected"))
    #expect(self.work(walk)?.routes.map(\.kind) == [.error])
    #expect(self.wait(walk) == .forwardingStopped)
    walk.send(.forwardingStopped(Self.left, code: "FWD-2", seen: "rejected"))
    #expect(walk.group.forwarding?.stops.map(\.code) == ["FWD-2"])
    walk.send(.forwardingStopped(Self.address(Fixture.source, .error), code: "FWD-1", seen: "x"))
    #expect(self.work(walk) == nil)
    walk.send(.resumeForwarding(by: "Kari"))
    #expect(self.work(walk)?.routes.count == 2)
    walk.send(.pauseForwarding(by: "Kari", why: "x"))
    #expect(self.wait(walk) == .messagesLeft)
  }

  private func wait(_ walk: GroupWalk) -> WaitReason.Code? {
    if case .wait(let reason) = walk.group.next(in: walk.context, now: walk.now) { reason.code } else { nil }
  }

  @Test("totals of one run take the place of those before; runs add up, however many; a late word changes nothing")
  func totals() {
    let walk = self.walk()
    func tell(_ run: String, _ received: Int64, _ accepted: Int64) {
      walk.now = walk.now + .seconds(1)
      walk.send(.forwarded(Self.left, ForwardingCount(run: run, received: received, accepted: accepted)))
    }
    tell("1", 3, 2)
    tell("1", 5, 5)
    #expect(walk.group.forwarding?.total.received == 5)
    tell("1", 4, 4)
    #expect(walk.group.forwarding?.total.received == 5)
    let again = walk.send(.forwarded(Self.left, ForwardingCount(run: "1", received: 5, accepted: 5)))
    #expect(again.refusal?.code == .nothingDue)
    for run in 2...20 { tell("\(run)", 10, 9) }
    #expect(walk.group.forwarding?.total.received == 195 && walk.group.forwarding?.total.accepted == 176)
    #expect(walk.group.forwarding?.totals.count == ForwardingLedger.runsKept + 1)
    // What older runs held lies on the queue again.
    #expect(walk.group.forwarding?.open == 1)
    #expect(walk.group.forwarding?.total(of: Self.address(Fixture.source, .error)).received == 0)
  }

  @Test(
    "what a forwarder held that is gone lies on its queue again: it keeps nobody from DRAINED when the daemon was started anew")
  func gone() {
    let walk = self.walk()
    walk.send(.forwarded(Self.left, ForwardingCount(run: "1", received: 5, accepted: 3)))
    #expect(walk.group.forwarding?.open == 2)
    walk.group.applyRestart(at: walk.now)
    #expect(walk.group.forwarding?.open == 0 && walk.group.forwarding?.total.received == 5)
    walk.send(.forwarded(Self.left, ForwardingCount(run: "1", received: 6, accepted: 3)))
    #expect(walk.group.forwarding?.open == 3)
    walk.send(.rollBack(by: "Kari", why: "asked"))
    walk.group.applyRestart(at: walk.now)
    #expect(walk.group.forwardDrain?.forwarding?.open == 0)
  }

  @Test("a count that cannot be right is refused")
  func counts() {
    let walk = self.walk()
    let wrong: [ForwardingCount] = [
      ForwardingCount(run: ""), ForwardingCount(run: "1", received: -1), ForwardingCount(run: "1", received: 1, accepted: 2),
      ForwardingCount(run: "1", received: 1, setAside: ["x": 2, "y": -1]),
      ForwardingCount(run: "1", received: 1, accepted: 1, possibleDuplicates: 2),
      ForwardingCount(run: "1", received: 2, accepted: 1, expired: 1, leftAlone: 1),
      ForwardingCount(run: "1", received: 2, accepted: 1, expired: 1, settledAgain: 1),
    ]
    for count in wrong { #expect(walk.send(.forwarded(Self.left, count)).refusal?.code == .forwardingUnsound, "\(count)") }
    let right = ForwardingCount(
      run: "1", received: 9, accepted: 3, setAside: ["x": 1, "y": 1], expired: 1, leftAlone: 1, settledAgain: 1,
      possibleDuplicates: 3)
    #expect(walk.send(.forwarded(Self.left, right)).refusal == nil)
    #expect(right.open == 1 && right.settled == 7 && right.setAsideInAll == 2)
  }

  @Test("figures add up over runs; what is set aside is what was told last; what a dead run had on hand is told as that")
  func overRuns() throws {
    let walk = self.walk()
    walk.send(
      .forwarded(
        Self.left, ForwardingCount(run: "1", received: 5, accepted: 3, aside: ["tooLarge": 1, "expired": 2], notReturned: 1)))
    #expect(walk.group.forwarding?.open == 1 && walk.group.forwarding?.interrupted == 0)
    walk.group.applyRestart(at: walk.now)
    #expect(walk.group.forwarding?.open == 0 && walk.group.forwarding?.interrupted == 1)
    walk.now = walk.now + .seconds(1)
    walk.send(
      .forwarded(
        Self.left, ForwardingCount(run: "2", received: 4, accepted: 3, settledAgain: 1, aside: ["tooLarge": 2], notReturned: 0)))
    let total = try #require(walk.group.forwarding?.total)
    #expect(total.received == 9 && total.accepted == 6 && total.settledAgain == 1 && total.notReturned == 1)
    #expect(total.aside == ["tooLarge": 2] && total.allAside == 2 && total.allExpired == 0)
    // Who keeps no journal says nothing of it.
    walk.now = walk.now + .seconds(1)
    walk.send(.forwarded(Self.left, ForwardingCount(run: "3", received: 1, accepted: 1)))
    #expect(walk.group.forwarding?.total.aside == ["tooLarge": 2])
    let error = Self.address(Fixture.source, .error)
    walk.send(.forwarded(error, ForwardingCount(run: "3", received: 0, aside: ["poison": 1, "tooLarge": 1])))
    #expect(walk.group.forwarding?.total.aside == ["tooLarge": 3, "poison": 1])
    #expect(walk.group.forwarding?.total(of: error).aside == ["poison": 1, "tooLarge": 1])
    #expect(walk.group.forwarding?.interrupted == 1)
    let both = ForwardingCount(run: "1", received: 9, setAside: ["x": 1], expired: 2, aside: ["expired": 3, "poison": 4])
    #expect(both.allAside == 5 && both.allExpired == 5)
    for wrong in [
      ForwardingCount(run: "4", received: 1, notReturned: -1), ForwardingCount(run: "4", received: 1, aside: ["x": -1]),
      ForwardingCount(run: "4", received: 1, accepted: 1, notReturned: 1),
    ] {
      #expect(walk.send(.forwarded(Self.left, wrong)).refusal?.code == .forwardingUnsound)
    }
  }

  @Test("the last word of the way forward may come when the group has turned back: it belongs to the drain of its queue")
  func turnedBack() {
    let walk = self.walk()
    walk.send(.rollBack(by: "Kari", why: "asked"))
    #expect(walk.group.forwarding == nil && self.work(walk) == nil)
    walk.send(.forwarded(Self.left, ForwardingCount(run: "1", received: 4, accepted: 4)))
    #expect(walk.group.forwardDrain?.forwarding?.total.accepted == 4 && walk.group.forwarding == nil)
    let other = Self.address(Fixture.target)
    #expect(walk.send(.forwarded(other, ForwardingCount(run: "1"))).refusal?.code == .noForwarding)
    #expect(walk.send(.forwarded(Self.address(Fixture.source, .asynchronous, 999), ForwardingCount(run: "1"))).refusal != nil)
  }

  @Test("what our forwarder brings is no traffic of the party's, and its receiver is no sign that the party listens")
  func notTheParty() {
    var ledger = GateLedger()
    let gates = Gates()
    func measure(_ arrivals: Int64, carried: Int64) {
      ledger.take(
        Fixture.look(arrivals: arrivals, deadLetters: 0), pings: [], carried: carried, at: Fixture.start, gates: gates,
        policy: Policy())
    }
    measure(10, carried: 0)
    measure(13, carried: 4)
    // Three queues counted three each; four of the nine are ours.
    #expect(ledger.arrivals == 5 && ledger.lastTrafficAt == nil)
    measure(14, carried: 4)
    #expect(ledger.arrivals == 8 && ledger.lastTrafficAt == Fixture.start)
    let walk = self.walk()
    walk.send(.looked(Fixture.look()))
    #expect(WayBack(walk.group, context: walk.context, now: walk.now).reasons.map(\.code) == [.nobodyListens])
    func isShownToListen() -> Bool { WayBack(walk.group, context: walk.context, now: walk.now).reasons.isEmpty }
    // When it does not carry, whoever is attached is not it.
    walk.send(.pauseForwarding(by: "Kari", why: "x"))
    #expect(isShownToListen())
    walk.send(.resumeForwarding(by: "Kari"))
    #expect(!isShownToListen())
    walk.send(.forwardingStopped(Self.left, code: "FWD-1", seen: "x"))
    #expect(isShownToListen())
    walk.send(.resumeForwarding(by: "Kari"))
    walk.send(.endForwarding(by: "Kari", why: "done"))
    #expect(isShownToListen())
    walk.send(.approveForwarding(Self.order { $0.queues = [.error] }))
    #expect(isShownToListen())
  }

  @Test("the whole gives the work of every group of every pulje, and of those alone that may be carried")
  func whole() throws {
    var state = MigrationState()
    let plan = Fixture.plan([200], policy: Self.policy)
    let group = plan.groups[0].id
    let walk = self.walk()
    for event in [
      MigrationEvent.puljeSealed(plan: plan, by: "Kari"), .puljeStarted(pulje: plan.name, approvals: ["Kari", "Ola"]),
    ]
      + walk.events.map({ .group(pulje: plan.name, group: group, event: $0) })
    { _ = state.apply(event, at: Fixture.start) }
    #expect(state.forwarding(now: walk.now).map(\.group) == [group])
    let stopped = state.decide(.pauseForwarding(plan.name, herID: Fixture.herID(200), by: "Kari", why: "x"), now: walk.now)
    #expect(stopped.events.map(\.kind) == ["group.forwarding-paused"])
    for event in stopped.events { _ = state.apply(event, at: walk.now) }
    #expect(state.forwarding(now: walk.now).isEmpty)
    let resumed = state.decide(.resumeForwarding(plan.name, herID: Fixture.herID(200), by: "Kari"), now: walk.now)
    for event in resumed.events { _ = state.apply(event, at: walk.now) }
    #expect(state.forwarding(now: walk.now).count == 1)
    _ = state.apply(.lineStopped(by: "Kari", why: "x"), at: walk.now)
    #expect(state.forwarding(now: walk.now).isEmpty)
    let ended = state.decide(.endForwarding(plan.name, herID: Fixture.herID(200), by: "Kari", why: "x"), now: walk.now)
    #expect(ended.events.map(\.kind) == ["group.forwarding-ended"])
  }
}
