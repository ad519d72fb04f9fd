// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What the CPPA register holds of a party or of two: a profile (CPP: what a party can receive) or an agreement (CPA: what two
/// parties use with each other). Each party's part names the addresses it receives at, as they were when it was made.
public struct CollaborationProtocol: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Hashable, Codable { case profile, agreement }

  /// One party's part.
  public struct Party: Sendable, Hashable, Codable {
    public var herID: HerID
    public var name: String
    /// Where it receives, by the ids of the delivery channels that use the address.
    public var endpoints: [Endpoint]

    public init(herID: HerID, name: String, endpoints: [Endpoint]) {
      self.herID = herID
      self.name = name
      self.endpoints = endpoints
    }
  }

  /// An address at which a party receives.
  public struct Endpoint: Sendable, Hashable, Codable {
    public var transportID: String
    /// As it is written there, such as `sb.test.nhn.no/DigitalDialog/93252_async`.
    public var text: String
    /// The delivery channels that use it, such as `AMQPAsync_9b13be74-…`.
    public var channels: [String]

    public init(transportID: String, text: String, channels: [String]) {
      self.transportID = transportID
      self.text = text
      self.channels = channels
    }
  }

  public var kind: Kind
  /// The register's id of it (`cppid` or `cpaid`).
  public var id: String
  /// One for a profile, two for an agreement.
  public var parties: [Party]

  public init(kind: Kind, id: String, parties: [Party]) {
    self.kind = kind
    self.id = id
    self.parties = parties
  }
}

extension CollaborationProtocol {
  /// What was missing or made no sense.
  typealias Problem = PartyDetails.Problem

  private static let namespace = "http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd"

  /// Reads the XML document (ebXML CPPA 2.0).
  init(_ root: XMLNode) throws(Problem) {
    guard root.namespace == Self.namespace else { throw Problem(field: "CollaborationProtocol… (another namespace)") }
    switch root.name {
    case "CollaborationProtocolProfile": self.kind = .profile
    case "CollaborationProtocolAgreement": self.kind = .agreement
    default: throw Problem(field: "CollaborationProtocolProfile or -Agreement")
    }
    guard let id = Self.attribute(root, self.kind == .profile ? "cppid" : "cpaid") else {
      throw Problem(field: self.kind == .profile ? "cppid" : "cpaid")
    }
    self.id = id
    self.parties = []
    for info in Self.children(root, "PartyInfo") { self.parties.append(try Self.party(info)) }
    guard self.parties.count == (self.kind == .profile ? 1 : 2), Set(self.parties.map(\.herID)).count == self.parties.count else {
      throw Problem(field: "PartyInfo (\(self.parties.count) of them)")
    }
  }

  private static func party(_ info: XMLNode) throws(Problem) -> Party {
    let ids = Self.children(info, "PartyId").filter { Self.attribute($0, "type") == "HER" }
    guard let text = ids.first?.text.trimmed, ids.count == 1, let herID = try? HerID(text: text) else {
      throw Problem(field: "PartyId of type HER")
    }
    var channels: [String: [String]] = [:]
    for channel in Self.children(info, "DeliveryChannel") {
      guard let id = Self.attribute(channel, "channelId"), let transport = Self.attribute(channel, "transportId") else {
        throw Problem(field: "channelId or transportId of a DeliveryChannel")
      }
      channels[transport, default: []].append(id)
    }
    var endpoints: [Endpoint] = []
    for transport in Self.children(info, "Transport") {
      guard let id = Self.attribute(transport, "transportId") else { throw Problem(field: "transportId of a Transport") }
      for receiver in Self.children(transport, "TransportReceiver") {
        for endpoint in Self.children(receiver, "Endpoint") {
          guard let text = Self.attribute(endpoint, "uri") else { throw Problem(field: "uri of an Endpoint") }
          endpoints.append(Endpoint(transportID: id, text: text, channels: channels[id] ?? []))
        }
      }
    }
    return Party(herID: herID, name: Self.attribute(info, "partyName") ?? "", endpoints: endpoints)
  }

  private static func children(_ node: XMLNode, _ name: String) -> [XMLNode] {
    node.children.filter { $0.name == name && $0.namespace == Self.namespace }
  }

  /// By its local name: the schema's attributes are qualified, and the prefix is anybody's choice.
  private static func attribute(_ node: XMLNode, _ name: String) -> String? {
    let found = node.attributes.filter { $0.key == name || $0.key.hasSuffix(":" + name) }
    guard found.count == 1, let value = found.first?.value.trimmed, !value.isEmpty else { return nil }
    return value
  }
}
