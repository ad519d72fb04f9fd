// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("What has changed since a plan was approved")
struct PlanDifferenceTests {
  private func plan(
    _ herIDs: [Int32], records: [PartyRecord] = Fixture.records, _ change: (inout PuljeRequest) -> Void = { _ in }
  )
    -> Plan
  {
    var request = Fixture.request(herIDs)
    change(&request)
    return Planner(buses: Fixture.buses, records: records).plan(request)
  }

  @Test("nothing changed is no difference, and every difference of two plans shows: hashes differ exactly when lines do")
  func nothing() {
    #expect(PlanDifference(was: self.plan([200, 300]), now: self.plan([300, 200])).lines.isEmpty)
  }

  static let changes: [(String, @Sendable (inout PuljeRequest, inout [PartyRecord]) -> Void)] = [
    ("HER-ID 200: entry, name was Party 200, is renamed", { _, records in records[3].name = "renamed" }),
    (
      "HER-ID 200: entry, E_SB_ASYNC was sb.test.example/NHN/200_async, is sb.test.example/NHN/other_async",
      { _, records in records[3].addresses[0].text = "sb.test.example/NHN/other_async" }
    ),
    ("HER-ID 300: the party was in the plan, Party 300, is not there", { request, _ in request.parties.removeLast() }),
    ("HER-ID 200: vendor was Beta, is Gamma", { request, _ in request.parties[0].vendor = "Gamma" }),
    ("HER-ID 200: start confirmed was false, is true", { request, _ in request.parties[0].startConfirmed = true }),
    ("policy approvals was 2, is 3", { request, _ in request.policy.approvals = 3 }),
    ("HER-ID 300: wave was not there, is 2", { request, _ in request.waves = [1] }),
    ("obstacle was not there, is MIG-102 active false, valid true", { _, records in records[3].active = false }),
  ]

  @Test("each change is said with what was and what is", arguments: changes.indices)
  func each(index: Int) {
    let (words, change) = Self.changes[index]
    let was = self.plan([200, 300])
    var request = Fixture.request([200, 300])
    var records = Fixture.records
    change(&request, &records)
    let now = Planner(buses: Fixture.buses, records: records).plan(request)
    #expect(was.hash != now.hash)
    let lines = PlanDifference(was: was, now: now).lines.map(\.description)
    #expect(lines.contains(words), "\(lines)")
  }

  @Test("of many the first are shown, and how many more there are")
  func many() {
    let herIDs = (1...60).map { Int32($0 * 10) }
    let was = self.plan(herIDs, records: herIDs.map { Fixture.record($0) })
    let now = self.plan(
      herIDs,
      records: herIDs.map { value in
        var record = Fixture.record(value)
        record.name = "other"
        return record
      })
    let difference = PlanDifference(was: was, now: now)
    #expect(difference.lines.count == 120)
    #expect(difference.words.hasSuffix("and 100 more"))
  }

  @Test("a party whose entry moved before the snapshot is held with the field that did")
  func snapshot() {
    let walk = GroupWalk()
    var record = walk.read(Fixture.herID(200))
    record.name = "renamed"
    walk.send(.snapshot([record]))
    #expect(walk.group.hold?.code == .recordMoved)
    #expect(walk.group.hold?.seen.contains("name was Party 200, is renamed") == true)
  }
}
