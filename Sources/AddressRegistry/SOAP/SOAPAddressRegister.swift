// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel

/// The address register's own SOAP interface, `ICommunicationPartyService` (`docs/address-register.md`): read only.
public struct SOAPAddressRegister: AddressRegisterReading {
  static let namespace = "http://register.nhn.no/CommunicationParty"
  private let transport: SOAPTransport

  /// - Parameter http: made with ``RegisterHTTP``; whoever made it shuts it down.
  /// - Throws: ``AddressRegistryError`` `registerConfigurationInvalid`.
  public init(
    endpoint: SOAPEndpoint, credentials: RegisterCredentials, http: HTTPClient
  ) throws(AddressRegistryError) {
    self.transport = try SOAPTransport(endpoint: endpoint, credentials: credentials, http: http)
  }

  /// Whether the service answers with these credentials.
  ///
  /// - Returns: what it says of itself.
  @discardableResult
  public func ping() async throws -> String {
    let answer = try await self.call("Ping", parameters: "")
    guard answer.name == "PingResponse" else {
      throw AddressRegistryError.registerAnswerIncomplete(url: self.transport.endpoint.url, missing: "PingResponse")
    }
    return String((answer.value("PingResult") ?? "").prefix(300))
  }

  public func party(_ herID: HerID) async throws -> PartyRecord {
    let answer: XMLNode
    do {
      answer = try await self.call("GetCommunicationPartyDetails", parameters: "<herId>\(herID.value)</herId>")
    } catch AddressRegistryError.registerFault(_, code: "InvalidHerIdSupplied", _) {
      throw AddressRegistryError.partyUnknown(herID, askedRegister: true)
    }
    do throws(PartyDetails.Problem) { return try PartyDetails.record(answer, asked: herID) } catch {
      throw AddressRegistryError.registerAnswerIncomplete(url: self.transport.endpoint.url, missing: error.field)
    }
  }

  private func call(_ operation: String, parameters: String) async throws -> XMLNode {
    try await self.transport.call(
      action: "\(Self.namespace)/ICommunicationPartyService/\(operation)",
      body: "<\(operation) xmlns=\"\(Self.namespace)\">\(parameters)</\(operation)>")
  }
}
