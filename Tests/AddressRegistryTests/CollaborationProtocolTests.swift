// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing
import TjenestebussTesting

@Suite("Profiles and agreements, and those whose addresses the register has left behind", .timeLimit(.minutes(10)))
struct CollaborationProtocolTests {
  private static func part(_ number: Int32, _ host: String) -> CollaborationProtocol.Party {
    CollaborationProtocol.Party(
      herID: her(number), name: "Part <\(number)>",
      endpoints: ["async", "sync"].enumerated().map { index, kind in
        CollaborationProtocol.Endpoint(
          transportID: "transport_\(index)", text: "\(host)/DigitalDialog/\(number)_\(kind)", channels: ["AMQP\(kind)_\(number)"])
      })
  }

  private static let old = "sb.test.nhn.no"
  private static let new = "tb.test.nhn.no"
  private static let profile = CollaborationProtocol(kind: .profile, id: "p-103", parties: [part(103, old)])
  private static let agreement = CollaborationProtocol(
    kind: .agreement, id: "9333f3de-0000-4000-8000-000000000001", parties: [part(103, old), part(200, new)])

  @Test("read over REST with a token, by party, by pair and by id")
  func reading() async throws {
    try await RESTHarness.run { harness in
      harness.server.setProtocols(profiles: [Self.profile], agreements: [Self.agreement])
      let register = harness.protocols
      let profiles = try await (register.profile(her(103)), register.profile(her(104)))
      #expect(profiles.0 == Self.profile)
      #expect(profiles.1 == nil)
      let pairs = try await (
        register.agreement(between: her(200), and: her(103)), register.agreement(between: her(200), and: her(104))
      )
      #expect(pairs.0 == Self.agreement)
      #expect(pairs.1 == nil)
      let ids = try await (register.agreementIDs(of: her(200)), register.agreementIDs(of: her(7)))
      #expect(ids.0 == [Self.agreement.id])
      #expect(ids.1.isEmpty)
      let byID = try await (register.agreement(id: Self.agreement.id), register.agreement(id: "none"))
      #expect(byID.0 == Self.agreement)
      #expect(byID.1 == nil)
      harness.server.script(ScriptedRegisterFault(.halfDocument, on: [.agreement]))
      #expect(await failure { try await register.agreement(id: Self.agreement.id) }?.stableCode == "AR-406")
      harness.server.script(ScriptedRegisterFault(.httpStatus(500), on: [.profile]))
      #expect(await failure { try await register.profile(her(103)) }?.stableCode == "AR-405")
    }
  }

  private func find(_ documents: [CollaborationProtocol], _ records: [PartyRecord]) -> [StaleEndpoint] {
    StaleEndpoints.find(
      in: documents, records: Dictionary(uniqueKeysWithValues: records.map { ($0.herID, $0) }), buses: bothBuses)
  }

  @Test("an address on another bus than the address register's is found, with who would send there")
  func stale() throws {
    let stayed = [party(103), party(200, addresses: queues(of: 200, host: Self.new))]
    #expect(self.find([Self.profile, Self.agreement], stayed).isEmpty)
    let moved = [try party(103).moved(to: tjenestebuss), stayed[1]]
    let found = self.find([Self.profile, Self.agreement], moved)
    #expect(found.map(\.documentID) == ["p-103", "p-103", Self.agreement.id, Self.agreement.id])
    #expect(found.map(\.counterpart) == [nil, nil, her(200), her(200)])
    #expect(found.allSatisfy { $0.problem == .otherBus(named: "servicebus", register: ["tjenestebuss"]) })
    #expect(found.first?.endpoint.channels == ["AMQPasync_103"])
  }

  @Test("a survey asks each party and each agreement once, lists what cannot be read, and judges entries as they are or will be")
  func survey() async throws {
    try await RESTHarness.run { harness in
      let other = CollaborationProtocol(
        kind: .agreement, id: "second", parties: [Self.part(103, Self.old), Self.part(7, Self.old)])
      harness.server.setProtocols(profiles: [Self.profile], agreements: [Self.agreement, other])
      let records = [party(103), party(200, addresses: queues(of: 200, host: Self.new))]
      let known = Dictionary(uniqueKeysWithValues: records.map { ($0.herID, $0) })
      let survey = EndpointSurvey(register: harness.protocols, concurrency: 2)
      let now = try await survey.findings(of: [her(103), her(200)], records: known, buses: bothBuses)
      #expect(now.profiles == 1 && now.agreements == 2 && now.stale.isEmpty && now.failures.isEmpty)
      // Nobody here knows where 7 sits: that is said, and not counted as right.
      #expect(now.unjudged == [her(7)])
      let documents = try await survey.documents(of: [her(200), her(103)])
      #expect(documents.documents.count == 3)
      var after = known
      after[her(103)] = try party(103).moved(to: tjenestebuss)
      let then = EndpointSurvey.judge(documents, records: after, buses: bothBuses)
      #expect(then.stale.count == 6 && then.stale.allSatisfy { $0.herID == her(103) })

      harness.server.script(ScriptedRegisterFault(.halfDocument, on: [.agreement]))
      harness.server.script(ScriptedRegisterFault(.httpStatus(500), on: [.profile]))
      // One after the other: the faults are for whoever asks first.
      let broken = try await EndpointSurvey(register: harness.protocols, concurrency: 1).documents(of: [her(103), her(200)])
      #expect(broken.failures.map(\.error.stableCode).sorted() == ["AR-405", "AR-406"])
      #expect(broken.documents.count == 1)
      // No token for anybody: one answer, not one for each party.
      harness.server.revokeTokens()
      harness.server.script(ScriptedRegisterFault(.refuse(code: "invalid_client"), on: [.token], times: 100))
      #expect(await failure { try await survey.documents(of: [her(103), her(200)]) }?.stableCode == "AR-421")
    }
  }

  @Test("a host of no bus and a text that is no address are shown, not guessed; who is unknown or has no queues is passed over")
  func odd() {
    var odd = Self.profile
    odd.parties[0].endpoints[0].text = "rb.test.nhn.no/x/103_async"
    odd.parties[0].endpoints[1].text = "nonsense"
    odd.parties[0].endpoints.append(
      CollaborationProtocol.Endpoint(transportID: "t", text: "mailto:post@edi.example.no", channels: []))
    odd.parties[0].endpoints.append(
      CollaborationProtocol.Endpoint(transportID: "t", text: "amqps://sb.test.nhn.no/DigitalDialog/103_async", channels: []))
    #expect(
      self.find([odd], [party(103)]).map(\.problem) == [
        .unknownBus(host: "rb.test.nhn.no", register: ["servicebus"]), .malformed,
      ])
    #expect(self.find([odd], []).isEmpty)
    #expect(self.find([odd], [party(103, addresses: [])]).isEmpty)
  }
}
