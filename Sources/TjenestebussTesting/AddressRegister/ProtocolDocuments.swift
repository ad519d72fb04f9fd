// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// The profiles and agreements that the testing CPPA register holds: as they were made, whatever happened to addresses since.
struct ProtocolDocuments: Sendable {
  var profiles: [CollaborationProtocol] = []
  var agreements: [CollaborationProtocol] = []

  func profile(_ herID: HerID) -> CollaborationProtocol? { self.profiles.first { $0.parties.first?.herID == herID } }

  /// The document as ebXML CPPA 2.0 writes it, cut down to what names parties and addresses.
  static func text(_ document: CollaborationProtocol) -> String {
    let (name, id) =
      document.kind == .profile ? ("CollaborationProtocolProfile", "cppid") : ("CollaborationProtocolAgreement", "cpaid")
    let parties = document.parties.map { party in
      var text =
        "<tns:PartyInfo tns:partyName=\"\(Self.escaped(party.name))\"><tns:PartyId tns:type=\"HER\">\(party.herID)</tns:PartyId>"
      for endpoint in party.endpoints {
        for channel in endpoint.channels {
          text += "<tns:DeliveryChannel tns:channelId=\"\(Self.escaped(channel))\" tns:transportId=\"\(endpoint.transportID)\"/>"
        }
      }
      for endpoint in party.endpoints {
        text += "<tns:Transport tns:transportId=\"\(endpoint.transportID)\"><tns:TransportSender><tns:TransportProtocol "
        text += "tns:version=\"1.0\">AMQP</tns:TransportProtocol></tns:TransportSender><tns:TransportReceiver>"
        text += "<tns:TransportProtocol tns:version=\"1.0\">AMQP</tns:TransportProtocol>"
        text += "<tns:Endpoint tns:uri=\"\(Self.escaped(endpoint.text))\"/></tns:TransportReceiver></tns:Transport>"
      }
      return text + "</tns:PartyInfo>"
    }.joined()
    return "<tns:\(name) xmlns:tns=\"http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd\" tns:\(id)=\""
      + "\(Self.escaped(document.id))\" tns:version=\"1.0\">\(parties)</tns:\(name)>"
  }

  private static func escaped(_ text: String) -> String { XMLText.escaped(text) ?? "?" }
}
