// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import Testing
import TjenestebussTesting

@Suite("The register is asked over SOAP, and every way it can fail has a name", .timeLimit(.minutes(10)))
struct SOAPAddressRegisterTests {
  @Test("ping and details, in both versions", arguments: soapVersions)
  func reads(_ version: SOAPVersion) async throws {
    try await RegisterHarness.run(version) { harness in
      let pong = try await harness.reader.ping()
      #expect(pong == "testing address register")
      for record in family() {
        let read = try await harness.reader.party(record.herID)
        #expect(read == record)
      }
      #expect(harness.server.reads(of: her(101)) == 1)
    }
  }

  @Test("two readings of an unchanged entry hash alike, though the server's times differ", arguments: soapVersions)
  func stableHash(_ version: SOAPVersion) async throws {
    var record = family()[1]
    record.name = "Ærlige <Åse> & \"sønner\" ]]>"
    record.addresses.append(PartyRecord.Address(typeCode: "E_DS", text: " ldap://a?(b&c)\n\t", inherited: false))
    let seeded = [family()[0], record]
    try await RegisterHarness.run(version, records: seeded) { harness in
      let first = try await harness.reader.party(her(101))
      let second = try await harness.reader.party(her(101))
      #expect(first == seeded[1])
      #expect(first.hash == second.hash)
      // The answers on the wire did differ.
      var bodies: [String] = []
      for _ in 0..<2 { bodies.append(try await Self.rawDetails(harness, her(101))) }
      #expect(bodies[0] != bodies[1])
    }
  }

  private static func rawDetails(_ harness: RegisterHarness, _ herID: HerID) async throws -> String {
    var request = HTTPClientRequest(url: try await harness.server.readerEndpoint(version: .v1_1).url)
    request.method = .POST
    registerCredentials.password.withPlainText { request.setBasicAuth(username: registerCredentials.user, password: $0) }
    request.headers.add(name: "Content-Type", value: "text/xml")
    request.body = .bytes(
      Array(
        ("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><GetCommunicationPartyDetails "
          + "xmlns=\"http://register.nhn.no/CommunicationParty\"><herId>\(herID)</herId></GetCommunicationPartyDetails></s:Body></s:Envelope>")
          .utf8))
    let response = try await harness.http.execute(request, timeout: .seconds(30))
    return String(buffer: try await response.body.collect(upTo: 1_000_000))
  }

  @Test("an unknown HER-ID is the register's answer", arguments: soapVersions)
  func unknown(_ version: SOAPVersion) async throws {
    try await RegisterHarness.run(version) { harness in
      #expect(await failure { try await harness.reader.party(her(999)) } == .partyUnknown(her(999), askedRegister: true))
    }
  }

  @Test(
    "what goes wrong on a question, by its code",
    arguments: soapVersions,
    [
      (ScriptedRegisterFault.Kind.refuse(code: "AccessDenied"), "AR-408"), (.breakDown, "AR-408"), (.httpStatus(503), "AR-405"),
      (.httpStatus(404), "AR-405"), (.httpStatus(403), "AR-404"), (.replyLostBeforeApplying, "AR-403"),
      (.replyLostAfterApplying, "AR-403"), (.halfDocument, "AR-406"),
    ])
  func faults(_ version: SOAPVersion, _ fault: (kind: ScriptedRegisterFault.Kind, code: String)) async throws {
    try await RegisterHarness.run(version) { harness in
      harness.server.script(ScriptedRegisterFault(fault.kind))
      let error = await failure { try await harness.reader.party(her(101)) }
      #expect(error?.stableCode == fault.code, "\(String(describing: error))")
      // The next question is answered: nothing is left behind.
      #expect(harness.server.scriptedFaultsLeft == 0)
      let next = try await harness.reader.party(her(101))
      #expect(next == family()[1])
    }
  }

  @Test("silence ends with the time limit")
  func silence() async throws {
    try await RegisterHarness.run(timeoutSeconds: 2) { harness in
      harness.server.script(ScriptedRegisterFault(.silenceBeforeApplying))
      let error = await failure { try await harness.reader.party(her(101)) }
      let url = try await harness.server.readerEndpoint().url
      #expect(error == .registerTimedOut(url: url, after: .seconds(2)))
    }
  }

  @Test("a fault's own code and words come along")
  func faultText() async throws {
    try await RegisterHarness.run { harness in
      harness.server.script(ScriptedRegisterFault(.refuse(code: "AccessDenied")))
      let url = try await harness.server.readerEndpoint().url
      #expect(
        await failure { try await harness.reader.party(her(101)) }
          == .registerFault(url: url, code: "AccessDenied", message: "Refused by script."))
    }
  }

  @Test("a wrong password is told from everything else, and is in no text")
  func wrongPassword() async throws {
    try await RegisterHarness.run { harness in
      let reader = try SOAPAddressRegister(
        endpoint: try await harness.server.readerEndpoint(),
        credentials: RegisterCredentials(user: "OrgUsr1", password: Secret("hunter2")), http: harness.http)
      let error = await failure { try await reader.party(her(101)) }
      #expect(error?.stableCode == "AR-404")
      #expect(error?.explanation.owner == .caller)
      #expect("\(String(describing: error))".contains("hunter2") == false)
    }
  }

  @Test("a port where nobody listens, a name that does not exist, a server without TLS: never sent")
  func unreachable() async throws {
    let configuration = AddressRegisterServer.Configuration(credentials: registerCredentials, buses: bothBuses)
    let gone = try await AddressRegisterServer.withServer(configuration: configuration, records: []) {
      try await $0.readerEndpoint()
    }
    try await RegisterHarness.run { harness in
      let tls = "https://127.0.0.1:\(try await harness.server.port)/v1/AR/Basic"
      for url in [gone.url, "https://no-such-host.invalid/v1/AR", tls] {
        let reader = try SOAPAddressRegister(
          endpoint: SOAPEndpoint(url: url), credentials: registerCredentials, http: harness.http)
        let error = await failure { try await reader.ping() }
        #expect(error?.stableCode == "AR-401", "\(String(describing: error))")
        #expect(error?.explanation.owner == .network)
      }
    }
  }

  @Test("a cancelled question ends as cancelled")
  func cancelled() async throws {
    try await RegisterHarness.run { harness in
      harness.server.script(ScriptedRegisterFault(.silenceBeforeApplying))
      let question = Task { try await harness.reader.party(her(101)) }
      question.cancel()
      await #expect(throws: CancellationError.self) { try await question.value }
    }
  }

  @Test(
    "an address or login that cannot work, or would show the password, is refused before anything is sent",
    arguments: [
      ("http://ar.example.no/v1/AR", "u", "p"), ("https://u:p@ar.example.no/", "u", "p"), ("ar.example.no", "u", "p"),
      ("ftp://ar.example.no/", "u", "p"), ("https:///v1", "u", "p"), ("https://ar.example.no/", "", "p"),
      ("https://ar.example.no/", "a:b", "p"), ("https://ar.example.no/", "u", ""), ("http://127.0.0.1.example.no/", "u", "p"),
    ])
  func configuration(_ url: String, _ user: String, _ password: String) async throws {
    try await RegisterHTTP.withClient { http in
      #expect {
        try SOAPAddressRegister(
          endpoint: SOAPEndpoint(url: url), credentials: RegisterCredentials(user: user, password: Secret(password)), http: http)
      } throws: {
        ($0 as? AddressRegistryError)?.stableCode == "AR-410"
      }
    }
  }

  @Test("an endpoint in configuration has defaults")
  func endpointDefaults() throws {
    let endpoint = try JSONDecoder().decode(SOAPEndpoint.self, from: Data("{\"url\": \"https://a/\"}".utf8))
    #expect(endpoint == SOAPEndpoint(url: "https://a/", version: .v1_1, timeoutSeconds: 30, allowsPlainHTTP: false))
    let other = try JSONDecoder().decode(
      SOAPEndpoint.self, from: Data("{\"url\": \"https://a/\", \"version\": \"1.2\", \"timeoutSeconds\": 5}".utf8))
    #expect(other == SOAPEndpoint(url: "https://a/", version: .v1_2, timeoutSeconds: 5))
  }
}
