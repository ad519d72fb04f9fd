// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel

/// The address register's own SOAP interface, `ICommunicationPartyService` (`docs/address-register.md`): read only.
public struct SOAPAddressRegister: AddressRegisterReading {
  static let namespace = "http://register.nhn.no/CommunicationParty"
  static let arrays = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
  static let pairs = "http://schemas.datacontract.org/2004/07/System.Collections.Generic"
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
    let answer = try await self.call("GetCommunicationPartyDetails", of: herID)
    return try self.read { () throws(PartyDetails.Problem) in try PartyDetails.record(answer, asked: herID) }
  }

  /// Asks one operation that takes a HER-ID.
  private func call(_ operation: String, of herID: HerID) async throws -> XMLNode {
    do {
      return try await self.call(operation, parameters: "<herId>\(herID.value)</herId>")
    } catch AddressRegistryError.registerFault(_, code: "InvalidHerIdSupplied", _) {
      throw AddressRegistryError.partyUnknown(herID, askedRegister: true)
    }
  }

  private func call(_ operation: String, parameters: String) async throws -> XMLNode {
    try await self.transport.call(
      action: "\(Self.namespace)/ICommunicationPartyService/\(operation)",
      body: "<\(operation) xmlns=\"\(Self.namespace)\">\(parameters)</\(operation)>")
  }

  private func read<Value>(_ body: () throws(PartyDetails.Problem) -> Value) throws(AddressRegistryError) -> Value {
    do { return try body() } catch {
      throw .registerAnswerIncomplete(url: self.transport.endpoint.url, missing: error.field)
    }
  }
}

extension SOAPAddressRegister: OrganisationReading {
  public func organisation(_ herID: HerID) async throws -> OrganisationEntry {
    let answer = try await self.call("GetOrganizationDetails", of: herID)
    let url = self.transport.endpoint.url
    return try self.read { () throws(PartyDetails.Problem) in
      try RegisterLists.organisation(answer, asked: herID, url: url)
    }
  }
}

extension SOAPAddressRegister: PartySearching {
  /// - Throws: also `registerConfigurationInvalid` for a page or page size below 1 and for text that XML cannot carry.
  public func search(_ search: PartySearch, page: Int) async throws -> PartyPage {
    guard let page = Int32(exactly: page), page > 0, let size = Int32(exactly: search.pageSize), size > 0 else {
      throw AddressRegistryError.registerConfigurationInvalid("pages and page sizes count from 1")
    }
    var constraints = ""
    for constraint in search.constraints {
      guard let key = XMLText.escaped(constraint.key), let value = XMLText.escaped(constraint.value) else {
        throw AddressRegistryError.registerConfigurationInvalid("a search has a control character that XML cannot carry")
      }
      constraints +=
        "<g:KeyValuePairOfstringstring><g:key>\(key)</g:key><g:value>\(value)</g:value></g:KeyValuePairOfstringstring>"
    }
    // In the order of the schema: the platform passes over what stands in the wrong order.
    let answer = try await self.call(
      "Search",
      parameters: "<search><Page>\(page)</Page><PageSize>\(size)</PageSize><SearchConstraints xmlns:g=\"\(Self.pairs)\">"
        + "\(constraints)</SearchConstraints></search>")
    let url = self.transport.endpoint.url
    return try self.read { () throws(PartyDetails.Problem) in
      try RegisterLists.page(answer, number: Int(page), url: url)
    }
  }
}

extension SOAPAddressRegister: ChangeReading {
  public func changeLog(_ herID: HerID) async throws -> [RegisterLogEntry] {
    let answer = try await self.call("GetChangeLog", of: herID)
    return try self.read { () throws(PartyDetails.Problem) in try RegisterLists.log(answer) }
  }

  public func lastChanges(of herIDs: [HerID]) async throws -> [HerID: String] {
    let numbers = herIDs.map { "<n:int>\($0.value)</n:int>" }.joined()
    let answer = try await self.call(
      "GetChangedCommunicationPartiesInfo", parameters: "<herIds xmlns:n=\"\(Self.arrays)\">\(numbers)</herIds>")
    return try self.read { () throws(PartyDetails.Problem) in try RegisterLists.lastChanges(answer, asked: herIDs) }
  }
}
