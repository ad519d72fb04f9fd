// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import Migration
import MigrationStore
import Testing
import TjenestebussTesting

@testable import MigrationEngine

@Suite(
  "The engine over an address register that speaks SOAP: how far a write reaches, and who makes it", .timeLimit(.minutes(10)))
struct RegisterScopeTests {
  /// An organisation with queues of its own, two services with theirs, one that inherits, and somebody else.
  private static func records() throws -> [PartyRecord] {
    [
      try Scene.record(100), try self.service(103), try self.service(104), try Scene.record(105, queues: 100, parent: 100),
      try Scene.record(200),
    ]
  }

  private static func service(_ value: Int32) throws -> PartyRecord {
    var record = try Scene.record(value, parent: 100)
    for index in record.addresses.indices { record.addresses[index].inherited = false }
    return record
  }

  private struct Stage: Sendable {
    var server: AddressRegisterServer
    var scene: Scene
    var before: [HerID: RecordHash]

    func start(_ herIDs: [Int32], joining: Set<Int32> = [], scope: PuljeRequest.Scope = .herID) async throws -> [MigrationInput] {
      var request = try self.scene.request(herIDs) { $0.writeTries = 3 }
      request.scope = scope
      for index in request.parties.indices where joining.contains(request.parties[index].herID.value) {
        request.parties[index].joinsOrganisation = true
      }
      let plan = try await self.scene.plan(request)
      #expect(plan.isClear, "\(plan.obstacles)")
      return [.seal(plan, by: "Kari"), .start(self.scene.name, planHash: plan.hash, approvals: ["Kari", "Ola"])]
    }

    var writes: [String] {
      self.server.writeAttempts.map { "\($0.operation.rawValue) \($0.herID)" }
    }

    /// Everybody reads as planned.
    func reads(_ state: MigrationState, after: Bool) -> Bool {
      (state.puljer[self.scene.name].map { Array($0.groups) } ?? []).flatMap(\.members).allSatisfy { member in
        self.server.record(member.herID) == (after ? member.plan.after : member.plan.before)
      }
    }

    func isBack() -> Bool { self.server.records.allSatisfy { self.before[$0.herID] == $0.hash } }
  }

  private enum Way { case soap, soapPartyOnly, elsewhere }

  private func run(_ way: Way = .soap, _ body: @Sendable (Stage) async throws -> Void) async throws {
    let credentials = RegisterCredentials(user: "u", password: Secret("p"))
    let records = try Self.records()
    let configuration = AddressRegisterServer.Configuration(credentials: credentials, buses: [Scene.source, Scene.target])
    try await AddressRegisterServer.withServer(configuration: configuration, records: records) { server in
      try await RegisterHTTP.withClient { http in
        let reader = try SOAPAddressRegister(
          endpoint: try await server.readerEndpoint(), credentials: credentials, http: http)
        let writer: any AddressRegisterWriting =
          switch way {
          case .elsewhere: NoAddressRegisterWriter(writtenBy: "the office next door")
          case .soap, .soapPartyOnly:
            try SOAPAddressRegisterWriter(
              configuration: try await server.writerConfiguration(), credentials: credentials, http: http)
          }
        let offer: RegisterOffer =
          switch way {
          case .elsewhere: RegisterOffer(writer: .init(.elsewhere, who: "the office next door"))
          case .soap: RegisterOffer(servicesBelow: true, organisationQueue: true)
          case .soapPartyOnly: RegisterOffer()
          }
        let register = RegistryRegister(
          reader: reader, writer: writer, changes: reader, organisations: reader, offer: offer, cache: nil,
          settings: .init(waits: [.milliseconds(1)], showsWithin: .milliseconds(3)))
        try await body(
          Stage(
            server: server, scene: try Scene(register: register, records: records),
            before: Dictionary(uniqueKeysWithValues: records.map { ($0.herID, $0.hash) })))
      }
    }
  }

  private static func all(_ state: MigrationState, _ name: PuljeName, _ phase: GroupPhase) -> Bool {
    EngineTests.all(state, name, [phase])
  }

  private let wide = "SwitchBusIncludingServices 100"

  @Test("a HER-ID and all services below it: one write, everybody is read back, and each gets its own way back")
  func servicesBelow() async throws {
    try await self.run { stage in
      let name = stage.scene.name
      let orders = try await stage.start([100, 103, 104, 105], scope: .servicesBelow)
      let state = try await stage.scene.run(orders: orders) { Self.all($0, name, .observing) }
      #expect(stage.writes == [self.wide])
      #expect(stage.reads(state, after: true))
      try await stage.scene.run(orders: [.rollBack(name, herIDs: nil, by: "Kari", why: "asked")]) {
        Self.all($0, name, .restored)
      }
      #expect(stage.isBack())
      #expect(stage.writes.count == 4)
    }
  }

  @Test("a service below that is in no cache is found by asking the register, and blocks the plan that lacks it")
  func unknownBelow() async throws {
    try await self.run { stage in
      var request = try stage.scene.request([100, 103, 105])
      request.scope = .servicesBelow
      let plan = try await stage.scene.plan(request)
      #expect(plan.obstacles.map(\.code) == [.groupNotClosed] && plan.obstacles[0].others.map(\.value) == [104])
    }
    try await self.run(.soapPartyOnly) { stage in
      var request = try stage.scene.request([100, 103, 104, 105])
      request.scope = .servicesBelow
      #expect(try await stage.scene.plan(request).obstacles.map(\.code) == [.scopeNotOffered])
    }
  }

  @Test(
    "only some of them were written, whatever the register answered: the others are finished one by one",
    arguments: [true, false])
  func finished(answers: Bool) async throws {
    try await self.run { stage in
      let name = stage.scene.name
      let orders = try await stage.start([100, 103, 104, 105], scope: .servicesBelow)
      stage.server.script(.init(.applyOnly(2, answers: answers), on: [.switchBusIncludingServices]))
      let state = try await stage.scene.run(orders: orders) { Self.all($0, name, .observing) }
      #expect(stage.writes == [self.wide, "SwitchBus 104"])
      #expect(stage.reads(state, after: true))
    }
  }

  @Test("nothing of it was written: it is not tried in one write again")
  func lost() async throws {
    try await self.run { stage in
      let name = stage.scene.name
      let orders = try await stage.start([100, 103, 104, 105], scope: .servicesBelow)
      stage.server.script(.init(.replyLostBeforeApplying, on: [.switchBusIncludingServices]))
      let state = try await stage.scene.run(orders: orders) { Self.all($0, name, .observing) }
      #expect(stage.writes == [self.wide, "SwitchBus 100", "SwitchBus 103", "SwitchBus 104"])
      #expect(stage.reads(state, after: true))
    }
  }

  @Test("what cannot be finished is held, never called done, and goes back whole")
  func takenBack() async throws {
    try await self.run { stage in
      let name = stage.scene.name
      let orders = try await stage.start([100, 103, 104, 105], scope: .servicesBelow)
      stage.server.script(.init(.applyOnly(2, answers: true), on: [.switchBusIncludingServices]))
      stage.server.script(.init(.refuse(code: "AccessDenied"), on: [.switchBus], times: 100))
      let held = try await stage.scene.run(orders: orders) { $0.puljer[name]?.groups.first?.hold != nil }
      let group = try #require(held.puljer[name]?.groups.first)
      #expect(group.hold?.code == .writesDoNotTake && group.phase == .cutIntent)
      #expect(group.hold?.seen.contains("104") == true)
      try await stage.scene.run(orders: [.rollBack(name, herIDs: nil, by: "Kari", why: "cannot be finished")]) {
        Self.all($0, name, .restored)
      }
      #expect(stage.isBack())
      // 104 never moved: nothing was written to bring it back.
      #expect(!stage.writes.contains("UpdateElectronicAddresses 104"))
    }
  }

  @Test("a party flagged for its organisation's queue: after the organisation, and back before it")
  func organisationQueue() async throws {
    try await self.run { stage in
      let name = stage.scene.name
      let orders = try await stage.start([100, 103, 105], joining: [103])
      let state = try await stage.scene.run(orders: orders) { Self.all($0, name, .observing) }
      #expect(stage.writes == ["SwitchBus 100", "UseOrganizationQueue 103"])
      #expect(stage.reads(state, after: true))
      #expect(stage.server.record(try Scene.herID(103))?.addresses.allSatisfy(\.inherited) == true)
      try await stage.scene.run(orders: [.rollBack(name, herIDs: nil, by: "Kari", why: "asked")]) {
        Self.all($0, name, .restored)
      }
      #expect(stage.isBack())
      #expect(stage.writes.suffix(2) == ["UpdateElectronicAddresses 103", "UpdateElectronicAddresses 100"])
    }
  }

  @Test("nothing is written from here: who does it stands in the plan, and nothing counts as done before the entry reads so")
  func elsewhere() async throws {
    try await self.run(.elsewhere) { stage in
      let name = stage.scene.name
      let orders = try await stage.start([200])
      let state = try await stage.scene.run(orders: orders) { $0.puljer[name]?.groups.first?.members.first?.handedOver ?? false }
      #expect(state.puljer[name]?.plan.writer?.words.contains("nothing is written here: the office next door") == true)
      let member = try #require(state.puljer[name]?.groups[0].members[0])
      guard case .handedOver(let words)? = member.lastOutcome else {
        Issue.record("\(String(describing: member.lastOutcome))")
        return
      }
      #expect(words.contains("Who writes it: the office next door") && words.contains("b.example/NHN/200_async"))
      // Asked again and again, and never more than waiting.
      let asked = try #require(member.intents == 1 ? state.puljer[name]?.groups[0].since : nil)
      let waiting = try await stage.scene.run { state in
        state.puljer[name]?.groups.first?.members.first?.lastReadAt.map { $0 > asked + .minutes(3) } ?? false
      }
      #expect(waiting.puljer[name]?.groups[0].phase == .cutUnknown)
      #expect(stage.writes.isEmpty)
      try stage.server.put(member.plan.after)
      try await stage.scene.run { Self.all($0, name, .observing) }
      #expect(stage.writes.isEmpty)
    }
  }

  @Test("somebody's change between our look and our write: a conflict that stops the pulje until a person has looked")
  func overwrote() async throws {
    try await self.run { stage in
      let name = stage.scene.name
      let herID = try Scene.herID(200)
      var stranger = try Scene.record(200)
      stranger.addresses[0].text = "c.example/NHN/200_async"
      stage.server.script(.init(.strangerFirst(stranger), on: [.switchBus], herID: herID))
      let orders = try await stage.start([200])
      let state = try await stage.scene.run(orders: orders) { $0.puljer[name]?.groups.first?.phase == .conflict }
      guard case .overwrote(_, let seen)? = state.puljer[name]?.groups[0].members[0].lastOutcome else {
        Issue.record("\(String(describing: state.puljer[name]?.groups[0].members[0].lastOutcome))")
        return
      }
      #expect(seen.contains("somebody"))
      try await stage.scene.run(orders: [.release(name, herID: herID, by: "Kari")]) { Self.all($0, name, .observing) }
      // The way back is a general update: what it covers is told as well.
      stage.server.script(.init(.strangerFirst(stranger), on: [.updateElectronicAddresses], herID: herID))
      let back = try await stage.scene.run(orders: [.rollBack(name, herIDs: nil, by: "Kari", why: "asked")]) {
        $0.puljer[name]?.groups.first?.phase == .conflict
      }
      #expect(back.puljer[name]?.groups[0].direction == .back)
      try await stage.scene.run(orders: [.release(name, herID: herID, by: "Kari")]) { Self.all($0, name, .restored) }
      #expect(stage.isBack())
    }
  }
}
