// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// The REST interface's documents: the SOAP model as JSON.
enum RegisterJSONAnswers {
  /// A look-up's answer, with the envelope that look-ups have.
  static func lookUp(_ party: ShownParty) -> String {
    var text = "{\"herId\":\(party.record.herID),\"parentHerId\":\(party.record.parent?.description ?? "null"),\"type\":"
    JSONValue.quote(RegisterAnswers.name(of: party.record.kind), to: &text)
    text += ",\"communicationParty\":"
    Self.party(party, to: &text)
    return text + "}"
  }

  /// A party as exports and events hold it.
  static func party(_ party: ShownParty, to text: inout String) {
    let record = party.record
    text += "{"
    if record.kind == .organisation { text += "\"OrganizationNumber\":\(record.organisationNumber ?? -1)," }
    text += "\"Active\":\(record.active),\"DisplayName\":null,\"ElectronicAddresses\":["
    for (index, address) in record.addresses.enumerated() {
      text += index == 0 ? "{" : ",{"
      Self.address(address, changed: party.lastChanged, to: &text)
      text += "}"
    }
    text += "],\"FutureElectronicAddresses\":["
    for (index, future) in record.futureAddresses.enumerated() {
      text += index == 0 ? "{" : ",{"
      Self.address(future.address, changed: party.lastChanged, to: &text)
      text += ",\"ValidFrom\":"
      JSONValue.quote(future.validFrom, to: &text)
      text += "}"
    }
    text += "],\"HerId\":\(record.herID),\"IsValidCommunicationParty\":\(record.valid),\"LastChanged\":\"\(party.lastChanged)\""
    text += ",\"Name\":"
    JSONValue.quote(record.name, to: &text)
    text += ",\"ParentHerId\":\(record.parent?.description ?? "-1"),\"ParentName\":"
    if let name = party.parentName { JSONValue.quote(name, to: &text) } else { text += "null" }
    let above = record.kind == .organisation ? -1 : record.organisationNumber ?? -1
    text +=
      ",\"ParentOrganizationNumber\":\(above),\"ServerTime\":\"\(party.serverTime)\",\"Type\":\"\(RegisterAnswers.name(of: record.kind))\""
    text += ",\"Valid\":{\"From\":\"2020-01-01T00:00:00\",\"To\":\"\(record.active ? "9999-12-31" : "2021-01-01")T00:00:00\"}}"
  }

  private static func address(_ address: PartyRecord.Address, changed: String, to text: inout String) {
    text += "\"Address\":"
    JSONValue.quote(address.text, to: &text)
    text += ",\"Inherited\":\(address.inherited),\"LastChanged\":\"\(changed)\",\"Type\":{\"Active\":true,\"CodeValue\":"
    JSONValue.quote(address.typeCode, to: &text)
    text += ",\"OID\":9044},\"TypeCodeValue\":"
    JSONValue.quote(address.typeCode, to: &text)
  }

  /// An event's id is made from its number, so that the same history has the same ids.
  static func eventID(_ sequence: Int) -> String {
    let digits = String(sequence, radix: 16)
    return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
  }

  static func sequence(_ eventID: String) -> Int? {
    guard eventID.hasPrefix("00000000-0000-4000-8000-") else { return nil }
    return Int(eventID.suffix(12), radix: 16)
  }

  static func event(_ change: AddressRegisterState.Change, _ party: ShownParty, to text: inout String) {
    text += "{\"eventId\":\"\(Self.eventID(change.sequence))\",\"fromDatetime\":\"\(RegisterAnswers.time(change.time))\""
    text += ",\"herId\":\(change.herID),\"orgNr\":\(party.record.organisationNumber ?? 0),\"eventType\":"
    text += change.created ? "\"CommunicationPartyCreated\"" : "\"CommunicationPartyUpdated\""
    text += ",\"communicationParty\":"
    Self.party(party, to: &text)
    text += "}"
  }
}
