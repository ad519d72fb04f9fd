// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import Foundation
import Testing
import TjenestebussTesting

@Suite("A write is acknowledged, refused, not sent or unknown, and never anything better than it is", .timeLimit(.minutes(10)))
struct SOAPWriterTests {
  @Test("switch one, switch with services below, organisation's queue, and the way back", arguments: soapVersions)
  func writes(_ version: SOAPVersion) async throws {
    try await RegisterHarness.run(version) { harness in
      let server = harness.server
      #expect(await harness.writer.switchToBus(her(103), bus: "tjenestebuss", operationID: "op-1") == .acknowledged)
      let moved = try family()[3].moved(to: tjenestebuss)
      #expect(server.record(her(103)) == moved)
      #expect(await harness.writer.useOrganisationQueue(her(103), operationID: "op-2") == .acknowledged)
      #expect(server.record(her(103))?.addresses.allSatisfy(\.inherited) == true)
      #expect(
        await harness.writer.switchToBusWithServicesBelow(her(100), bus: "tjenestebuss", operationID: "op-3") == .acknowledged)
      #expect(server.record(her(101))?.addresses.first?.text == "tb.test.nhn.no/NHNTESTServiceBus/100_async")
      for (record, id) in zip(family(), ["op-4", "op-5", "op-6", "op-7"] as [OperationID]) {
        #expect(await harness.writer.replaceAddresses(record.herID, with: record.addresses, operationID: id) == .acknowledged)
      }
      for record in family() {
        let back = try await harness.reader.party(record.herID)
        #expect(back.hash == record.hash)
      }
    }
  }

  @Test("every change in the register matches exactly one operation id", arguments: soapVersions)
  func audit(_ version: SOAPVersion) async throws {
    try await RegisterHarness.run(version) { harness in
      _ = await harness.writer.switchToBus(her(100), bus: "tjenestebuss", operationID: "op-1")
      _ = await harness.writer.switchToBus(her(100), bus: "servicebus", operationID: "op-2")
      #expect(harness.server.changes(of: her(101)).map(\.operationID) == ["op-1", "op-2"])
      #expect(harness.server.changes(of: her(100)).map(\.followed) == [false, false])
      #expect(harness.server.changes(of: her(101)).map(\.followed) == [true, true])
      #expect(harness.server.changes.map(\.sequence) == Array(1...6))
      #expect(harness.server.writeAttempts.map(\.operationID) == ["op-1", "op-2"])
    }
  }

  @Test("texts of every kind arrive as they are, and come back so", arguments: soapVersions)
  func texts(_ version: SOAPVersion) async throws {
    try await RegisterHarness.run(version) { harness in
      let addresses =
        queues(of: 103) + [
          PartyRecord.Address(typeCode: "E_DS", text: " ldap://a?(b=<c>&\"d\")\r\n\t]]> ærø ", inherited: false),
          PartyRecord.Address(typeCode: "E_EDI", text: "", inherited: false),
        ]
      let outcome = await harness.writer.replaceAddresses(her(103), with: addresses, operationID: "op <&> 1")
      #expect(outcome == .acknowledged)
      let back = try await harness.reader.party(her(103))
      #expect(back.addresses == addresses)
      #expect(harness.server.changes.map(\.operationID) == ["op <&> 1"])
    }
  }

  enum Verdict { case refused, unknown }

  @Test(
    "a write that goes wrong: what is said of it, and what became of it",
    arguments: soapVersions,
    [
      (ScriptedRegisterFault.Kind.refuse(code: "AccessDenied"), Verdict.refused, "AR-408", false),
      (.httpStatus(403), .refused, "AR-404", false), (.httpStatus(404), .refused, "AR-405", false),
      (.httpStatus(503), .unknown, "AR-405", false), (.httpStatus(408), .unknown, "AR-405", false),
      (.breakDown, .unknown, "AR-408", false), (.replyLostBeforeApplying, .unknown, "AR-403", false),
      (.replyLostAfterApplying, .unknown, "AR-403", true), (.halfDocument, .unknown, "AR-406", true),
    ])
  func faults(
    _ version: SOAPVersion, _ fault: (kind: ScriptedRegisterFault.Kind, verdict: Verdict, code: String, applied: Bool)
  ) async throws {
    try await RegisterHarness.run(version) { harness in
      harness.server.script(ScriptedRegisterFault(fault.kind, on: RegisterOperation.writes))
      let outcome = await harness.writer.switchToBus(her(103), bus: "tjenestebuss", operationID: "op-1")
      switch (outcome, fault.verdict) {
      case (.refused(let error), .refused), (.unknown(let error), .unknown): #expect(error.stableCode == fault.code)
      default: Issue.record("\(outcome)")
      }
      let back = try await harness.reader.party(her(103))
      let expected = fault.applied ? try family()[3].moved(to: tjenestebuss) : family()[3]
      #expect(back == expected)
      // The same intent again, under its own id: done once, whatever became of it before.
      let again = await harness.writer.switchToBus(her(103), bus: "tjenestebuss", operationID: "op-1")
      #expect(again == .acknowledged)
      #expect(harness.server.changes(of: her(103)).map(\.operationID) == ["op-1"])
    }
  }

  @Test(
    "no answer within the time limit is unknown, done or not",
    arguments: [
      (ScriptedRegisterFault.Kind.silenceAfterApplying, true), (.silenceBeforeApplying, false), (.delay(.seconds(600)), false),
    ])
  func silence(_ kind: ScriptedRegisterFault.Kind, _ applied: Bool) async throws {
    // Long enough for the request to have got there.
    try await RegisterHarness.run(timeoutSeconds: 5) { harness in
      harness.server.script(ScriptedRegisterFault(kind, on: RegisterOperation.writes))
      let outcome = await harness.writer.switchToBus(her(103), bus: "tjenestebuss", operationID: "op-1")
      let url = try await harness.server.writerConfiguration().endpoint.url
      #expect(outcome == .unknown(.registerTimedOut(url: url, after: .seconds(5))))
      let expected = applied ? try family()[3].moved(to: tjenestebuss) : family()[3]
      #expect(harness.server.record(her(103)) == expected)
    }
  }

  @Test("a write whose caller gives up is unknown, never refused")
  func cancelled() async throws {
    try await RegisterHarness.run { harness in
      harness.server.script(ScriptedRegisterFault(.silenceAfterApplying, on: RegisterOperation.writes))
      let write = Task { await harness.writer.switchToBus(her(103), bus: "tjenestebuss", operationID: "op-1") }
      write.cancel()
      guard case .unknown(let error) = await write.value else {
        Issue.record("\(await write.value)")
        return
      }
      #expect(error.stableCode == "AR-403")
    }
  }

  @Test("where nobody listens, nothing was sent")
  func notSent() async throws {
    let configuration = AddressRegisterServer.Configuration(credentials: registerCredentials, buses: bothBuses)
    let gone = try await AddressRegisterServer.withServer(configuration: configuration, records: []) {
      try await $0.writerConfiguration()
    }
    try await RegisterHTTP.withClient { http in
      let writer = try SOAPAddressRegisterWriter(configuration: gone, credentials: registerCredentials, http: http)
      guard case .notSent(.registerUnreachable) = await writer.switchToBus(her(1), bus: "tjenestebuss", operationID: "op") else {
        Issue.record("not as expected")
        return
      }
    }
  }

  @Test("the register's own refusals keep their words")
  func refusals() async throws {
    try await RegisterHarness.run { harness in
      let url = try await harness.server.writerConfiguration().endpoint.url
      #expect(
        await harness.writer.switchToBus(her(999), bus: "tjenestebuss", operationID: "op-1")
          == .refused(
            .registerFault(
              url: url, code: "InvalidHerIdSupplied", message: "There is no communication party with HER-ID 999.")))
      let broken = [PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "no address", inherited: false)]
      #expect(
        await harness.writer.replaceAddresses(her(103), with: broken, operationID: "op-2")
          == .refused(.registerValidationFault(url: url, problems: ["Address: is no queue address"])))
      #expect(harness.server.writeAttempts.map(\.outcome) == [.refused, .refused])
      #expect(harness.server.changes.isEmpty)
    }
  }

  @Test("a wrong password changes nothing and is a refusal")
  func wrongPassword() async throws {
    try await RegisterHarness.run { harness in
      let writer = try SOAPAddressRegisterWriter(
        configuration: try await harness.server.writerConfiguration(),
        credentials: RegisterCredentials(user: "OrgUsr1", password: Secret("x")), http: harness.http)
      guard case .refused(.registerLoginRefused(_, 401)) = await writer.useOrganisationQueue(her(103), operationID: "op") else {
        Issue.record("not as expected")
        return
      }
      #expect(harness.server.writeAttempts.isEmpty)
    }
  }

  @Test("faults hit the operation and the party they are scripted for, as often as scripted")
  func aimed() async throws {
    try await RegisterHarness.run { harness in
      harness.server.script(ScriptedRegisterFault(.httpStatus(503), on: [.switchBus], herID: her(103), times: 2))
      #expect(await harness.writer.switchToBus(her(100), bus: "tjenestebuss", operationID: "op-1") == .acknowledged)
      _ = try await harness.reader.party(her(103))
      for _ in 0..<2 {
        guard case .unknown = await harness.writer.switchToBus(her(103), bus: "tjenestebuss", operationID: "op-2") else {
          Issue.record("the fault did not hit")
          return
        }
      }
      #expect(await harness.writer.switchToBus(her(103), bus: "tjenestebuss", operationID: "op-2") == .acknowledged)
    }
  }
}
