// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import Testing

@testable import bus_migrator

/// Who may do what: every verb and every route with every role.
@Suite("Rights at the control interface")
struct ControlRightsTests {
  private typealias Verb = ControlAPI.Command.Verb

  /// Written down a second time, by role, as an auditor would read it.
  private static let verbs: [ControlRole: Set<Verb>] = [
    .viewer: [],
    .operator: [
      .pause, .resume, .rollback, .quarantine, .readmit, .signTest, .stop, .pauseForwarding, .resumeForwarding, .endForwarding,
      .retrySetAside, .checkBus,
    ],
    .approver: [
      .start, .accept, .retire, .release, .approveRemoval, .closeBus, .approveForwarding, .except, .waive, .rollback, .checkBus,
      .pause, .stop,
    ],
    .vendor: [.signTest],
  ]

  private static let routes: [ControlRole: Set<ControlRoute>] = {
    let seen: Set<ControlRoute> = [
      .health, .status, .report, .reports, .reportNow, .reportFile, .drain, .explainDrain, .forwarding, .busDrain, .echoQueue,
      .echoes, .me, .board, .live,
      .group, .metrics,
    ]
    return [
      .viewer: seen, .operator: seen.union([.forwardingTrial, .command]), .approver: seen.union([.forwardingTrial, .command]),
      .vendor: [.health, .status, .report, .drain, .command, .me, .live],
    ]
  }()

  @Test("every verb x role", arguments: ControlRole.allCases)
  func verbs(role: ControlRole) throws {
    let expected = try #require(Self.verbs[role])
    for verb in Verb.allCases {
      #expect(ControlRights.roles(for: verb).contains(role) == expected.contains(verb), "\(role) \(verb)")
    }
  }

  @Test("every verb is some role's", arguments: ControlAPI.Command.Verb.allCases)
  func somebody(verb: ControlAPI.Command.Verb) {
    #expect(!ControlRights.roles(for: verb).isDisjoint(with: [.operator, .approver]))
    // What only looks, what goes back and what halts apart, nobody may both run and give leave by one role.
    if ![.rollback, .checkBus, .pause, .stop].contains(verb) {
      #expect(!ControlRights.roles(for: verb).isSuperset(of: [.operator, .approver]), "\(verb)")
    }
  }

  @Test("every route x role", arguments: ControlRole.allCases)
  func routes(role: ControlRole) throws {
    let expected = try #require(Self.routes[role])
    for route in ControlRoute.allCases {
      #expect(ControlRights.roles(for: route).contains(role) == expected.contains(route), "\(role) \(route)")
      #expect(ControlRoute.of(route.method, route.path) == route)
    }
  }

  @Test("logins are what their groups say; root and the daemon's own user may everything; nobody known may nothing")
  func logins() {
    func asker(_ user: UInt32?, _ groups: Set<String> = []) -> ControlAsker? {
      LoginRoles.asker(user, login: "kari", own: 998, groups: groups)
    }
    #expect(asker(nil, ["bus-migrator-operator"]) == nil)
    #expect(asker(1_000)?.roles == [] && asker(1_000)?.isRescue == false)
    #expect(asker(0)?.isRescue == true && asker(998)?.isRescue == true)
    #expect(asker(1_000, ["bus-migrator-viewer", "wheel"])?.roles == [.viewer])
    #expect(asker(1_000, ["bus-migrator-operator", "bus-migrator-approver"])?.roles == [.operator, .approver])
    #expect(asker(1_000, ["bus-migrator-vendor"])?.roles == [])
    let nobody = ControlAsker(giver: .login(uid: 1, name: nil))
    let root = ControlAsker(giver: .login(uid: 0, name: "root"), isRescue: true)
    for verb in Verb.allCases {
      #expect(!nobody.may(ControlRights.roles(for: verb)) && root.may(ControlRights.roles(for: verb)))
    }
  }

  @Test("the audit has the role that let somebody do it, not just one that they have")
  func recordedRole() {
    let both = ControlAsker(giver: .token(name: "t"), roles: [.operator, .approver])
    #expect(
      both.role(for: .pause) == "operator" && both.role(for: .accept) == "approver" && both.role(for: .rollback) == "operator")
    #expect(ControlAsker(giver: .login(uid: 0, name: nil), isRescue: true).role(for: .accept) == "rescue")
  }

  @Test("a command with a field that nobody knows is not read: a roll-back with a misspelt party would be one of all")
  func strict() {
    let body = Data(#"{"verb":"rollback","herID":[200],"by":["Kari"],"why":"x"}"#.utf8)
    let error = #expect(throws: CommandLineError.self) {
      try ControlAPI.read(ControlAPI.Command.self, "the command", body)
    }
    #expect(error?.description.contains("the field herID") == true)
    for wrong in [
      #"{"#, #"[]"#, #"{"verb":"fly"}"#, #"{"verb":"pause","by":"Kari"}"#, #"{}"#, #"{"verb":"pause","pulje":"a b/c"}"#,
    ] {
      #expect(throws: CommandLineError.self) { try ControlAPI.read(ControlAPI.Command.self, "the command", Data(wrong.utf8)) }
    }
  }

  @Test("a command is the same whenever it is sent, and another with another word in it")
  func fingerprint() throws {
    let command = ControlAPI.Command(
      verb: .waive, by: ["Kari"], why: "old", until: Instant(milliseconds: 7), lasts: .days(3))
    var later = command
    later.until = Instant(milliseconds: 8)
    #expect(command.fingerprint == later.fingerprint)
    later.lasts = .days(4)
    #expect(command.fingerprint != later.fingerprint)
    var other = command
    other.why = "older"
    #expect(command.fingerprint != other.fingerprint)
    let read = try ControlAPI.read(ControlAPI.Command.self, "the command", try ControlAPI.encode(command))
    #expect(read.fingerprint == command.fingerprint && read.lasts == .days(3))
  }

  /// As far as it says who may what.
  private struct Description: Decodable {
    struct Operation: Decodable {
      var roles: Set<ControlRole>
      var verbs: [String: Set<ControlRole>]?
      enum CodingKeys: String, CodingKey {
        case roles = "x-roles"
        case verbs = "x-verbs"
      }
    }

    var paths: [String: [String: Operation]]
  }

  @Test("the description in docs/api has every route and verb, with who may it, and none that is not there")
  func described() throws {
    let file = ConfigurationFileTests.root.appendingPathComponent("docs/api/openapi.json")
    let description = try JSONDecoder().decode(Description.self, from: try Data(contentsOf: file))
    var described: [String: Set<ControlRole>] = [:]
    for (path, operations) in description.paths {
      for (method, operation) in operations { described["\(method.uppercased()) \(path)"] = operation.roles }
    }
    let placed = ControlRoute.allCases.map { ($0.rawValue, ControlRights.roles(for: $0)) }
    #expect(described == Dictionary(uniqueKeysWithValues: placed))
    let verbs = Verb.allCases.map { ($0.rawValue, ControlRights.roles(for: $0)) }
    #expect(description.paths["/v1/command"]?["post"]?.verbs == Dictionary(uniqueKeysWithValues: verbs))
  }
}
