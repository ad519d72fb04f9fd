// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusModel
import Disclosure
import NIOConcurrencyHelpers
import TjenestebussTesting

/// A running register with its HelseID, a client that it knows, and that client's ways in.
struct RESTHarness: Sendable {
  var server: AddressRegisterServer
  var clock: VirtualClock
  var tokens: HelseIDTokens
  var parties: CommunicationPartyAPI
  var protocols: CollaborationProtocolRegister
  var http: HTTPClient

  static func run(
    records: [PartyRecord] = family(), key: SigningKey = .ephemeral(), organisation: HelseIDConfiguration.Organisation? = nil,
    timeoutSeconds: Double = 30, adjust: (inout AddressRegisterServer.Configuration) -> Void = { _ in },
    _ body: @Sendable (RESTHarness) async throws -> Void
  ) async throws {
    let clock = VirtualClock()
    var configuration = AddressRegisterServer.Configuration(credentials: registerCredentials, buses: bothBuses)
    configuration.clock = clock
    adjust(&configuration)
    try await AddressRegisterServer.withServer(configuration: configuration, records: records) { server in
      let scopes: Set = [AddressRegisterServer.partyScope, AddressRegisterServer.protocolScope]
      server.admit(
        HelseIDClient(id: "a-client", publicJWK: key.publicJWK, scopes: scopes, isMultiTenant: organisation != nil))
      try await RegisterHTTP.withClient { http in
        var helseID = try await server.helseID(clientID: "a-client", scope: scopes.sorted().joined(separator: " "))
        helseID.organisation = organisation
        let tokens = try HelseIDTokens(helseID, key: key, http: http, clock: RegistryTime(clock: clock))
        let harness = RESTHarness(
          server: server, clock: clock, tokens: tokens,
          parties: try CommunicationPartyAPI(
            endpoint: try await server.partyAPI(timeoutSeconds: timeoutSeconds), tokens: tokens, http: http),
          protocols: try CollaborationProtocolRegister(
            endpoint: try await server.protocolAPI(timeoutSeconds: timeoutSeconds), tokens: tokens, http: http),
          http: http)
        try await body(harness)
      }
    }
  }
}

/// The test's clock as the registry's.
struct RegistryTime: RegistryClock {
  var clock: VirtualClock
  var now: RegistryInstant { RegistryInstant(millisecondsSinceEpoch: self.clock.milliseconds) }
}

/// What an export handed over.
final class Taken: Sendable {
  private let results = NIOLockedValueBox<[PartyResult]>([])
  var all: [PartyResult] { self.results.withLockedValue { $0 } }
  var records: [PartyRecord] { self.all.compactMap(\.record) }
  func take(_ batch: [PartyResult]) { self.results.withLockedValue { $0 += batch } }
}
