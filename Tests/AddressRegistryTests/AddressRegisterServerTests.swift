// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import Testing
import TjenestebussTesting

@Suite("The testing register as a server", .timeLimit(.minutes(10)))
struct AddressRegisterServerTests {
  private static func status(
    _ harness: RegisterHarness, path: String, contentType: String = "text/xml", authorised: Bool = true, body: String
  ) async throws -> (UInt, String) {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(try await harness.server.port)\(path)")
    request.method = .POST
    if authorised {
      registerCredentials.password.withPlainText { request.setBasicAuth(username: registerCredentials.user, password: $0) }
    }
    request.headers.add(name: "Content-Type", value: contentType)
    request.body = .bytes(Array(body.utf8))
    let response = try await harness.http.execute(request, timeout: .seconds(30))
    return (response.status.code, String(buffer: try await response.body.collect(upTo: 1_000_000)))
  }

  private static let ping =
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><Ping "
    + "xmlns=\"http://register.nhn.no/CommunicationParty\"/></s:Body></s:Envelope>"

  @Test("who is not let in, asks at the wrong place, in the wrong form or for what is not there")
  func manners() async throws {
    try await RegisterHarness.run { harness in
      let ping = Self.ping
      let good = try await Self.status(harness, path: "/v1/AR/Basic", body: ping)
      #expect(good.0 == 200)
      let stranger = try await Self.status(harness, path: "/v1/AR/Basic", authorised: false, body: ping)
      #expect(stranger.0 == 401)
      let lost = try await Self.status(harness, path: "/v1/Nowhere", body: ping)
      #expect(lost.0 == 404)
      let wrongType = try await Self.status(harness, path: "/v1/AR", body: ping)
      #expect(wrongType.0 == 415)
      let wrongVersion = try await Self.status(harness, path: "/v1/AR", contentType: "application/soap+xml", body: ping)
      #expect(wrongVersion.0 == 500)
      let wrongPlace = try await Self.status(harness, path: "/v1/Migration/Basic", body: ping)
      #expect(wrongPlace.0 == 500)
      let cutOff = try await Self.status(harness, path: "/v1/AR/Basic", body: String(ping.dropLast(20)))
      #expect(cutOff.0 == 400)
      let unknown = try await Self.status(
        harness, path: "/v1/AR/Basic", body: ping.replacingOccurrences(of: "<Ping ", with: "<Pong "))
      #expect(unknown.0 == 500)
      #expect(unknown.1.contains("s:Client"))
      let noHerID = try await Self.status(
        harness, path: "/v1/AR/Basic", body: ping.replacingOccurrences(of: "<Ping ", with: "<GetCommunicationPartyDetails "))
      #expect(noHerID.0 == 500)
      #expect(noHerID.1.contains("herId"))
    }
  }

  @Test("with a file, a new server goes on where the old one ended, operation ids included")
  func restart() async throws {
    try await withTemporaryFolder { folder in
      let file = folder + "/register.json"
      try await RegisterHarness.run(file: file) { harness in
        harness.server.script(ScriptedRegisterFault(.replyLostAfterApplying, on: RegisterOperation.writes))
        guard case .unknown = await harness.writer.switchToBus(her(100), bus: "tjenestebuss", operationID: "op-1") else {
          Issue.record("not as scripted")
          return
        }
      }
      try await RegisterHarness.run(records: [], file: file) { harness in
        let moved = try await harness.reader.party(her(101))
        #expect(moved.addresses.first?.text == "tb.test.nhn.no/NHNTESTServiceBus/100_async")
        #expect(await harness.writer.switchToBus(her(100), bus: "tjenestebuss", operationID: "op-1") == .acknowledged)
        #expect(harness.server.writeAttempts.map(\.outcome) == [.applied(.repeated)])
        #expect(harness.server.changes(of: her(100)).map(\.operationID) == ["op-1"])
      }
    }
  }

  @Test("a change that cannot be kept is not acknowledged and not made")
  func unwritableFile() async throws {
    try await withTemporaryFolder { folder in
      try await RegisterHarness.run(file: folder + "/no/such/folder.json") { harness in
        guard case .unknown = await harness.writer.switchToBus(her(100), bus: "tjenestebuss", operationID: "op-1") else {
          Issue.record("acknowledged without being kept")
          return
        }
        #expect(harness.server.records == family())
      }
    }
  }

  @Test("a file that is damaged stops the server from starting")
  func damagedFile() async throws {
    try await withTemporaryFolder { folder in
      let file = folder + "/register.json"
      try Data("{".utf8).write(to: URL(fileURLWithPath: file))
      #expect(throws: (any Error).self) {
        _ = try AddressRegisterServer(
          configuration: AddressRegisterServer.Configuration(credentials: registerCredentials, buses: bothBuses, file: file),
          records: family())
      }
    }
  }

  @Test("a port that is taken is an error, for the one who runs it and the one who waits")
  func portTaken() async throws {
    try await RegisterHarness.run { harness in
      let configuration = AddressRegisterServer.Configuration(
        credentials: registerCredentials, buses: bothBuses, port: try await harness.server.port)
      await #expect(throws: (any Error).self) {
        try await AddressRegisterServer.withServer(configuration: configuration, records: []) { _ in
          Issue.record("two servers on one port")
        }
      }
    }
  }

  @Test("a stranger's change shows to the next reader")
  func stranger() async throws {
    try await RegisterHarness.run { harness in
      let changed = party(103, name: "Nytt navn", parent: 100)
      try harness.server.put(changed)
      let read = try await harness.reader.party(her(103))
      #expect(read == changed)
      #expect(harness.server.changes.map(\.operationID) == [nil])
    }
  }

  @Test("fifty at once, reading and writing: nothing is lost and every id is logged once per party")
  func crowd() async throws {
    let records = (Int32(1)...50).map { party($0) }
    try await RegisterHarness.run(records: records) { harness in
      await withTaskGroup(of: Void.self) { group in
        for record in records {
          group.addTask {
            _ = try? await harness.reader.party(record.herID)
            let outcome = await harness.writer.switchToBus(
              record.herID, bus: "tjenestebuss", operationID: OperationID("op-\(record.herID)"))
            #expect(outcome == .acknowledged)
          }
        }
      }
      let moved = try records.map { try $0.moved(to: tjenestebuss) }
      #expect(harness.server.records == moved)
      #expect(Set(harness.server.changes.compactMap(\.operationID)).count == 50)
      #expect(harness.server.changes.count == 50)
    }
  }
}
