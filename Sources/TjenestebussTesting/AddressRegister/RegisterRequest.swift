// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// A SOAP request to the testing register, read.
struct RegisterRequest: Equatable {
  static let readNamespace = "http://register.nhn.no/CommunicationParty"
  /// The testing register's own contract: the real one's is not public.
  static let writeNamespace = "urn:tjenestebuss:testing:address-register"
  static let operationIDHeader = "OperationId"

  var version: SOAPVersion
  var operation: RegisterOperation
  var herID: HerID?
  /// What a write is to do; nil for reads.
  var change: RegisterChange?
  var operationID: OperationID?
  /// For `GetChangedCommunicationPartiesInfo`.
  var herIDs: [HerID] = []
  var search: PartySearch?
  var page = 1
  /// WS-Addressing: what an answer relates to.
  var messageID: String?

  /// Why a request is no request.
  enum Malformed: Error, Equatable {
    /// Not SOAP at all.
    case document(String)
    /// SOAP, but not of this contract.
    case call(SOAPVersion, String)
  }

  init(_ bytes: [UInt8], busNames: [String: BusName]) throws(Malformed) {
    let root: XMLNode
    do { root = try XMLDocumentReader.read(bytes) } catch { throw .document(error.description) }
    switch (root.name, root.namespace) {
    case ("Envelope", "http://schemas.xmlsoap.org/soap/envelope/"): self.version = .v1_1
    case ("Envelope", "http://www.w3.org/2003/05/soap-envelope"): self.version = .v1_2
    default: throw .document("no SOAP envelope")
    }
    guard let call = root.child("Body")?.children.first else { throw .call(self.version, "an empty body") }
    guard let operation = RegisterOperation(rawValue: call.name), !RegisterOperation.rest.contains(operation) else {
      throw .call(self.version, "no operation \(call.name.prefix(60))")
    }
    let namespace = RegisterOperation.reads.contains(operation) ? Self.readNamespace : Self.writeNamespace
    guard call.namespace == namespace else { throw .call(self.version, "\(call.name) in namespace \(call.namespace)") }
    self.operation = operation
    let header = root.child("Header")
    if self.version == .v1_2, let action = header?.value("Action"), !action.hasSuffix("/" + call.name) {
      throw .call(self.version, "the action does not match the operation")
    }
    self.messageID = header?.value("MessageID")
    switch operation {
    case .ping: break
    case .search: try self.readSearch(call)
    case .lastChanges:
      for item in call.child("herIds")?.children("int") ?? [] {
        guard let herID = Int32(item.text.trimmed).flatMap(HerID.init) else { throw .call(self.version, "an int is no HER-ID") }
        self.herIDs.append(herID)
      }
    default:
      guard let herID = call.value("herId").flatMap(Int32.init).flatMap(HerID.init) else {
        throw .call(self.version, "herId is missing or no HER-ID")
      }
      self.herID = herID
    }
    self.operationID = header?.value(Self.operationIDHeader).map { OperationID($0) }
    self.change = try self.readChange(call, busNames: busNames)
  }

  private mutating func readSearch(_ call: XMLNode) throws(Malformed) {
    let search = call.child("search")
    guard let page = Int(search?.value("Page") ?? "1"), let size = Int(search?.value("PageSize") ?? "10"), page > 0, size > 0,
      size <= 1_000
    else { throw .call(self.version, "Page or PageSize makes no sense") }
    var constraints: [PartySearch.Constraint] = []
    for pair in search?.child("SearchConstraints")?.children("KeyValuePairOfstringstring") ?? [] {
      guard let key = pair.value("key") else { throw .call(self.version, "a search constraint without key") }
      constraints.append(PartySearch.Constraint(key, pair.value("value") ?? ""))
    }
    self.page = page
    self.search = PartySearch(constraints: constraints, pageSize: size)
  }

  private func readChange(_ call: XMLNode, busNames: [String: BusName]) throws(Malformed) -> RegisterChange? {
    func bus() throws(Malformed) -> BusName {
      guard let text = call.value("bus"), let name = busNames[text] else {
        throw .call(self.version, "bus is missing or unknown")
      }
      return name
    }
    switch self.operation {
    case .switchBus: return .switchToBus(try bus())
    case .switchBusIncludingServices: return .switchToBusWithServicesBelow(try bus())
    case .useOrganizationQueue: return .useOrganisationQueue
    case .updateElectronicAddresses:
      guard let list = call.child("electronicAddresses") else { throw .call(self.version, "electronicAddresses is missing") }
      var addresses: [PartyRecord.Address] = []
      for element in list.children("ElectronicAddress") {
        guard let code = element.value("TypeCodeValue"), let inherited = element.value("Inherited"),
          ["true", "false"].contains(inherited)
        else { throw .call(self.version, "an ElectronicAddress lacks TypeCodeValue or Inherited") }
        addresses.append(
          PartyRecord.Address(typeCode: code, text: element.child("Address")?.text ?? "", inherited: inherited == "true"))
      }
      return .replaceAddresses(addresses)
    default: return nil
    }
  }
}
