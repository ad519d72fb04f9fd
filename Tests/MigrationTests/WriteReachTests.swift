// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("How far a write reaches")
struct WriteReachTests {
  /// 100 with 103 and 104 below it that have queues of their own, 105 that inherits, and a department between with its own service.
  static let records = [
    Fixture.record(100), Fixture.record(103, parent: 100, kind: .service), Fixture.record(104, parent: 100, kind: .service),
    Fixture.record(105, queues: 100, parent: 100, inherited: true, kind: .service),
    Fixture.record(110, parent: 100, kind: .department), Fixture.record(111, parent: 110, kind: .service), Fixture.record(200),
  ]
  static let family: [Int32] = [100, 103, 104, 105, 110, 111]
  static let all = RegisterOffer(servicesBelow: true, organisationQueue: true)

  func plan(
    _ parties: [Int32], joining: Set<Int32> = [], scope: PuljeRequest.Scope = .servicesBelow,
    records: [PartyRecord] = Self.records, offer: RegisterOffer = Self.all
  ) -> Plan {
    var request = Fixture.request(parties)
    request.scope = scope
    for index in request.parties.indices where joining.contains(request.parties[index].herID.value) {
      request.parties[index].joinsOrganisation = true
    }
    return Planner(buses: Fixture.buses, records: records, offer: offer).plan(request)
  }

  @Test("the services below are one group with the party they go along with; by HER-ID alone each is its own")
  func servicesBelow() {
    let plan = self.plan(Self.family + [200])
    #expect(plan.isClear, "\(plan.obstacles)")
    #expect(plan.groups.map { $0.members.map(\.herID.value) } == [[100, 103, 104, 105, 110, 111], [200]])
    #expect(plan.groups[0].members.map { $0.movedBy?.value } == [nil, 100, 100, nil, 100, 100])
    let each = self.plan(Self.family + [200], scope: .herID)
    #expect(
      each.groups.count == 6 && each.herIDs.count == 7 && each.groups.allSatisfy { $0.members.allSatisfy { $0.movedBy == nil } })
  }

  @Test("a service that the write would take along, and that is not in the pulje, blocks the plan; one that has moved does not")
  func missing() {
    let plan = self.plan(Self.family.filter { $0 != 111 })
    #expect(plan.obstacles.map(\.code) == [.groupNotClosed])
    #expect(plan.obstacles.first?.others.map(\.value) == [111])
    let moved = Self.records.map {
      $0.herID.value == 111 ? Fixture.record(111, on: Fixture.target, parent: 110, kind: .service) : $0
    }
    #expect(self.plan(Self.family.filter { $0 != 111 }, records: moved).isClear)
  }

  @Test("what the writer cannot do blocks the plan, and who writes instead stands in it")
  func offers() {
    #expect(self.plan(Self.family, offer: RegisterOffer()).obstacles.map(\.code) == [.scopeNotOffered])
    let flagged = self.plan([100, 105, 103], joining: [103], scope: .herID, offer: RegisterOffer(servicesBelow: true))
    #expect(flagged.obstacles.map(\.code) == [.scopeNotOffered])
    #expect(self.plan([200], scope: .herID).writer == nil)
    let elsewhere = RegisterOffer(writer: .init(.elsewhere, who: "NHN"))
    #expect(self.plan([200], scope: .herID, offer: elsewhere).writer?.words.hasPrefix("nothing is written here: NHN") == true)
    #expect(self.plan([200], scope: .herID, offer: elsewhere).hash != self.plan([200], scope: .herID).hash)
  }

  @Test("a party that joins its organisation's queue goes in its group and reads as one that inherits")
  func organisationQueue() {
    let plan = self.plan([100, 105, 103], joining: [103], scope: .herID)
    #expect(plan.isClear, "\(plan.obstacles)")
    #expect(plan.groups.map { $0.members.map(\.herID.value) } == [[100, 103, 105]])
    let member = plan.groups[0].members[1]
    #expect(member.joinsOrganisation == true && member.isWritten)
    let queues = member.after.addresses.filter { $0.queueKind != nil }
    #expect(queues.allSatisfy { $0.inherited && $0.text.hasPrefix("tb.test.example/NHN/100_") })
    #expect(member.after.addresses.contains { $0.typeCode == "E_EDI" && $0.text.hasPrefix("edi103") })
    // The organisation stays on the source bus: its queue is not where the party is to go.
    #expect(self.plan([103], joining: [103], scope: .herID).obstacles.map(\.code) == [.noOrganisationQueue])
    #expect(self.plan([200], joining: [200], scope: .herID).obstacles.map(\.code) == [.noOrganisationQueue])
    // It has moved before: the party goes alone.
    let moved = Self.records.map { $0.herID.value == 100 ? Fixture.record(100, on: Fixture.target) : $0 }
    let alone = self.plan([103], joining: [103], scope: .herID, records: moved)
    #expect(alone.isClear && alone.groups.map { $0.members.map(\.herID.value) } == [[103]], "\(alone.obstacles)")
  }

  @Test("nobody joins its organisation's queue whose own queues a write takes along")
  func joinerTakenAlong() {
    let plan = self.plan(Self.family, joining: [103])
    #expect(plan.obstacles.map(\.code) == [.joinerTakenAlong])
    #expect(plan.obstacles.first?.herID?.value == 103 && plan.obstacles.first?.others.map(\.value) == [100])
    #expect(self.plan(Self.family, joining: [103], scope: .herID).isClear)
  }

  @Test("a ring of parents ends")
  func ring() {
    let ring = [Fixture.record(1, parent: 2), Fixture.record(2, parent: 1)]
    let plan = self.plan([1, 2], records: ring)
    #expect(plan.groups.count == 1 && plan.groups[0].members.allSatisfy { $0.movedBy == nil })
  }

  @Test("who is taken along is not written while the other's write stands out, and alone when that left it out")
  func finishing() throws {
    let plan = self.plan([100, 103, 104, 105, 110, 111])
    let context = Fixture.context()
    var group = GroupState(plan.groups[0], at: Fixture.start)
    func send(_ input: GroupInput) -> GroupState.Outcome {
      let outcome = group.decide(input, in: context, now: Fixture.start)
      for event in outcome.events { group.apply(event, at: Fixture.start, policy: context.policy) }
      return outcome
    }
    _ = send(.snapshot(group.members.map(\.plan.before)))
    _ = send(.preflight(Fixture.preflight(), retryAt: Fixture.start))
    _ = send(.advance)
    #expect(group.phase == .armed && group.next(in: context, now: Fixture.start) == .act(.write(Fixture.herID(100))))
    let (first, service) = (group.members[0].plan, try #require(group.member(Fixture.herID(103))).plan)
    #expect(send(.beginWrite(service.herID, observed: service.before)).refusal?.code == .notWritten)
    _ = send(.beginWrite(first.herID, observed: first.before))
    guard case .intent(let operation) = group.members[0].writing else {
      Issue.record("no intent")
      return
    }
    #expect(group.takenAlong(by: group.members[0]).isEmpty, "a second try reaches no further than the party")
    _ = send(.writeReturned(operation, .unknown("broke off")))
    _ = send(.readBack(first.after, retryAt: Fixture.start))
    // What it left out is read before it is written.
    #expect(group.next(in: context, now: Fixture.start) == .act(.readBack(service.herID)))
    _ = send(.readBack(service.before, retryAt: Fixture.start))
    #expect(group.next(in: context, now: Fixture.start) == .act(.write(service.herID)))
    // It came through late after all: ours, and no conflict.
    _ = send(.beginWrite(service.herID, observed: service.after))
    #expect(group.member(service.herID)?.writing == .atGoal && group.phase == .cutIntent)
  }

  /// The family's group, armed.
  private func armed() -> GroupWalk {
    let walk = GroupWalk(self.plan(Self.family))
    walk.go(to: .armed)
    return walk
  }

  @Test("a first write takes along those below that it reaches; a second try, and the way back, reach the party alone")
  func reach() {
    let walk = self.armed()
    let herID = Fixture.herID(100)
    func along() -> [Int32] { walk.group.takenAlong(by: walk.group.members[0]).map(\.herID.value) }
    #expect(along() == [103, 104, 110, 111])
    #expect(walk.group.takenAlong(by: walk.group.members[1]).isEmpty)
    let service = walk.group.members[1]
    #expect(!walk.group.wasTakenAlong(service))
    walk.send(.beginWrite(herID, observed: walk.read(herID)))
    #expect(along().isEmpty)
    #expect(walk.group.wasTakenAlong(service))
    #expect(!walk.group.wasTakenAlong(walk.group.members[0]), "nobody takes the organisation along")
    if let operation = walk.openOperation { walk.send(.writeReturned(operation, .answered)) }
    walk.send(.readBack(walk.group.members[0].plan.after, retryAt: walk.now))
    walk.send(.readBack(service.plan.after, retryAt: walk.now))
    #expect(walk.group.phase == .cutIntent, "the rest is not read yet")
    walk.send(.rollBack(by: "Kari", why: "the vendor asks"))
    #expect(along().isEmpty)
    // Back, each is written by itself.
    let written = walk.group.member(service.herID)?.plan
    #expect(written.map { walk.send(.beginWrite($0.herID, observed: $0.after)).events.map(\.kind) } == ["intent-recorded"])
  }

  @Test("one that was read at its goal before the first write is not taken along; nor is anybody after a write that did not take")
  func reachOfWhatIsLeft() {
    let walk = self.armed()
    walk.group.members[1].writing = .atGoal
    #expect(walk.group.takenAlong(by: walk.group.members[0]).map(\.herID.value) == [104, 110, 111])
    walk.group.members[0].failedTries = 1
    #expect(walk.group.takenAlong(by: walk.group.members[0]).isEmpty)
    let back = self.armed()
    back.group.direction = .back
    #expect(back.group.takenAlong(by: back.group.members[0]).isEmpty)
  }

  @Test("when the organisation's own write did not take, nobody below is written by himself")
  func organisationFirst() {
    let walk = self.armed()
    let (organisation, service) = (walk.group.members[0].plan, walk.group.members[1].plan)
    walk.send(.beginWrite(organisation.herID, observed: organisation.before))
    if let operation = walk.openOperation { walk.send(.writeReturned(operation, .unknown("broke off"))) }
    walk.send(.readBack(service.before, retryAt: walk.now))
    walk.send(.readBack(organisation.before, retryAt: walk.now))
    #expect(walk.group.phase == .cutIntent && walk.group.members[1].failedTries == 1)
    #expect(walk.send(.beginWrite(service.herID, observed: service.before)).refusal?.code == .notWritten)
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.write(organisation.herID)))
  }

  @Test(
    "one that the first write left out stays with its own write, also when somebody has resumed it after tries that did not take")
  func resumed() {
    let walk = self.armed()
    let (organisation, service) = (walk.group.members[0].plan, walk.group.members[1].plan)
    walk.send(.beginWrite(organisation.herID, observed: organisation.before))
    if let operation = walk.openOperation { walk.send(.writeReturned(operation, .answered)) }
    walk.send(.readBack(organisation.after, retryAt: walk.now))
    walk.send(.readBack(service.before, retryAt: walk.now))
    for _ in 0..<9 where walk.group.hold == nil {
      walk.send(.beginWrite(service.herID, observed: service.before))
      if let operation = walk.openOperation { walk.send(.writeReturned(operation, .refused("closed"))) }
      walk.send(.readBack(service.before, retryAt: walk.now))
    }
    #expect(walk.group.hold?.code == .writesDoNotTake)
    walk.send(.release(by: "Kari"))
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.write(service.herID)))
  }

  @Test(
    "an organisation that somebody else has moved took nobody along: the service that reads as moved is somebody else's doing")
  func movedByAnother() throws {
    let records = [
      Fixture.record(400), Fixture.record(401, queues: 400), Fixture.record(403, parent: 400, kind: .service),
    ]
    let walk = GroupWalk(self.plan([400, 401, 403], records: records))
    walk.go(to: .armed)
    func member(_ value: Int32) throws -> Plan.Member { try #require(walk.group.member(Fixture.herID(value))).plan }
    let (organisation, other, service) = (try member(400), try member(401), try member(403))
    #expect(service.movedBy == organisation.herID)
    walk.carryOut(.write(other.herID))
    walk.send(.readBack(other.after, retryAt: walk.now))
    walk.send(.readBack(organisation.after, retryAt: walk.now))
    walk.send(.readBack(service.before, retryAt: walk.now))
    let taken = walk.group.member(service.herID).map(walk.group.wasTakenAlong)
    #expect(walk.group.phase == .cutIntent && taken == false)
    #expect(walk.send(.beginWrite(service.herID, observed: service.after)).events.map(\.kind) == ["conflict-found"])
  }
}
