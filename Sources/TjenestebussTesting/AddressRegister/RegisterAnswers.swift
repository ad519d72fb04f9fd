// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// The documents that the testing register answers with, in the shape and order of the real one's schema
/// (`Contract/communication-party.xsd`).
struct RegisterAnswers {
  var version: SOAPVersion
  /// The request's message id, which an answer in SOAP 1.2 relates to.
  var messageID: String?

  static let common = "http://register.nhn.no/Common"

  var contentType: String {
    switch self.version {
    case .v1_1: "text/xml; charset=utf-8"
    case .v1_2: "application/soap+xml; charset=utf-8"
    }
  }

  private func envelope(_ body: String, action: String = "") -> String {
    switch self.version {
    case .v1_1:
      return "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\(body)</s:Body></s:Envelope>"
    case .v1_2:
      let related = self.messageID.map { "<a:RelatesTo>\(Self.escaped($0))</a:RelatesTo>" } ?? ""
      let action = action.isEmpty ? "" : "<a:Action s:mustUnderstand=\"1\">\(Self.escaped(action))</a:Action>"
      return
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"http://www.w3.org/2005/08/addressing\">"
        + "<s:Header>\(action)\(related)</s:Header><s:Body>\(body)</s:Body></s:Envelope>"
    }
  }

  /// An answer in the reading contract.
  private func answer(_ operation: RegisterOperation, attributes: String = "", _ content: String) -> String {
    let name = operation.rawValue
    return self.envelope(
      "<\(name)Response xmlns=\"\(RegisterRequest.readNamespace)\"><\(name)Result"
        + " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:b=\"\(Self.common)\"\(attributes)>"
        + "\(content)</\(name)Result></\(name)Response>",
      action: "\(RegisterRequest.readNamespace)/ICommunicationPartyService/\(name)Response")
  }

  func pong(_ text: String) -> String { self.answer(.ping, Self.escaped(text)) }

  func done(_ operation: RegisterOperation) -> String {
    self.envelope(
      "<\(operation.rawValue)Response xmlns=\"\(RegisterRequest.writeNamespace)\"/>",
      action: "\(RegisterRequest.writeNamespace)/\(operation.rawValue)Response")
  }

  func details(_ party: ShownParty) -> String {
    self.answer(.details, attributes: Self.type(of: party.record.kind), Self.fields(party) + Self.ownFields(party))
  }

  func organisation(_ organisation: ShownParty, below: [ShownParty]) -> String {
    let services = below.filter { $0.record.kind != .person }
      .map { "<Service>\(Self.fields($0))\(Self.ownFields($0))</Service>" }.joined()
    let people = below.filter { $0.record.kind == .person }
      .map { "<OrganizationPerson>\(Self.fields($0))\(Self.ownFields($0))</OrganizationPerson>" }.joined()
    let number = organisation.record.organisationNumber ?? -1
    return self.answer(
      .organisation,
      Self.fields(organisation) + "<BusinessType i:nil=\"true\"/><OrganizationNumber>\(number)</OrganizationNumber>"
        + "<People>\(people)</People><Services>\(services)</Services>")
  }

  func page(_ parties: [ShownParty], total: Int, serverTime: MessageTimestamp) -> String {
    let results = parties.map {
      "<CommunicationParty\(Self.type(of: $0.record.kind))>\(Self.fields($0))\(Self.ownFields($0))</CommunicationParty>"
    }.joined()
    return self.answer(
      .search,
      "<Facets/><Results>\(results)</Results><ServerTime>\(serverTime)</ServerTime><TotalResults>\(total)</TotalResults>")
  }

  func log(_ changes: [AddressRegisterState.Change]) -> String {
    let entries = changes.map { change in
      "<b:EntityLogEntry><b:ByUser>\(change.operationID == nil ? "somebody" : "OrgUsr1")</b:ByUser><b:ByUserId i:nil=\"true\"/>"
        + "<b:Changes><b:EntityLogEntryData><b:Name>ElectronicAddresses</b:Name>"
        + "<b:NewValue>\(change.after)</b:NewValue><b:OldValue>\(change.before?.description ?? "")</b:OldValue></b:EntityLogEntryData></b:Changes>"
        + "<b:Description>\(Self.escaped(change.operation))</b:Description><b:Time>\(Self.time(change.time))</b:Time>"
        + "</b:EntityLogEntry>"
    }
    return self.answer(.changeLog, entries.joined())
  }

  func lastChanges(_ times: [(herID: HerID, time: Int64)]) -> String {
    let infos = times.map { entry in
      "<CommunicationPartyLastChangedInfo><HerId>\(entry.herID)</HerId><LastUpdated>\(Self.time(entry.time))</LastUpdated>"
        + "</CommunicationPartyLastChangedInfo>"
    }
    return self.answer(.lastChanges, infos.joined())
  }

  // MARK: - A party

  /// The fields that every kind of party has, in the schema's order.
  private static func fields(_ party: ShownParty) -> String {
    let record = party.record
    var text = "<Active>\(record.active)</Active><DisplayName i:nil=\"true\"/><ElectronicAddresses>"
    for address in record.addresses {
      text += "<b:ElectronicAddress>\(Self.address(address, changed: party.lastChanged))</b:ElectronicAddress>"
    }
    text += "</ElectronicAddresses><FutureElectronicAddresses>"
    for future in record.futureAddresses {
      text += "<b:FutureElectronicAddress>\(Self.address(future.address, changed: party.lastChanged))"
      text += "<b:ValidFrom>\(Self.escaped(future.validFrom))</b:ValidFrom></b:FutureElectronicAddress>"
    }
    text += "</FutureElectronicAddresses><HerId>\(record.herID)</HerId>"
    text += "<IsValidCommunicationParty>\(record.valid)</IsValidCommunicationParty>"
    text += "<LastChanged>\(party.lastChanged)</LastChanged><Name>\(Self.escaped(record.name))</Name>"
    text += "<ParentHerId>\(record.parent?.description ?? "-1")</ParentHerId>"
    text += party.parentName.map { "<ParentName>\(Self.escaped($0))</ParentName>" } ?? "<ParentName i:nil=\"true\"/>"
    let above = record.kind == .organisation ? -1 : record.organisationNumber ?? -1
    text += "<ParentOrganizationNumber>\(above)</ParentOrganizationNumber><ServerTime>\(party.serverTime)</ServerTime>"
    return text + "<Type>\(Self.name(of: record.kind))</Type>"
  }

  /// The fields of an organisation alone.
  private static func ownFields(_ party: ShownParty) -> String {
    guard party.record.kind == .organisation else { return "" }
    return "<OrganizationNumber>\(party.record.organisationNumber ?? -1)</OrganizationNumber>"
  }

  private static func address(_ address: PartyRecord.Address, changed: String) -> String {
    let code = Self.escaped(address.typeCode)
    return "<b:Address>\(Self.escaped(address.text))</b:Address><b:Inherited>\(address.inherited)</b:Inherited>"
      + "<b:LastChanged>\(changed)</b:LastChanged><b:Type><b:Active>true</b:Active>"
      + "<b:CodeValue>\(code)</b:CodeValue><b:OID>9044</b:OID></b:Type><b:TypeCodeValue>\(code)</b:TypeCodeValue>"
  }

  static func name(of kind: PartyRecord.Kind) -> String {
    switch kind {
    case .organisation: "Organization"
    case .department: "Department"
    case .service: "Service"
    case .person: "Person"
    case .unknown: "None"
    }
  }

  /// Which type of the schema an element is of, where it is a narrower one than it was declared with.
  private static func type(of kind: PartyRecord.Kind) -> String {
    switch kind {
    case .organisation: " i:type=\"Organization\""
    case .service: " i:type=\"Service\""
    case .person: " i:type=\"OrganizationPerson\""
    case .department, .unknown: ""
    }
  }

  /// The real register's times are Norwegian local time without zone; ours say UTC.
  static func time(_ milliseconds: Int64) -> String {
    milliseconds == AddressRegisterState.beginning
      ? Self.beginning : "\(MessageTimestamp(secondsSinceEpoch: milliseconds / 1_000))"
  }

  /// Most entries have this one; a hundred thousand need not work it out.
  private static let beginning = "\(MessageTimestamp(secondsSinceEpoch: AddressRegisterState.beginning / 1_000))"

  // MARK: - Faults

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

/// A party as an answer shows it.
struct ShownParty: Sendable {
  var record: PartyRecord
  var parentName: String?
  var lastChanged: String
  /// What the server says the time is; another at each answer, as it is out there.
  var serverTime: MessageTimestamp
}
