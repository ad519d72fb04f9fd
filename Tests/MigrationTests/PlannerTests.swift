// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("The plan")
struct PlannerTests {
  func plan(
    _ parties: [Int32], records: [PartyRecord] = Fixture.records, open: [HerID: PuljeName] = [:],
    change: (inout PuljeRequest) -> Void = { _ in }
  ) -> Plan {
    var request = Fixture.request(parties)
    change(&request)
    return Planner(buses: Fixture.buses, records: records, open: open).plan(request)
  }

  @Test("closes the pulje under queue sharing: the organisation first, those who inherit after, all in one group")
  func closure() {
    let plan = self.plan([102, 101, 100, 200])
    #expect(plan.obstacles.isEmpty)
    #expect(plan.groups.map(\.id) == [GroupID(Fixture.herID(100)), GroupID(Fixture.herID(200))])
    #expect(plan.groups[0].members.map(\.herID.value) == [100, 101, 102])
    #expect(plan.groups[0].members.map(\.isWritten) == [true, false, false])
  }

  @Test("a parent stands before its child even when its number is higher")
  func parentFirst() {
    let records = [Fixture.record(900), Fixture.record(5, queues: 900, parent: 900, inherited: true)]
    let plan = self.plan([5, 900], records: records)
    #expect(plan.groups.map { $0.members.map(\.herID.value) } == [[900, 5]])
    #expect(plan.groups[0].id == GroupID(Fixture.herID(5)))
  }

  @Test("the record after keeps queue names, takes the target's host and path, and leaves all else alone")
  func recordAfter() {
    let member = self.plan([200]).groups[0].members[0]
    #expect(
      member.after.addresses.map(\.text) == [
        "tb.test.example/NHN/200_async", "tb.test.example/NHN/200_sync", "tb.test.example/NHN/200_error", "edi200@test.example",
      ])
    var undone = member.after
    undone.addresses = member.before.addresses
    #expect(undone == member.before)
  }

  @Test("missing members block the plan and are named")
  func notClosed() {
    let plan = self.plan([101])
    let obstacle = plan.obstacles.first { $0.code == .groupNotClosed }
    #expect(obstacle?.others.map(\.value) == [100, 102])
    #expect(!plan.isClear)
  }

  static let cases: [(Obstacle.Code, [Int32], @Sendable (inout PuljeRequest, inout [PartyRecord]) -> Void)] = [
    (.unknownParty, [999], { _, _ in }),
    (.inactiveParty, [200], { _, records in records[3].active = false }),
    (.inactiveParty, [200], { _, records in records[3].valid = false }),
    (.noConfiguredBus, [200], { _, records in records[3].addresses[0].text = "elsewhere.example/NHN/200_async" }),
    (.alreadyOnTarget, [200], { _, records in records[3] = Fixture.record(200, on: Fixture.target) }),
    (.onOtherBus, [200], { _, records in records[3] = Fixture.record(200, on: Fixture.third) }),
    (.noQueues, [200], { _, records in records[3].addresses.removeFirst(3) }),
    (.inheritanceUnexplained, [101, 102], { _, records in records.removeFirst() }),
    (.halfMoved, [200], { _, records in records[3].addresses[1].text = "tb.test.example/NHN/200_sync" }),
    (.addressMalformed, [200], { _, records in records[3].addresses[1].text = "no address" }),
    (.listensOnOneBus, [200], { request, _ in request.parties[0].listens = .one }),
    (.busUnknown, [200], { request, _ in request.target = "nowhere" }),
    (.busUnknown, [200], { request, _ in request.target = request.source }),
    (.partyTwice, [200, 200], { _, _ in }),
    (.noParties, [], { _, _ in }),
    (.policyUnsound, [200], { request, _ in request.policy.quietPeriod = .seconds(0) }),
    (.policyUnsound, [200], { request, _ in request.policy.pingTries = 0 }),
    (.policyUnsound, [200], { request, _ in request.policy.approvals = 0 }),
  ]

  @Test("each obstacle is found alone and blocks", arguments: cases.indices)
  func obstacles(index: Int) {
    let (code, parties, change) = Self.cases[index]
    var request = Fixture.request(parties)
    var records = Fixture.records
    change(&request, &records)
    let plan = Planner(buses: Fixture.buses, records: records).plan(request)
    #expect(Set(plan.obstacles.map(\.code)) == [code])
    #expect(!plan.isClear)
  }

  @Test("a party in another open pulje blocks, and the other is named")
  func open() {
    let plan = self.plan([200], open: [Fixture.herID(200): Fixture.name_("pulje-0")])
    #expect(plan.obstacles.map(\.code) == [.inOpenPulje])
    #expect(plan.obstacles.first?.seen.contains("pulje-0") == true)
  }

  @Test("a receiver on one bus is no obstacle where somebody bridges")
  func external() {
    let plan = self.plan([200]) {
      $0.parties[0].listens = .one
      $0.policy.leftovers = .external
    }
    #expect(plan.isClear)
  }

  @Test("the hash is the same for the same plan and another for any change")
  func hash() {
    let plan = self.plan([100, 101, 102, 200])
    #expect(plan.hash == self.plan([100, 101, 102, 200]).hash)
    #expect(plan.hash.count == 64)
    #expect(plan.hash != self.plan([100, 101, 102, 200]) { $0.policy.quietPeriod = .hours(23) }.hash)
    #expect(plan.hash != self.plan([100, 101, 102]).hash)
  }

  @Test("manual steps per vendor name connection, dialect and syncreply, and hold no secret")
  func manualSteps() {
    let steps = self.plan([100, 101, 102, 200]).manualSteps
    #expect(Set(steps.map(\.vendor)) == ["Alfa", "Beta"])
    let alfa = steps.filter { $0.vendor == "Alfa" }.map(\.what).joined(separator: "\n")
    #expect(alfa.contains("amqps://USER:PASSWORD@tb.test.example:5671/NHN"))
    #expect(alfa.contains("rabbitmq-4-v2"))
    #expect(alfa.contains("syncreply"))
  }

  @Test("a ring of parents in the register ends the search, not the program")
  func ring() {
    var records = [
      Fixture.record(1, queues: 9, parent: 2, inherited: true), Fixture.record(2, queues: 9, parent: 1, inherited: true),
    ]
    records[0].addresses.removeLast()
    let plan = self.plan([1, 2], records: records)
    #expect(plan.obstacles.contains { $0.code == .inheritanceUnexplained })
  }
}
