// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import AddressRegistry

@Suite("The register's answer becomes a record, or the missing field is named")
struct PartyDetailsTests {
  /// Written after the shape that the register's WSDL states, nested entries and all; not made by our own testing server.
  private let organisation = """
    <s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>
    <a:Action s:mustUnderstand="1">x</a:Action></s:Header><s:Body>
    <GetCommunicationPartyDetailsResponse xmlns="http://register.nhn.no/CommunicationParty">
      <GetCommunicationPartyDetailsResult i:type="Organization" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
        <Active>true</Active>
        <CoverageAreaType i:nil="true" xmlns:b="http://register.nhn.no/Common"/>
        <DisplayName i:nil="true"/>
        <ElectronicAddresses xmlns:b="http://register.nhn.no/Common">
          <b:ElectronicAddress><b:Address>sb.test.nhn.no/DigitalDialog/100_async</b:Address><b:Inherited>false</b:Inherited>
            <b:LastChanged>2025-04-30T14:13:19.01</b:LastChanged>
            <b:Type><b:Active>true</b:Active><b:CodeValue>E_SB_ASYNC</b:CodeValue><b:OID>9044</b:OID></b:Type>
            <b:TypeCodeValue>E_SB_ASYNC</b:TypeCodeValue></b:ElectronicAddress>
          <b:ElectronicAddress><b:Address> ldap://x </b:Address><b:Inherited>1</b:Inherited>
            <b:Type><b:CodeValue>E_DS</b:CodeValue></b:Type><b:TypeCodeValue i:nil="true"/></b:ElectronicAddress>
        </ElectronicAddresses>
        <FutureElectronicAddresses xmlns:b="http://register.nhn.no/Common"><b:FutureElectronicAddress>
          <b:Address>tb.test.nhn.no/X/100_async</b:Address><b:Inherited>false</b:Inherited>
          <b:TypeCodeValue>E_SB_ASYNC</b:TypeCodeValue><b:ValidFrom>2026-12-01T00:00:00</b:ValidFrom>
          </b:FutureElectronicAddress></FutureElectronicAddresses>
        <HerId>100</HerId><IsValidCommunicationParty>false</IsValidCommunicationParty>
        <LastChanged>2025-04-30T14:13:19.01</LastChanged><Name>Kommunen &amp; co</Name><ParentHerId>-1</ParentHerId>
        <ParentOrganizationNumber>-1</ParentOrganizationNumber>
        <ServerTime>2025-06-01T00:00:00</ServerTime><Type>Organization</Type><OrganizationNumber>999999001</OrganizationNumber>
        <Services><Service><Active>false</Active><ElectronicAddresses/><HerId>101</HerId><Name>inner</Name></Service></Services>
      </GetCommunicationPartyDetailsResult></GetCommunicationPartyDetailsResponse></s:Body></s:Envelope>
    """

  private func record(_ document: String, asked: Int32 = 100) throws -> PartyRecord {
    guard case .result(let node) = try SOAPEnvelope.answer(Array(document.utf8)) else {
      throw PartyDetails.Problem(field: "result")
    }
    return try PartyDetails.record(node, asked: her(asked))
  }

  @Test("an organisation: its own fields, not its services'")
  func reads() throws {
    #expect(
      try self.record(self.organisation)
        == PartyRecord(
          herID: her(100), name: "Kommunen & co", kind: .organisation, parent: nil, active: true, valid: false,
          addresses: [
            PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "sb.test.nhn.no/DigitalDialog/100_async", inherited: false),
            PartyRecord.Address(typeCode: "E_DS", text: " ldap://x ", inherited: true),
          ], organisationNumber: 999_999_001,
          futureAddresses: [
            PartyRecord.FutureAddress(
              address: PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "tb.test.nhn.no/X/100_async", inherited: false),
              validFrom: "2026-12-01T00:00:00")
          ]))
  }

  /// The document with something put right before the party's `HerId`.
  private func with(_ addition: String) -> String {
    self.organisation.replacingOccurrences(of: "<HerId>100</HerId>", with: addition + "<HerId>100</HerId>")
  }

  @Test(
    "strangers, another order and what stands for nothing change nothing",
    arguments: [
      "<x:Active xmlns:x=\"urn:other\">false</x:Active>", "<x:HerId xmlns:x=\"urn:other\">7</x:HerId>",
      "<NewField><Active>false</Active></NewField>", "<Municipality i:nil=\"true\"/>", "<!-- <Active>false</Active> -->",
      "<ParentName i:nil=\"true\"/>", "<?pi x?>",
    ])
  func strangers(_ addition: String) throws {
    #expect(try self.record(self.with(addition)) == self.record(self.organisation))
  }

  @Test("the fields in reverse order read the same")
  func reversed() throws {
    guard case .result(let node) = try SOAPEnvelope.answer(Array(self.organisation.utf8)) else { return }
    let reversed = try XMLDocumentReader.read(Array(self.reversed(node).utf8))
    #expect(reversed.children.first?.children.map(\.name) == node.children.first?.children.map(\.name).reversed())
    #expect(try PartyDetails.record(reversed, asked: her(100)) == self.record(self.organisation))
  }

  /// Written anew, what is in each element from behind; the order of lists means something, and stays.
  private func reversed(_ node: XMLNode) throws -> String {
    let isList = node.name.hasSuffix("ElectronicAddresses")
    let children = try (isList ? node.children : node.children.reversed()).map { try self.reversed($0) }
    let nothing = node.isNil ? " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"" : ""
    let text = try #require(XMLText.escaped(node.text))
    return "<\(node.name) xmlns=\"\(node.namespace)\"\(nothing)>\(text)\(children.joined())</\(node.name)>"
  }

  @Test("optional parts may be missing: name, parent, type, future addresses, numbers; a list may be empty")
  func optional() throws {
    var document = self.organisation
    for part in [
      "<Name>Kommunen &amp; co</Name>", "<ParentHerId>-1</ParentHerId>", "<Type>Organization</Type>",
      "<OrganizationNumber>999999001</OrganizationNumber>", "<ParentOrganizationNumber>-1</ParentOrganizationNumber>",
    ] {
      #expect(document.contains(part))
      document = document.replacingOccurrences(of: part, with: "")
    }
    let future = try #require(document.range(of: "<FutureElectronicAddresses"))
    let end = try #require(document.range(of: "</FutureElectronicAddresses>"))
    document.removeSubrange(future.lowerBound..<end.upperBound)
    let read = try self.record(document)
    #expect(read.name.isEmpty)
    #expect(read.kind == .unknown)
    #expect(read.organisationNumber == nil)
    #expect(read.futureAddresses.isEmpty)
    #expect(read.addresses.count == 2)
  }

  @Test(
    "what is there twice, or in a list where it has no place, is not guessed",
    arguments: ["<HerId>100</HerId>", "<Active>true</Active>", "<ElectronicAddresses/>", "<ParentHerId>5</ParentHerId>"])
  func twice(_ addition: String) {
    #expect(throws: PartyDetails.Problem.self) { try self.record(self.with(addition)) }
  }

  @Test(
    "an address list with anything else in it is no list: an address that is overlooked is a wrong answer",
    arguments: [
      ("<b:ElectronicAddress><b:Address>sb", "<x xmlns=\"urn:x\"/><b:ElectronicAddress><b:Address>sb"),
      ("<ElectronicAddresses xmlns:b=\"http://register.nhn.no/Common\">", "<ElectronicAddresses xmlns:b=\"urn:other\">"),
      ("<b:TypeCodeValue>E_SB_ASYNC", "<b:TypeCodeValue>E_SB_SYNC"), ("<b:Inherited>1<", "<b:Inherited>2<"),
    ])
  func badList(_ present: String, _ instead: String) throws {
    let range = try #require(self.organisation.range(of: present))
    let document = self.organisation.replacingCharacters(in: range, with: instead)
    #expect(throws: PartyDetails.Problem.self) { try self.record(document) }
  }

  @Test("what the server owns does not change the hash")
  func serverOwned() throws {
    let other = self.organisation.replacingOccurrences(of: "2025-06-01", with: "2026-01-01")
      .replacingOccurrences(of: "14:13:19.01", with: "15:00:00")
    #expect(other != self.organisation)
    #expect(try self.record(other).hash == self.record(self.organisation).hash)
  }

  @Test(
    "kinds",
    arguments: [
      ("Organization", PartyRecord.Kind.organisation), ("Service", .service), ("Department", .department), ("Person", .person),
      ("None", .unknown), ("Person Service", .unknown), ("", .unknown),
    ])
  func kinds(_ text: String, _ kind: PartyRecord.Kind) throws {
    let document = self.organisation.replacingOccurrences(of: "<Type>Organization</Type>", with: "<Type>\(text)</Type>")
    #expect(try self.record(document).kind == kind)
  }

  @Test("parents", arguments: [("-1", nil), ("0", nil), ("77", Int32(77))] as [(String, Int32?)])
  func parents(_ text: String, _ parent: Int32?) throws {
    let document = self.organisation.replacingOccurrences(of: "<ParentHerId>-1", with: "<ParentHerId>\(text)")
    #expect(try self.record(document).parent?.value == parent)
  }

  @Test(
    "what a record needs and the answer lacks is named",
    arguments: [
      ("<Active>true</Active>\n    <Cov", "<Cov", "Active"),
      ("<IsValidCommunicationParty>false</IsValidCommunicationParty>", "", "IsValidCommunicationParty"),
      ("<HerId>100</HerId>", "", "HerId"), ("<HerId>100</HerId>", "<HerId>101</HerId>", "HerId"),
      ("<b:Inherited>1</b:Inherited>", "", "Inherited"), ("<b:CodeValue>E_DS</b:CodeValue>", "", "TypeCodeValue"),
      ("<ElectronicAddresses xmlns:b", "<OtherAddresses xmlns:b", "ElectronicAddresses"),
    ])
  func missing(_ present: String, _ instead: String, _ field: String) {
    var document = self.organisation.replacingOccurrences(of: present, with: instead)
    document = document.replacingOccurrences(
      of: "</ElectronicAddresses>\n    <Fut",
      with: present.hasPrefix("<Electronic") ? "</OtherAddresses>\n    <Fut" : "</ElectronicAddresses>\n    <Fut")
    #expect(document != self.organisation)
    do {
      _ = try self.record(document)
      Issue.record("nothing was thrown")
    } catch let problem as PartyDetails.Problem {
      #expect(problem.field.hasPrefix(field))
    } catch {
      Issue.record("the document itself is broken: \(error)")
    }
  }

  @Test("faults of both versions")
  func faults() throws {
    let eleven = """
      <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode>
      <faultstring xml:lang="nb-NO">nei</faultstring><detail><GenericFault xmlns="http://register.nhn.no/Common">
      <ErrorCode>InvalidHerIdSupplied</ErrorCode><Message>finnes ikke</Message></GenericFault></detail></s:Fault></s:Body></s:Envelope>
      """
    let twelve = """
      <s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value>
      <s:Subcode><s:Value>a:InternalServiceFault</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="nb-NO">stans</s:Text>
      </s:Reason></s:Fault></s:Body></s:Envelope>
      """
    guard case .fault(let first) = try SOAPEnvelope.answer(Array(eleven.utf8)),
      case .fault(let second) = try SOAPEnvelope.answer(Array(twelve.utf8))
    else {
      Issue.record("no faults")
      return
    }
    #expect(first.code == "InvalidHerIdSupplied")
    #expect(first.message == "finnes ikke")
    #expect(second.code == "Receiver")
    #expect(second.message == "stans")
  }
}
