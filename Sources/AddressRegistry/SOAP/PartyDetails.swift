// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The register's answer to `GetCommunicationPartyDetails`, read into a record.
///
/// Only what stands right below the result counts: an organisation's answer holds whole entries of its services further in.
enum PartyDetails {
  /// What was missing or made no sense.
  struct Problem: Error, Equatable {
    var field: String
  }

  static func record(_ response: XMLNode, asked: HerID) throws(Problem) -> PartyRecord {
    guard response.name == "GetCommunicationPartyDetailsResponse",
      let result = response.child("GetCommunicationPartyDetailsResult"), !result.isNil
    else { throw Problem(field: "GetCommunicationPartyDetailsResult") }
    guard let number = result.value("HerId").flatMap(Int32.init), let herID = HerID(number), herID == asked else {
      throw Problem(field: "HerId (of the party that was asked about)")
    }
    // The register says -1 for "no parent".
    let parent = result.value("ParentHerId").flatMap(Int32.init).flatMap(HerID.init)
    return PartyRecord(
      herID: herID, name: result.value("Name") ?? result.value("DisplayName") ?? "",
      kind: Self.kind(result.value("Type")), parent: parent, active: try Self.boolean(result, "Active"),
      valid: try Self.boolean(result, "IsValidCommunicationParty"), addresses: try Self.addresses(result))
  }

  private static func addresses(_ result: XMLNode) throws(Problem) -> [PartyRecord.Address] {
    guard let list = result.child("ElectronicAddresses") else { throw Problem(field: "ElectronicAddresses") }
    var addresses: [PartyRecord.Address] = []
    for element in list.children("ElectronicAddress") where !element.isNil {
      guard let code = element.value("TypeCodeValue") ?? element.child("Type")?.value("CodeValue") else {
        throw Problem(field: "TypeCodeValue of an electronic address")
      }
      addresses.append(
        PartyRecord.Address(
          typeCode: code, text: element.child("Address")?.text ?? "", inherited: try Self.boolean(element, "Inherited")))
    }
    return addresses
  }

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

  private static func boolean(_ element: XMLNode, _ name: String) throws(Problem) -> Bool {
    switch element.value(name) {
    case "true", "1": return true
    case "false", "0": return false
    default: throw Problem(field: name)
    }
  }
}
