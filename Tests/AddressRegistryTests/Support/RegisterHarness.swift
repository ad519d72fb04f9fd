// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusModel
import Disclosure
import TjenestebussTesting

let registerCredentials = RegisterCredentials(user: "OrgUsr1", password: Secret("p&ss <w>ørd:1"))

/// A running register with a reader and a writer that speak to it over HTTP.
struct RegisterHarness: Sendable {
  var server: AddressRegisterServer
  var reader: SOAPAddressRegister
  var writer: SOAPAddressRegisterWriter
  var http: HTTPClient

  static func run(
    _ version: SOAPVersion = .v1_1, records: [PartyRecord] = family(), timeoutSeconds: Double = 30, file: String? = nil,
    adjust: (inout AddressRegisterServer.Configuration) -> Void = { _ in },
    _ body: @Sendable (RegisterHarness) async throws -> Void
  ) async throws {
    var configuration = AddressRegisterServer.Configuration(credentials: registerCredentials, buses: bothBuses, file: file)
    adjust(&configuration)
    try await AddressRegisterServer.withServer(configuration: configuration, records: records) { server in
      try await RegisterHTTP.withClient { http in
        let harness = RegisterHarness(
          server: server,
          reader: try SOAPAddressRegister(
            endpoint: try await server.readerEndpoint(version: version, timeoutSeconds: timeoutSeconds),
            credentials: registerCredentials, http: http),
          writer: try SOAPAddressRegisterWriter(
            configuration: try await server.writerConfiguration(version: version, timeoutSeconds: timeoutSeconds),
            credentials: registerCredentials, http: http),
          http: http)
        try await body(harness)
      }
    }
  }
}

/// Both versions, for tests that must hold on both.
let soapVersions: [SOAPVersion] = [.v1_1, .v1_2]
