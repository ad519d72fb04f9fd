// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import Foundation
import Testing
import TjenestebussTesting

@testable import bus_migrator

@Suite("bus-migrator registry endpoints, as a program", .serialized, .timeLimit(.minutes(5)))
struct RegistryEndpointsTests {
  private static func part(_ number: Int32, _ host: String) throws -> CollaborationProtocol.Party {
    CollaborationProtocol.Party(
      herID: try #require(HerID(number)), name: "Party \(number)",
      endpoints: [
        CollaborationProtocol.Endpoint(
          transportID: "t1", text: "\(host)/NHN/\(number)_async", channels: ["AMQPAsync_\(number)"])
      ])
  }

  private func prepare(_ stage: Stage, scope: String = AddressRegisterServer.protocolScope) async throws {
    let key = try SigningKey(jwk: Secret(RegistryCommandTests.key))
    stage.register.admit(HelseIDClient(id: "migrator", publicJWK: key.publicJWK, scopes: [scope], isMultiTenant: false))
    try Data(RegistryCommandTests.key.utf8).write(to: stage.folder.appendingPathComponent("key.json"))
    let url = try await stage.register.protocolAPI().url
    let text = try String(contentsOfFile: stage.configuration, encoding: .utf8)
    let cppa = """
        cppa:
          url: \(url)
          helse-id:
            issuer: \(url.replacing("/v2", with: ""))
            client-id: migrator
            key-file: key.json
        cache: cache.sqlite
      """
    try Data(text.replacing("  cache: cache.sqlite", with: cppa).utf8).write(to: URL(fileURLWithPath: stage.configuration))
    stage.register.setProtocols(
      profiles: [CollaborationProtocol(kind: .profile, id: "p-200", parties: [try Self.part(200, "a.example")])],
      agreements: [
        CollaborationProtocol(
          kind: .agreement, id: "c-200-300", parties: [try Self.part(200, "a.example"), try Self.part(300, "a.example")])
      ])
  }

  @Test("before a move it shows what the move would leave behind, and after it what it has left behind")
  func story() async throws {
    try await Stage.with { stage in
      let unconfigured = try await stage.command(["registry", "endpoints"])
      #expect(unconfigured.exitCode == 2, "\(unconfigured.complaint)")
      try await self.prepare(stage)
      let empty = try await stage.command(["registry", "endpoints"])
      #expect(empty.exitCode == 2 && empty.complaint.contains("AR-101"), "\(empty.complaint)")
      #expect(try await stage.command(["registry", "sync", "--execute", "--her-id", "100,101,200,300"]).exitCode == 0)

      let right = try await stage.command(["registry", "endpoints", "--json"])
      #expect(right.exitCode == 0, "\(right.complaint)")
      let answer = try right.json(EndpointsAnswer.self)
      #expect(answer.parties == 4 && answer.profiles == 1 && answer.agreements == 1 && answer.stale.isEmpty)

      let foreseen = try await stage.command(["registry", "endpoints", "--her-id", "200", "--moved-to", "b", "--json"])
      #expect(foreseen.exitCode == 6, "\(foreseen.complaint)")
      #expect(try PromisedForm("registry-endpoints").differences(foreseen.output) == [])
      let stale = try foreseen.json(EndpointsAnswer.self).stale
      #expect(stale.map(\.documentID) == ["p-200", "c-200-300"])
      #expect(stale.map { $0.counterpart?.value } == [nil, 300])
      #expect(stale.allSatisfy { $0.herID.value == 200 && $0.bus == "a" && $0.register == ["b"] && $0.problem == "other-bus" })
      let wrong = try await stage.command(["registry", "endpoints", "--moved-to", "x"])
      #expect(wrong.exitCode == 2 && wrong.complaint.contains("a, b"), "\(wrong.complaint)")

      // It moves; the cache does not know, the register does.
      let moved = try #require(stage.register.records.first { $0.herID.value == 200 }).moved(to: Stage.buses[1])
      try stage.register.put(moved)
      #expect(try await stage.command(["registry", "endpoints"]).exitCode == 0)
      let live = try await stage.command(["registry", "endpoints", "--her-id", "200", "--live"])
      #expect(live.exitCode == 6, "\(live.complaint)")
      #expect(
        live.output.contains(
          "HER-ID 200, agreement c-200-300, used by HER-ID 300: a.example/NHN/200_async is on a; the address register says b"),
        "\(live.output)")
    }
  }

  @Test("what cannot be read is listed, and a client that is not let in is told once")
  func failures() async throws {
    try await Stage.with { stage in
      try await self.prepare(stage)
      #expect(try await stage.command(["registry", "sync", "--execute", "--her-id", "100,101,200,300"]).exitCode == 0)
      stage.register.script(ScriptedRegisterFault(.halfDocument, on: [.agreement]))
      stage.register.script(ScriptedRegisterFault(.httpStatus(503), on: [.profile], herID: HerID(100)))
      let partly = try await stage.command(["registry", "endpoints", "--json"])
      #expect(partly.exitCode == 1, "\(partly.complaint)")
      #expect(try PromisedForm("registry-endpoints").differences(partly.output) == [])
      #expect(try PromisedForm("registry-verify").differences(partly.output).isEmpty == false)
      let answer = try partly.json(EndpointsAnswer.self)
      #expect(answer.failures.map(\.code).sorted() == ["AR-405", "AR-406"])
      #expect(answer.profiles == 1 && answer.agreements == 0)
      let text = try await stage.command(["registry", "endpoints", "--her-id", "999"])
      #expect(
        text.exitCode == 0 && text.output.contains("\n1 parties, 0 profiles, 0 agreements"), "\(text.output)\(text.complaint)")

      stage.register.script(ScriptedRegisterFault(.refuse(code: "invalid_client"), on: [.token], times: 100))
      let refused = try await stage.command(["registry", "endpoints"])
      #expect(refused.exitCode == 1 && refused.complaint.contains("AR-421"), "\(refused.complaint)")
    }
  }
}
