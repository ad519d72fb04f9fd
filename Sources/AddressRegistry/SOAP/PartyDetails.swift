// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A party of the register's answers, read into a record.
///
/// Only what stands right below its element counts: an organisation's answer holds whole entries of its services further in.
enum PartyDetails {
  /// What was missing or made no sense.
  struct Problem: Error, Equatable {
    var field: String
  }

  /// The answer to `GetCommunicationPartyDetails`.
  static func record(_ response: XMLNode, asked: HerID) throws(Problem) -> PartyRecord {
    let record = try Self.record(try Self.result(response, of: "GetCommunicationPartyDetails"))
    guard record.herID == asked else { throw Problem(field: "HerId (of the party that was asked about)") }
    return record
  }

  /// The result of an operation; a response or result that is missing or nil is a problem.
  static func result(_ response: XMLNode, of operation: String) throws(Problem) -> RegisterElement {
    guard response.name == operation + "Response", response.namespace == SOAPAddressRegister.namespace,
      let result = try RegisterElement(node: response).element(operation + "Result")
    else { throw Problem(field: operation + "Result") }
    return result
  }

  static func herID(_ party: some RegisterFields) throws(Problem) -> HerID {
    guard let herID = try party.number("HerId").flatMap(HerID.init) else { throw Problem(field: "HerId") }
    return herID
  }

  static func name(_ party: some RegisterFields) throws(Problem) -> String {
    let (name, shown) = (try party.value("Name"), try party.value("DisplayName"))
    return name ?? shown ?? ""
  }

  /// A party's element, of whatever kind.
  static func record<Fields: RegisterFields>(_ party: Fields) throws(Problem) -> PartyRecord {
    let herID = try Self.herID(party)
    for name in ["Name", "ParentHerId", "ParentOrganizationNumber", "FutureElectronicAddresses"] { try party.demand(name) }
    // The register says -1 for "no parent" and "no number".
    let parent = try party.number("ParentHerId").flatMap(HerID.init)
    guard parent != herID else { throw Problem(field: "ParentHerId (a party is not its own parent)") }
    let own = try party.number("OrganizationNumber").flatMap(Self.positive)
    let above = try party.number("ParentOrganizationNumber").flatMap(Self.positive)
    guard let addresses = try party.list("ElectronicAddresses", of: "ElectronicAddress") else {
      throw Problem(field: "ElectronicAddresses")
    }
    var future: [PartyRecord.FutureAddress] = []
    for element in try party.list("FutureElectronicAddresses", of: "FutureElectronicAddress") ?? [] {
      try element.demand("ValidFrom")
      let from = try element.value("ValidFrom")
      future.append(PartyRecord.FutureAddress(address: try Self.address(element), validFrom: from ?? ""))
    }
    return PartyRecord(
      herID: herID, name: try Self.name(party), kind: Self.kind(try party.value("Type")),
      parent: parent, active: try party.boolean("Active"), valid: try party.boolean("IsValidCommunicationParty"),
      addresses: try addresses.map { (element: Fields) throws(Problem) in try Self.address(element) },
      organisationNumber: own ?? above,
      futureAddresses: future)
  }

  private static func address(_ element: some RegisterFields) throws(Problem) -> PartyRecord.Address {
    try element.demand("Address")
    let outer = try element.value("TypeCodeValue")
    let type = try element.element("Type")
    let inner = try type?.value("CodeValue")
    guard let code = outer ?? inner, inner == nil || inner == code else {
      throw Problem(field: "TypeCodeValue of an electronic address")
    }
    return PartyRecord.Address(
      typeCode: code, text: try element.text("Address") ?? "", inherited: try element.boolean("Inherited"))
  }

  private static func positive(_ number: Int32) -> Int32? { number > 0 ? number : nil }

  /// The schema allows a list of kinds; one that is not exactly one is unknown to us.
  private static func kind(_ text: String?) -> PartyRecord.Kind {
    switch text {
    case "Organization": .organisation
    case "Department": .department
    case "Service": .service
    case "Person": .person
    default: .unknown
    }
  }
}
