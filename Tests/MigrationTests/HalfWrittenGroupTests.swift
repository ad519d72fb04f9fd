// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("A group of which one entry is written and the next is not")
struct HalfWrittenGroupTests {
  static let first = Fixture.herID(400)
  static let second = Fixture.herID(401)

  /// 400 and 401 share their queues, and each has an entry of its own.
  private static func walk() -> GroupWalk {
    let records = [Fixture.record(400), Fixture.record(401, queues: 400)]
    return GroupWalk(Planner(buses: Fixture.buses, records: records).plan(Fixture.request([400, 401])))
  }

  /// 400 reads back as moved; 401 is still to be written.
  private static func half() -> GroupWalk {
    let walk = Self.walk()
    walk.go(to: .armed)
    walk.carryOut(.write(Self.first))
    walk.carryOut(.readBack(Self.first))
    #expect(walk.group.phase == .cutIntent && walk.group.member(Self.first)?.writing == .atGoal)
    return walk
  }

  @Test("what would keep its cut-over from beginning does not leave it half written")
  func goesOn() throws {
    let freeze = CutoverCalendar.Freeze(
      from: try #require(LocalDate(text: "2000-01-01")), through: try #require(LocalDate(text: "2098-12-31")), why: "julefrys")
    let causes: [(String, (GroupWalk) -> Void)] = [
      ("a freeze", { $0.context.policy.calendar = CutoverCalendar(freezes: [freeze]) }),
      ("tests that were never signed", { $0.context.policy.testProtocol = TestProtocol() }),
      ("a hook that has not assented", { $0.context.policy.hooks = ["change-board"] }),
    ]
    for (words, cause) in causes {
      let walk = Self.half()
      cause(walk)
      #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.write(Self.second)), "\(words)")
      #expect(walk.send(.beginWrite(Self.second, observed: walk.read(Self.second))).refusal == nil, "\(words)")
      let unwritten = Self.walk()
      unwritten.go(to: .armed)
      cause(unwritten)
      #expect(unwritten.send(.beginWrite(Self.first, observed: unwritten.read(Self.first))).refusal != nil, "\(words)")
    }
  }

  /// What stood between the two writes has taken so long that what was seen before the first says nothing any more.
  private static func late(policy change: (inout Policy) -> Void = { _ in }) -> GroupWalk {
    let walk = Self.half()
    change(&walk.context.policy)
    walk.now = (walk.group.preflightAt ?? walk.now) + walk.policy.readyLife + .milliseconds(1)
    return walk
  }

  private static func report(_ failed: PreflightCheck...) -> PreflightReport {
    Fixture.preflight { report in
      for check in failed {
        report.findings.removeAll { $0.check == check }
        report.findings.append(Finding(check, .failed, seen: "not seen"))
      }
    }
  }

  private static func codes(_ walk: GroupWalk) -> [String] {
    let next = walk.group.next(in: walk.context, now: walk.now)
    let back = WayBack(walk.group, context: walk.context, now: walk.now)
    return GroupStanding(
      walk.group, of: walk.context.pulje, next: next, wayBack: back, context: walk.context, now: walk.now
    ).codes
  }

  @Test("the rest is written on a look no older than READY lives, else looked at anew first")
  func looksAgain() throws {
    let walk = Self.half()
    let seenAt = try #require(walk.group.preflightAt)
    walk.now = seenAt + walk.policy.readyLife
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.write(Self.second)))
    walk.now = walk.now + .milliseconds(1)
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.preflight))
    #expect(walk.send(.beginWrite(Self.second, observed: walk.read(Self.second))).refusal?.code == .preflightStale)
    let checked = walk.send(.preflight(Self.report(), retryAt: walk.retryAt)).events
    #expect(checked == [.restChecked(report: Self.report(), wayBack: nil)])
    #expect(Self.codes(walk).isEmpty)
    walk.carryOut(.write(Self.second))
    walk.go(to: .observing)
    #expect(walk.group.phase == .observing)
    // Nobody listens there yet: the pings that follow ask.
    let quiet = Self.late()
    #expect(quiet.send(.preflight(Self.report(.targetConsumer), retryAt: quiet.retryAt)).events.map(\.kind) == ["rest-checked"])
  }

  @Test("where only the way back is broken the rest is written, and people are told until the source bus is seen again")
  func carriedThrough() throws {
    for check in [PreflightCheck.sourceBus, .sourceQueues] {
      let walk = Self.late()
      let report = Self.report(check)
      let told = "\(check.rawValue): not seen"
      #expect(walk.send(.preflight(report, retryAt: walk.retryAt)).events == [.restChecked(report: report, wayBack: told)])
      var back = WayBack(walk.group, context: walk.context, now: walk.now)
      #expect(back.light == .red && back.reasons.contains { $0.code == .brokenWhenWritten && $0.seen == told })
      #expect(Self.codes(walk) == ["MIG-509"])
      walk.carryOut(.write(Self.second))
      walk.carryOut(.readBack(Self.second))
      #expect(walk.group.phase == .cutApplied)
      walk.carryOut(.ping)
      walk.send(.looked(Fixture.look(unreadable: true)))
      #expect(Self.codes(walk).contains("MIG-509"))
      walk.now = walk.now + .minutes(5)
      walk.send(.looked(Fixture.look()))
      back = WayBack(walk.group, context: walk.context, now: walk.now)
      #expect(!back.reasons.contains { $0.code == .brokenWhenWritten } && back.light == .green)
    }
  }

  @Test("where the target bus does not stand the rest waits, loudly, and goes on or back")
  func targetGone() throws {
    for check in [PreflightCheck.targetBus, .targetQueues] {
      let walk = Self.late()
      #expect(walk.send(.preflight(Self.report(check), retryAt: walk.retryAt)).events.map(\.kind) == ["preflight-failed"])
      #expect(walk.group.phase == .cutIntent && walk.group.hold?.code == .preflightFailed)
      #expect(walk.send(.beginWrite(Self.second, observed: walk.read(Self.second))).refusal?.code == .preflightStale)
      #expect(Self.codes(walk) == ["MIG-407", "MIG-704"])
      walk.now = walk.retryAt
      #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.preflight))
      walk.send(.preflight(Self.report(check, .sourceBus), retryAt: walk.retryAt))
      #expect(Self.codes(walk) == ["MIG-407", "MIG-704", "MIG-509"])
      walk.now = walk.retryAt
      walk.send(.preflight(Self.report(), retryAt: walk.retryAt))
      #expect(walk.group.hold == nil && walk.group.next(in: walk.context, now: walk.now) == .act(.write(Self.second)))
      #expect(walk.send(.rollBack(by: "Kari", why: "in doubt")).refusal == nil)
    }
  }

  @Test("a policy that turns back by itself does so when the target bus goes on failing and there is a way back, and not before")
  func turnsBack() {
    let walk = Self.late { $0.automaticRollback = true }
    for attempt in 1...walk.policy.pingTries {
      let kinds = walk.send(.preflight(Self.report(.targetBus), retryAt: walk.now)).events.map(\.kind)
      #expect(kinds == (attempt < walk.policy.pingTries ? ["preflight-failed"] : ["preflight-failed", "roll-back-started"]))
    }
    #expect(walk.group.phase == .backIntent)
    let shut = Self.late { $0.automaticRollback = true }
    for _ in 0..<10 { shut.send(.preflight(Self.report(.targetBus, .sourceQueues), retryAt: shut.now)) }
    #expect(shut.group.phase == .cutIntent)
  }

  @Test("whatever keeps the rest back, people are told that the group is half moved; while it is written they are not")
  func told() {
    let walk = Self.half()
    #expect(Self.codes(walk).isEmpty)
    walk.context.pause = Note(by: "Kari", why: "lunch", at: walk.now)
    #expect(Self.codes(walk) == ["MIG-704"])
    let next = walk.group.next(in: walk.context, now: walk.now)
    let words = HalfMoved.words(walk.group, next: next)
    #expect(words == "HER-ID 400 moved, HER-ID 401 not: [MIG-402] paused by Kari: lunch")
  }

  @Test("those that inherit and follow their organisation are no half moved group")
  func heirs() {
    let walk = GroupWalk([100])
    walk.go(to: .armed)
    walk.carryOut(.write(Fixture.herID(100)))
    walk.carryOut(.readBack(Fixture.herID(100)))
    #expect(walk.group.phase == .cutIntent && !walk.group.isHalfMoved)
    walk.now = walk.now + .days(1)
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.readBack(Fixture.herID(101))))
    #expect(walk.send(.preflight(Fixture.preflight(), retryAt: walk.retryAt)).refusal?.code == .notInThisPhase)
  }

  @Test("what stops every cut-over stops it there")
  func stops() {
    let walk = Self.half()
    walk.context.conflictElsewhere = GroupID(Fixture.herID(300))
    #expect(
      walk.send(.beginWrite(Self.second, observed: walk.read(Self.second))).refusal?.code == .conflictElsewhere)
    guard case .wait(let wait) = walk.group.next(in: walk.context, now: walk.now) else {
      Issue.record("it writes on")
      return
    }
    #expect(wait.code == .conflictElsewhere)
  }

  @Test("an entry that somebody else has moved, though we never wrote it, is a conflict")
  func movedByAnother() throws {
    let walk = Self.half()
    let after = try #require(walk.group.member(Self.second)).plan.after
    #expect(walk.send(.beginWrite(Self.second, observed: after)).events.map(\.kind) == ["conflict-found"])
  }

  @Test("turned back, the one that was never written is home already")
  func homeAlready() throws {
    let walk = Self.half()
    walk.send(.rollBack(by: "Kari", why: "the vendor asks"))
    #expect(walk.send(.beginWrite(Self.second, observed: walk.read(Self.second))).events.map(\.kind) == ["read-as-goal"])
    #expect(walk.send(.beginWrite(Self.first, observed: walk.read(Self.first))).events.map(\.kind) == ["intent-recorded"])
  }

  @Test(
    "one in conflict: the answer to the other's write is not taken for more than it is, and that entry is read when it is settled"
  )
  func conflict() throws {
    let walk = Self.walk()
    walk.go(to: .armed)
    walk.send(.beginWrite(Self.first, observed: walk.read(Self.first)))
    let operation = try #require(walk.openOperation)
    var strange = walk.read(Self.second)
    strange.name = "Somebody else's change"
    walk.send(.readBack(strange, retryAt: walk.retryAt))
    #expect(walk.group.phase == .conflict)
    #expect(walk.send(.writeReturned(operation, .answered)).refusal?.code == .otherOperation)
    // The one that is not in conflict may be read as it was; the other stays in conflict until a person has looked.
    #expect(walk.send(.readBack(walk.read(Self.first), retryAt: walk.retryAt)).events.map(\.kind) == ["read-as-base"])
    #expect(walk.group.phase == .conflict)
    #expect(walk.send(.readBack(walk.read(Self.second), retryAt: walk.retryAt)).events.map(\.kind) == ["conflict-found"])
    #expect(walk.group.phase == .conflict)
    walk.send(.release(by: "Kari"))
    #expect(walk.group.phase == .cutUnknown)
    walk.now = walk.retryAt
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.readBack(Self.second)))
    walk.send(.readBack(walk.read(Self.second), retryAt: walk.now))
    walk.go(to: .observing)
    #expect(walk.group.phase == .observing)
  }

  @Test("a party that joins its organisation's queue moves after it, and is home before it")
  func joiner() throws {
    let records = WriteReachTests.records
    var request = Fixture.request([100, 105, 103])
    request.scope = .herID
    for index in request.parties.indices where request.parties[index].herID.value == 103 {
      request.parties[index].joinsOrganisation = true
    }
    let offer = RegisterOffer(servicesBelow: true, organisationQueue: true)
    let walk = GroupWalk(Planner(buses: Fixture.buses, records: records, offer: offer).plan(request))
    walk.go(to: .armed)
    var order: [Int32] = []
    func follow(to phase: GroupPhase) {
      for _ in 0..<200 where walk.group.phase != phase {
        if case .act(.write(let herID)) = walk.group.next(in: walk.context, now: walk.now) { order.append(herID.value) }
        walk.step()
      }
    }
    follow(to: .cutApplied)
    #expect(order == [100, 103])
    walk.send(.rollBack(by: "Kari", why: "the vendor asks"))
    order = []
    follow(to: .backApplied)
    #expect(order == [103, 100])
  }
}
