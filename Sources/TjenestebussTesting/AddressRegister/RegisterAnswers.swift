// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// The documents that the testing register answers with, in the shape of the real one's.
struct RegisterAnswers {
  var version: SOAPVersion

  private static let common = "http://register.nhn.no/Common"

  var contentType: String {
    switch self.version {
    case .v1_1: "text/xml; charset=utf-8"
    case .v1_2: "application/soap+xml; charset=utf-8"
    }
  }

  private func envelope(_ body: String) -> String {
    switch self.version {
    case .v1_1:
      "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\(body)</s:Body></s:Envelope>"
    case .v1_2:
      "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"http://www.w3.org/2005/08/addressing\">"
        + "<s:Header/><s:Body>\(body)</s:Body></s:Envelope>"
    }
  }

  func pong(_ text: String) -> String {
    self.envelope(
      "<PingResponse xmlns=\"\(RegisterRequest.readNamespace)\"><PingResult>\(Self.escaped(text))</PingResult></PingResponse>")
  }

  func done(_ operation: RegisterOperation) -> String {
    self.envelope("<\(operation.rawValue)Response xmlns=\"\(RegisterRequest.writeNamespace)\"/>")
  }

  /// - Parameter serverTime: what the server says the time is; another at each read, as it is out there.
  func details(_ record: PartyRecord, parentName: String?, serverTime: MessageTimestamp) -> String {
    let addresses = record.addresses.map { address in
      "<b:ElectronicAddress><b:Address>\(Self.escaped(address.text))</b:Address><b:Inherited>\(address.inherited)</b:Inherited>"
        + "<b:LastChanged>\(serverTime)</b:LastChanged><b:Type><b:Active>true</b:Active>"
        + "<b:CodeValue>\(Self.escaped(address.typeCode))</b:CodeValue><b:OID>9044</b:OID></b:Type>"
        + "<b:TypeCodeValue>\(Self.escaped(address.typeCode))</b:TypeCodeValue></b:ElectronicAddress>"
    }.joined()
    let kind =
      switch record.kind {
      case .organisation: "Organization"
      case .department: "Department"
      case .service: "Service"
      case .person: "Person"
      case .unknown: "None"
      }
    return self.envelope(
      "<GetCommunicationPartyDetailsResponse xmlns=\"\(RegisterRequest.readNamespace)\">"
        + "<GetCommunicationPartyDetailsResult xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">"
        + "<Active>\(record.active)</Active><DisplayName i:nil=\"true\"/>"
        + "<ElectronicAddresses xmlns:b=\"\(Self.common)\">\(addresses)</ElectronicAddresses>"
        + "<FutureElectronicAddresses xmlns:b=\"\(Self.common)\"/><HerId>\(record.herID)</HerId>"
        + "<IsValidCommunicationParty>\(record.valid)</IsValidCommunicationParty><LastChanged>\(serverTime)</LastChanged>"
        + "<Name>\(Self.escaped(record.name))</Name><ParentHerId>\(record.parent?.description ?? "-1")</ParentHerId>"
        + (parentName.map { "<ParentName>\(Self.escaped($0))</ParentName>" } ?? "<ParentName i:nil=\"true\"/>")
        + "<ServerTime>\(serverTime)</ServerTime><Type>\(kind)</Type>"
        + "</GetCommunicationPartyDetailsResult></GetCommunicationPartyDetailsResponse>")
  }

  func fault(code: String, message: String) -> String {
    self.faultEnvelope(
      sender: true, reason: message,
      detail: "<GenericFault xmlns=\"\(Self.common)\"><ErrorCode>\(Self.escaped(code))</ErrorCode>"
        + "<Message>\(Self.escaped(message))</Message></GenericFault>")
  }

  func validationFault(property: String, message: String) -> String {
    self.faultEnvelope(
      sender: true, reason: "The request is not valid.",
      detail: "<ValidationFault xmlns=\"\(Self.common)\"><Errors><ValidationError><Message>\(Self.escaped(message))</Message>"
        + "<PropertyName>\(Self.escaped(property))</PropertyName></ValidationError></Errors><HasErrors>true</HasErrors>"
        + "</ValidationFault>")
  }

  /// A fault without detail: the service's fault, or the caller's for a request that is none.
  func plainFault(sender: Bool, reason: String) -> String { self.faultEnvelope(sender: sender, reason: reason, detail: nil) }

  private func faultEnvelope(sender: Bool, reason: String, detail: String?) -> String {
    let reason = Self.escaped(reason)
    return switch self.version {
    case .v1_1:
      self.envelope(
        "<s:Fault><faultcode>s:\(sender ? "Client" : "Server")</faultcode><faultstring xml:lang=\"nb-NO\">\(reason)</faultstring>"
          + (detail.map { "<detail>\($0)</detail>" } ?? "") + "</s:Fault>")
    case .v1_2:
      self.envelope(
        "<s:Fault><s:Code><s:Value>s:\(sender ? "Sender" : "Receiver")</s:Value></s:Code>"
          + "<s:Reason><s:Text xml:lang=\"nb-NO\">\(reason)</s:Text></s:Reason>"
          + (detail.map { "<s:Detail>\($0)</s:Detail>" } ?? "") + "</s:Fault>")
    }
  }

  /// What XML cannot carry is shown as a question mark: a testing register must answer.
  private static func escaped(_ text: String) -> String { XMLText.escaped(text) ?? "?" }
}
