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
      ("a pre-flight from days ago", { $0.now = $0.now + .days(3) }),
    ]
    for (words, cause) in causes {
      let walk = Self.half()
      cause(walk)
      #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.write(Self.second)), "\(words)")
      #expect(walk.send(.beginWrite(Self.second, observed: walk.read(Self.second))).refusal == nil, "\(words)")
      let unwritten = Self.walk()
      unwritten.go(to: .armed)
      cause(unwritten)
      if words == "a pre-flight from days ago" { continue }
      #expect(unwritten.send(.beginWrite(Self.first, observed: unwritten.read(Self.first))).refusal != nil, "\(words)")
    }
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
