// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("What a pulje may be asked for by")
struct PlanInputTests {
  private static func record(_ value: Int32, _ number: Int32?, on bus: Bus = Fixture.source) -> PartyRecord {
    var record = Fixture.record(value, on: bus)
    record.organisationNumber = number
    return record
  }

  private func request(_ organisations: [Int32], parties: [Int32] = []) -> PuljeRequest {
    var request = Fixture.request(parties)
    request.organisations = organisations.map { PuljeRequest.Organisation(number: $0, vendor: "Gamma", listens: .both) }
    return request
  }

  @Test("an organisation number names all of its parties that have something to move; the rest is named with the reason")
  func organisation() {
    var inactive = Self.record(40, 7)
    inactive.active = false
    var queueless = Self.record(50, 7)
    queueless.addresses.removeAll { $0.queueKind != nil }
    let records = [
      Self.record(10, 7), Self.record(20, 7), Self.record(30, 8), inactive, queueless, Self.record(60, 7, on: Fixture.target),
    ]
    let request = self.request([7])
    let (expanded, leftOut) = request.expanded(by: records, source: Fixture.source)
    #expect(expanded.parties.map(\.herID.value) == [10, 20])
    #expect(expanded.parties.allSatisfy { $0.vendor == "Gamma" && $0.listens == .both })
    #expect(leftOut.map { $0.herID?.value } == [40, 50, 60])
    let plan = Planner(buses: Fixture.buses, records: records).plan(request)
    #expect(plan.isClear && plan.herIDs.map(\.value) == [10, 20])
  }

  @Test("a party that is named by itself is as it says there, and comes once")
  func named() {
    let records = [Self.record(10, 7), Self.record(200, 7)]
    let (expanded, _) = self.request([7], parties: [200]).expanded(by: records, source: Fixture.source)
    #expect(expanded.parties.map(\.vendor) == ["Beta", "Gamma"])
  }

  @Test("a number that nobody known has blocks the plan: it is not taken for an organisation without parties")
  func unknown() {
    let plan = Planner(buses: Fixture.buses, records: Fixture.records).plan(self.request([7], parties: [200]))
    #expect(plan.obstacles.map(\.code) == [.organisationUnknown])
  }

  @Test("an address that cannot be read is not a reason to leave a party out: the plan says what is wrong with it")
  func malformed() {
    var record = Self.record(10, 7)
    record.addresses[0].text = "no address"
    let plan = Planner(buses: Fixture.buses, records: [record]).plan(self.request([7]))
    #expect(plan.obstacles.map(\.code) == [.addressMalformed])
  }

  // MARK: waves

  private func waves(_ waves: Waves, _ change: (inout [PuljeRequest.Party]) -> Void = { _ in }) -> Plan {
    var request = Fixture.request([300, 200, 100, 101, 102])
    change(&request.parties)
    request.waves = waves
    return Planner(buses: Fixture.buses, records: Fixture.records).plan(request)
  }

  private func herIDs(_ plan: Plan) -> [[Int32]]? { plan.waves?.map { $0.map(\.lowest.value) } }

  @Test("by vendor: each vendor's groups are a wave, in the order in which vendors are named")
  func byVendor() {
    #expect(self.herIDs(self.waves(.byVendor)) == [[200, 300], [100]])
    #expect(self.herIDs(self.waves(.byVendor) { $0[0].vendor = "Gamma" }) == [[300], [200], [100]])
    #expect(self.waves(.byVendor) { $0[0].vendor = "" }.obstacles.map(\.code) == [.policyUnsound])
  }

  @Test("as parties state: a group goes with the first wave that one of its parties names, and is never split")
  func stated() {
    let plan = self.waves(.stated) { parties in
      for (index, wave) in [3, 1, 3, 2, 3].enumerated() { parties[index].wave = wave }
    }
    #expect(plan.isClear)
    #expect(self.herIDs(plan) == [[200], [100], [300]])
    #expect(self.waves(.stated) { $0[0].wave = 1 }.obstacles.count == 4)
    #expect(self.waves(.stated) { parties in for index in parties.indices { parties[index].wave = 0 } }.obstacles.count == 5)
  }
}
