// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@testable import AddressRegistry

@Suite("A write is put together from configuration, or refused before anything is sent")
struct WriteRequestTests {
  private let configuration = SOAPWriterConfiguration(
    endpoint: SOAPEndpoint(url: "https://ar.example.no/migration"), namespace: "urn:m", actionPrefix: "urn:m/IMigration/",
    busNames: ["tjenestebuss": "RabbitMq & co"],
    operationIDHeader: SOAPWriterConfiguration.HeaderElement(name: "OpId", namespace: "urn:o"),
    switchToBus: SOAPWriterConfiguration.Operation(
      name: "Bytt",
      parameters: [
        SOAPWriterConfiguration.Parameter("herId", .herID), SOAPWriterConfiguration.Parameter("buss", .bus),
        SOAPWriterConfiguration.Parameter("alle", .constant("false")), SOAPWriterConfiguration.Parameter("id", .operationID),
      ]),
    switchToBusWithServicesBelow: SOAPWriterConfiguration.Operation(
      name: "ByttAlle", action: "urn:other", parameters: [SOAPWriterConfiguration.Parameter("herId", .herID)],
      onlyBus: "tjenestebuss"),
    replaceAddresses: SOAPWriterConfiguration.Operation(
      name: "Oppdater",
      parameters: [SOAPWriterConfiguration.Parameter("herId", .herID), SOAPWriterConfiguration.Parameter("adresser", .addresses)])
  )

  private func write(_ change: RegisterChange) -> RegisterWrite {
    RegisterWrite(herID: her(7), change: change, operationID: "a<b")
  }

  private func refusal(_ change: RegisterChange, _ configuration: SOAPWriterConfiguration? = nil) -> String? {
    do {
      _ = try SOAPWriteRequest(self.write(change), configuration: configuration ?? self.configuration)
      return nil
    } catch { return error.stableCode }
  }

  @Test("parameters stand in the configured order, values are escaped, the bus has the register's name")
  func switching() throws {
    let request = try SOAPWriteRequest(self.write(.switchToBus("tjenestebuss")), configuration: self.configuration)
    #expect(
      request.body
        == "<Bytt xmlns=\"urn:m\"><herId>7</herId><buss>RabbitMq &amp; co</buss><alle>false</alle><id>a&lt;b</id></Bytt>")
    #expect(request.headers == "<o:OpId xmlns:o=\"urn:o\">a&lt;b</o:OpId>")
    #expect(request.action == "urn:m/IMigration/Bytt")
    #expect(request.responseName == "ByttResponse")
    let other = try SOAPWriteRequest(self.write(.switchToBus("servicebus")), configuration: self.configuration)
    #expect(other.body.contains("<buss>servicebus</buss>"))
  }

  @Test("an operation that knows one bus only is not used for another")
  func onlyBus() throws {
    let request = try SOAPWriteRequest(
      self.write(.switchToBusWithServicesBelow("tjenestebuss")), configuration: self.configuration)
    #expect(request.action == "urn:other")
    #expect(self.refusal(.switchToBusWithServicesBelow("servicebus")) == "AR-411")
  }

  @Test("addresses become a list")
  func addresses() throws {
    let request = try SOAPWriteRequest(
      self.write(.replaceAddresses([PartyRecord.Address(typeCode: "E_SB_ASYNC", text: "h/p/q", inherited: true)])),
      configuration: self.configuration)
    #expect(
      request.body
        == "<Oppdater xmlns=\"urn:m\"><herId>7</herId><adresser><c:ElectronicAddress xmlns:c=\"http://register.nhn.no/Common\">"
        + "<c:Address>h/p/q</c:Address><c:Inherited>true</c:Inherited><c:TypeCodeValue>E_SB_ASYNC</c:TypeCodeValue>"
        + "</c:ElectronicAddress></adresser></Oppdater>")
  }

  @Test("what is not configured, or configured so that it would do something else, is refused")
  func refusals() {
    #expect(self.refusal(.useOrganisationQueue) == "AR-411")
    var bad = self.configuration
    bad.replaceAddresses?.parameters.removeLast()
    #expect(self.refusal(.replaceAddresses([]), bad) == "AR-410")
    bad = self.configuration
    bad.switchToBus?.parameters.removeFirst()
    #expect(self.refusal(.switchToBus("tjenestebuss"), bad) == "AR-410")
    bad = self.configuration
    bad.switchToBus?.name = "a b"
    #expect(self.refusal(.switchToBus("tjenestebuss"), bad) == "AR-410")
    bad = self.configuration
    bad.useOrganisationQueue = bad.switchToBus
    #expect(self.refusal(.useOrganisationQueue, bad) == "AR-410")
    #expect(
      self.refusal(.replaceAddresses([PartyRecord.Address(typeCode: "E_DS", text: "\u{0}", inherited: false)])) == "AR-410")
  }

  @Test("the configuration is read from JSON, with fillings as words")
  func json() throws {
    let text = """
      {"endpoint": {"url": "https://ar.example.no/m", "version": "1.2"}, "namespace": "urn:m", "actionPrefix": "urn:m/",
       "busNames": {"tjenestebuss": "2"}, "operationIDHeader": {"name": "Id", "namespace": "urn:o"},
       "switchToBus": {"name": "Bytt", "onlyBus": "tjenestebuss",
                       "parameters": [{"name": "herId", "filling": "her-id"}, {"name": "med", "filling": "=true"},
                                      {"name": "b", "filling": "bus"}, {"name": "i", "filling": "operation-id"}]}}
      """
    let configuration = try JSONDecoder().decode(SOAPWriterConfiguration.self, from: Data(text.utf8))
    #expect(configuration.switchToBus?.parameters.map(\.filling) == [.herID, .constant("true"), .bus, .operationID])
    #expect(configuration.switchToBus?.onlyBus == "tjenestebuss")
    #expect(configuration.addressNamespace == "http://register.nhn.no/Common")
    #expect(configuration.replaceAddresses == nil)
    #expect(try JSONDecoder().decode(SOAPWriterConfiguration.self, from: JSONEncoder().encode(configuration)) == configuration)
    let wrong = text.replacingOccurrences(of: "her-id", with: "herid")
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(SOAPWriterConfiguration.self, from: Data(wrong.utf8)) }
  }

  @Test("a write survives being stored")
  func stored() throws {
    for change in [
      RegisterChange.switchToBus("a"), .switchToBusWithServicesBelow("b"), .useOrganisationQueue,
      .replaceAddresses(queues(of: 1)),
    ] {
      let write = RegisterWrite(herID: her(7), change: change, operationID: "op", expectedAddresses: queues(of: 7))
      #expect(try JSONDecoder().decode(RegisterWrite.self, from: JSONEncoder().encode(write)) == write)
    }
  }

  @Test("what an error says of a write: certain is only what cannot be otherwise")
  func outcomes() {
    func verdict(_ error: AddressRegistryError) -> String {
      switch SOAPAddressRegisterWriter.outcome(of: error) {
      case .notSent: "not sent"
      case .refused: "refused"
      case .unknown: "unknown"
      case .acknowledged, .toBeDoneByHand: "wrong"
      }
    }
    #expect(verdict(.registerUnreachable(url: "u", seen: "s")) == "not sent")
    #expect(verdict(.registerFault(url: "u", code: "AccessDenied", message: "m")) == "refused")
    for code in ["Server", "Receiver", "InternalServiceFault", "fault"] {
      #expect(verdict(.registerFault(url: "u", code: code, message: "m")) == "unknown")
    }
    #expect(verdict(.registerTimedOut(url: "u", after: .seconds(1))) == "unknown")
    #expect(verdict(.registerAnswerIncomplete(url: "u", missing: "x")) == "unknown")
    #expect(verdict(.registerHTTPError(url: "u", status: 302)) == "unknown")
    #expect(verdict(.registerHTTPError(url: "u", status: 400)) == "refused")
    #expect(verdict(.registerHTTPError(url: "u", status: 500)) == "unknown")
  }
}
