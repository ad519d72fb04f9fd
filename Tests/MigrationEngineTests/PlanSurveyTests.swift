// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import Migration
import Testing

@testable import MigrationEngine

@Suite("A plan with what is found beside it")
struct PlanSurveyTests {
  private struct Given: EvidencePort {
    var evidence: PlanEvidence
    func evidence(of plan: Plan, request: PuljeRequest) async -> PlanEvidence { self.evidence }
  }

  private func survey(_ evidence: PlanEvidence, blocks: [PlanFinding.Code]? = nil) async throws -> PlanSurvey {
    let scene = try Scene()
    let request = try scene.request([200, 300]) { $0.blocks = blocks }
    return try await PlanMaker(register: scene.world, buses: [Scene.source, Scene.target], evidence: Given(evidence: evidence))
      .survey(
        request, open: [:], now: Instant(milliseconds: 1_770_000_000_000))
  }

  private func evidence() throws -> PlanEvidence {
    let sighting = LibrarySighting(
      herID: try Scene.herID(200), library: "Old", version: "1", wire: "AMQP 0-9-1", source: .connection)
    return PlanEvidence(sightings: [sighting], notLookedAt: ["x"])
  }

  @Test("findings are beside the plan and not in its hash: what comes and goes must not spend an approval")
  func beside() async throws {
    let none = try await self.survey(PlanEvidence())
    let some = try await self.survey(try self.evidence())
    #expect(some.findings.map(\.code) == [.noAMQP10, .notLookedAt])
    #expect(none.findings.isEmpty && some.plan.hash == none.plan.hash && some.plan.isClear)
  }

  @Test("what the policy says blocks is an obstacle, each finding one")
  func blocks() async throws {
    let blocked = try await self.survey(try self.evidence(), blocks: [.noAMQP10, .libraryTooOld])
    #expect(blocked.plan.obstacles.map(\.code) == [.findingBlocks])
    #expect(blocked.plan.obstacles.first?.herID == (try Scene.herID(200)))
    #expect(!blocked.plan.isClear)
    #expect(try await self.survey(PlanEvidence(), blocks: [.noAMQP10]).plan.isClear)
  }

  @Test("an organisation's parties are read anew like all others")
  func organisation() async throws {
    let scene = try Scene()
    scene.world.change { inside in
      for herID in inside.register.keys { inside.register[herID]?.organisationNumber = herID.value == 300 ? 8 : 7 }
    }
    var request = try scene.request([])
    request.organisations = [PuljeRequest.Organisation(number: 7, vendor: "Beta", listens: .both)]
    let plan = try await PlanMaker(register: scene.world, buses: [Scene.source, Scene.target]).plan(request, open: [:])
    #expect(plan.isClear && plan.herIDs.map(\.value).sorted() == [100, 101, 102, 200])
  }

  /// A register of profiles and agreements, in memory.
  private struct Protocols: CollaborationProtocolReading {
    var documents: [CollaborationProtocol]
    func profile(_ herID: HerID) async throws -> CollaborationProtocol? {
      if herID.value == 300 { throw AddressRegistryError.registerUnreachable(url: "u", seen: "away") }
      return self.documents.first { $0.kind == .profile && $0.parties.first?.herID == herID }
    }
    func agreementIDs(of herID: HerID) async throws -> [String] {
      self.documents.filter { $0.kind == .agreement && $0.parties.contains { $0.herID == herID } }.map(\.id)
    }
    func agreement(id: String) async throws -> CollaborationProtocol? { self.documents.first { $0.id == id } }
  }

  @Test(
    "profiles and agreements are judged by the entries as they will read: what names the source bus is found, what is away is named"
  )
  func endpoints() async throws {
    let scene = try Scene()
    let plan = try await scene.plan(try scene.request([200, 300]))
    func party(_ value: Int32, _ host: String) throws -> CollaborationProtocol.Party {
      CollaborationProtocol.Party(
        herID: try Scene.herID(value), name: "x",
        endpoints: [.init(transportID: "t", text: "\(host)/NHN/\(value)_async", channels: [])])
    }
    let protocols = Protocols(documents: [
      CollaborationProtocol(kind: .profile, id: "p200", parties: [try party(200, "a.example")]),
      CollaborationProtocol(kind: .agreement, id: "moved", parties: [try party(200, "b.example"), try party(9, "a.example")]),
      CollaborationProtocol(kind: .agreement, id: "left", parties: [try party(200, "a.example"), try party(9, "a.example")]),
    ])
    let found = try await GatheredEvidence.endpoints(protocols, buses: [Scene.source, Scene.target])(plan)
    #expect(found.endpoints.map(\.documentID) == ["p200", "left"])
    #expect(found.endpoints.map { $0.counterpart?.value } == [nil, 9])
    #expect(found.endpoints.allSatisfy { $0.herID.value == 200 && $0.address == "a.example/NHN/200_async" })
    #expect(found.notLookedAt.count == 1 && found.notLookedAt[0].contains("300"))
  }

  @Test("a connection is a party's by the queue it receives from, or by the party's own user; others are nobody's")
  func connections() async throws {
    let scene = try Scene()
    var request = try scene.request([200, 300])
    request.parties[1].busUser = "org-300"
    let plan = try await scene.plan(request)
    func connection(_ name: String, user: String, queues: [String] = []) -> ManagementConnections.Connection {
      ManagementConnections.Connection(
        name: name, user: user, wire: "AMQP 1-0", product: "P-\(name)", version: "1", queues: queues)
    }
    let sightings = GatheredEvidence.sightings(
      [
        connection("a", user: "shared", queues: ["200_async", "200_sync", "other"]), connection("b", user: "org-300"),
        connection("c", user: "shared"),
      ], plan, request)
    #expect(sightings.map(\.library) == ["P-a", "P-b"])
    #expect(sightings.map { $0.herID?.value } == [200, 300])
  }
}
