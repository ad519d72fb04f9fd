// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("What people should know before they approve")
struct PlanFindingTests {
  private func day(_ text: String) throws -> LocalDate { try #require(LocalDate(text: text)) }

  private func sighting(
    _ version: String?, library: String = "Lib", herID: Int32? = 200, updated: String? = nil, wire: String? = nil
  ) throws -> LibrarySighting {
    LibrarySighting(
      herID: herID.map(Fixture.herID), vendor: "Beta", library: library, version: version, updated: try updated.map(self.day),
      wire: wire,
      source: .connection)
  }

  private func find(
    _ sightings: [LibrarySighting] = [], policy: Policy = Policy(), today: String = "2026-06-01",
    _ change: (inout PuljeRequest, inout PlanEvidence) -> Void = { _, _ in }
  ) throws -> [PlanFinding] {
    var request = Fixture.request([200], policy: policy)
    var evidence = PlanEvidence(sightings: sightings)
    change(&request, &evidence)
    let plan = Planner(buses: Fixture.buses, records: Fixture.records).plan(request)
    return PlanFinding.find(plan, request: request, leftOut: [], evidence: evidence, today: try self.day(today))
  }

  private func libraries(_ minimum: String, from: String? = nil, days: Int? = nil) throws -> Policy {
    var policy = Policy()
    policy.libraries = LibraryPolicy(
      minimum: [.init(library: "lib", version: minimum, from: try from.map(self.day))], updatedWithinDays: days)
    return policy
  }

  @Test("without a policy for libraries nothing is said of them")
  func none() throws { #expect(try self.find([try self.sighting("0.1")]).isEmpty) }

  @Test(
    "versions are compared number by number",
    arguments: [
      ("1.9", "1.10", true), ("1.10", "1.9", false), ("2", "2.0.0", false), ("2.0", "2.0.1", true), ("v3.1-beta", "3.1", false),
    ])
  func versions(seen: String, least: String, isOld: Bool) throws {
    let codes = try self.find([try self.sighting(seen)], policy: try self.libraries(least)).map(\.code)
    #expect(codes == (isOld ? [.libraryTooOld] : []))
  }

  @Test("the minimum holds from its day on; before that it is told")
  func from() throws {
    let policy = try self.libraries("2.0", from: "2026-06-02")
    #expect(try self.find([try self.sighting("1.0")], policy: policy).map(\.code) == [.librarySoonTooOld])
    #expect(try self.find([try self.sighting("1.0")], policy: policy, today: "2026-06-02").map(\.code) == [.libraryTooOld])
  }

  @Test("of several machines the oldest counts; nothing seen, no version and a strange one are not known, and no pass")
  func several() throws {
    let policy = try self.libraries("2.0")
    #expect(try self.find([try self.sighting("2.1"), try self.sighting("1.9")], policy: policy).map(\.code) == [.libraryTooOld])
    #expect(try self.find(policy: policy).map(\.code) == [.libraryUnknown])
    #expect(try self.find([try self.sighting(nil)], policy: policy).map(\.code) == [.libraryUnknown])
    #expect(try self.find([try self.sighting("latest")], policy: policy).map(\.code) == [.libraryUnknown])
    #expect(try self.find([try self.sighting("0.1", library: "Other")], policy: policy).isEmpty)
    #expect(try self.find([try self.sighting("2.0", herID: 300)], policy: policy).map(\.code) == [.libraryUnknown])
    #expect(try self.find([try self.sighting("1.0", herID: nil)], policy: policy).map(\.code) == [.libraryTooOld])
  }

  @Test("updated within the days asked for; at the last day still; unknown is no pass")
  func updated() throws {
    let policy = try self.libraries("1.0", days: 183)
    #expect(try self.find([try self.sighting("1.0", updated: "2025-11-30")], policy: policy).isEmpty)
    #expect(try self.find([try self.sighting("1.0", updated: "2025-11-29")], policy: policy).map(\.code) == [.libraryNotUpdated])
    #expect(try self.find([try self.sighting("1.0")], policy: policy).map(\.code) == [.libraryUnknown])
  }

  @Test("a system that was seen to speak something else than AMQP 1.0, or is said to")
  func protocols() throws {
    for wire in ["AMQP 1-0", "AMQP 1.0", "AMQP 1-0-0"] {
      #expect(try self.find([try self.sighting("1", wire: wire)]).isEmpty, "\(wire)")
    }
    for wire in ["AMQP 0-9-1", "MQTT 3-1-1", "STOMP 1.0"] {
      #expect(try self.find([try self.sighting("1", wire: wire)]).map(\.code) == [.noAMQP10], "\(wire)")
    }
    #expect(try self.find { request, _ in request.parties[0].speaksAMQP10 = false }.map(\.code) == [.noAMQP10])
    #expect(try self.find { request, _ in request.parties[0].speaksAMQP10 = true }.isEmpty)
  }

  @Test("a receiver that hears one bus only is named where a bridge makes up for it")
  func listens() throws {
    var policy = Policy()
    policy.leftovers = .external
    #expect(try self.find(policy: policy) { request, _ in request.parties[0].listens = .one }.map(\.code) == [.listensOnOneBus])
  }

  @Test("profiles and agreements that name what is left, and what could not be looked at")
  func endpoints() throws {
    let found = try self.find { _, evidence in
      for isAgreement in [true, false] {
        evidence.endpoints.append(
          PlanEvidence.LeftEndpoint(
            isAgreement: isAgreement, documentID: "d1", herID: Fixture.herID(200),
            counterpart: isAgreement ? Fixture.herID(9) : nil,
            address: "sb.test.example/NHN/200_async"))
      }
      evidence.notLookedAt = ["profiles and agreements: away"]
    }
    #expect(found.map(\.code) == [.agreementNamesSource, .profileNamesSource, .notLookedAt])
    #expect(found[0].others == [Fixture.herID(9)] && found[0].seen.contains("agreement d1 names sb.test.example"))
  }

  @Test("an answer to a ping tells the library: the last one of each party counts")
  func answers() throws {
    let walk = GroupWalk.standing(in: .cutApplied)
    var report = Fixture.ping(Fixture.herID(200))
    report.library = "TjenestebussClient"
    report.libraryVersion = "0.9"
    walk.send(.pinged([report], retryAt: walk.retryAt))
    var state = MigrationState()
    let plan = Fixture.plan([200, 300])
    for event in state.decide(.begin(plan, planHash: nil, approvals: ["Kari", "Ola"]), now: Fixture.start).events {
      _ = state.apply(event, at: Fixture.start)
    }
    state.puljer[plan.name]?.groups[0] = walk.group
    let seen = state.librariesSeen
    #expect(seen.map(\.version) == ["0.9"] && seen.map(\.source) == [.ping])
    var policy = Policy()
    policy.libraries = LibraryPolicy(minimum: [.init(library: "tjenestebussclient", version: "1.0")])
    #expect(try self.find(seen, policy: policy).map(\.code) == [.libraryTooOld])
  }

  @Test("a message that lies on the bus being left tells its sender's library, where no ping was answered")
  func messages() {
    let walk = SightingTests.walk()
    walk.send(.looked(Fixture.look(depth: 2)))
    let old = SightingTests.message(900, nil) {
      $0.library = "TjenestebussClient"
      $0.libraryVersion = "0.4"
    }
    walk.send(SightingTests.sighted([old, SightingTests.message(901, nil)]))
    var state = MigrationState()
    let plan = Fixture.plan([200, 300])
    for event in state.decide(.begin(plan, planHash: nil, approvals: ["Kari", "Ola"]), now: Fixture.start).events {
      _ = state.apply(event, at: Fixture.start)
    }
    state.puljer[plan.name]?.groups[0] = walk.group
    let seen = LibrarySighting(
      herID: Fixture.herID(900), library: "TjenestebussClient", version: "0.4", source: .message)
    #expect(state.librariesSeen == [seen])
  }

  @Test("a library policy that cannot be read blocks the plan")
  func unsound() throws {
    #expect(Fixture.plan([200], policy: try self.libraries("latest")).obstacles.map(\.code) == [.policyUnsound])
    #expect(Fixture.plan([200], policy: try self.libraries("1", days: 0)).obstacles.map(\.code) == [.policyUnsound])
  }
}

@Suite("What vendors are told, ready made")
struct VendorConfigurationTests {
  @Test(
    "a part for each vendor: connection without secrets, dialect, queues, and the reply queues that the register does not hold")
  func each() {
    let all = VendorConfiguration.all(Fixture.plan([100, 101, 102, 200, 300]), target: Fixture.target)
    #expect(all.map(\.vendor) == ["Alfa", "Beta"])
    #expect(all[0].connectionString == "amqps://USER:PASSWORD@tb.test.example:5671/NHN")
    #expect(all[0].dialect == .rabbitMQ4AddressV2)
    #expect(all[0].parties.map(\.herID.value) == [100, 101, 102])
    #expect(all[0].parties.map(\.synchronousReply) == ["100_syncreply", "100_syncreply", "100_syncreply"])
    #expect(all[1].parties.map(\.queues) == [["200_async", "200_sync", "200_error"], ["300_async", "300_sync", "300_error"]])
    let yaml = all[0].yaml
    #expect(yaml.contains("dialect: rabbitmq-4-v2") && yaml.contains("hosts: [tb.test.example]"))
    #expect(yaml.contains("MACHINE-1: 100_syncreply") && !yaml.contains("MACHINE-2"))
  }
}
