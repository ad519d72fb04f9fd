// SPDX-License-Identifier: Apache-2.0

import BusModel

/// An address in a profile or agreement that is not what the address register says of the party: whoever goes by it sends to a
/// queue that nobody reads any more.
public struct StaleEndpoint: Sendable, Hashable {
  public enum Problem: Sendable, Hashable {
    /// It lies on another bus than the party's addresses in the address register.
    case otherBus(named: BusName, register: [BusName])
    /// Its host belongs to no configured bus, or to several; the address register's is known.
    case unknownBus(host: String, register: [BusName])
    /// It is no queue address.
    case malformed
  }

  public var document: CollaborationProtocol.Kind
  public var documentID: String
  public var herID: HerID
  /// The other party of an agreement: the one that would send there. Nil for a profile.
  public var counterpart: HerID?
  public var endpoint: CollaborationProtocol.Endpoint
  public var problem: Problem

  public init(
    document: CollaborationProtocol.Kind, documentID: String, herID: HerID, counterpart: HerID?,
    endpoint: CollaborationProtocol.Endpoint, problem: Problem
  ) {
    self.document = document
    self.documentID = documentID
    self.herID = herID
    self.counterpart = counterpart
    self.endpoint = endpoint
    self.problem = problem
  }
}

/// Finds such addresses; no IO.
public enum StaleEndpoints {
  /// - Parameters:
  ///   - documents: profiles and agreements, each as the CPPA register has it.
  ///   - records: what the address register says. Parties that are not in here are passed over: nothing is known of them.
  ///   - buses: the configured ones.
  /// - Returns: in the order of the documents. An address on the right bus with another queue name is not stale by bus and not in
  ///   here.
  public static func find(
    in documents: [CollaborationProtocol], records: [HerID: PartyRecord], buses: [Bus]
  ) -> [StaleEndpoint] {
    var found: [StaleEndpoint] = []
    for document in documents {
      for party in document.parties {
        guard let record = records[party.herID] else { continue }
        let home = Self.buses(of: record, among: buses)
        guard !home.isEmpty else { continue }
        for endpoint in party.endpoints {
          guard let problem = Self.problem(endpoint, home: home, buses: buses) else { continue }
          found.append(
            StaleEndpoint(
              document: document.kind, documentID: document.id, herID: party.herID,
              counterpart: document.parties.first { $0.herID != party.herID }?.herID, endpoint: endpoint, problem: problem))
        }
      }
    }
    return found
  }

  /// Parties with an endpoint of which ``find(in:records:buses:)`` can say nothing: no record, or none of its queue addresses lies on a
  /// configured bus. In order of HER-ID.
  public static func unjudged(
    in documents: [CollaborationProtocol], records: [HerID: PartyRecord], buses: [Bus]
  ) -> [HerID] {
    let named = Set(documents.flatMap(\.parties).filter { !$0.endpoints.allSatisfy(Self.isOtherTransport) }.map(\.herID))
    return named.filter { herID in records[herID].map { Self.buses(of: $0, among: buses).isEmpty } ?? true }.sorted()
  }

  /// The buses that the party's queue addresses in the address register lie on; more than one while it is half moved.
  private static func buses(of record: PartyRecord, among buses: [Bus]) -> [BusName] {
    let addresses = record.addresses.filter { $0.queueKind != nil }.compactMap { try? QueueAddress(text: $0.text) }
    return buses.filter { bus in addresses.contains { bus.holds($0) } }.map(\.name).sorted()
  }

  private static func problem(
    _ endpoint: CollaborationProtocol.Endpoint, home: [BusName], buses: [Bus]
  ) -> StaleEndpoint.Problem? {
    // Only AMQP queues are ours: mail addresses and the like are another transport.
    guard !Self.isOtherTransport(endpoint) else { return nil }
    guard let address = try? QueueAddress(text: Self.withoutScheme(endpoint.text)) else { return .malformed }
    let named = buses.filter { $0.holds(address) }.map(\.name)
    guard let bus = named.first, named.count == 1 else { return .unknownBus(host: address.host, register: home) }
    return home.contains(bus) ? nil : .otherBus(named: bus, register: home)
  }

  private static func isOtherTransport(_ endpoint: CollaborationProtocol.Endpoint) -> Bool {
    ["mailto:", "http:", "https:"].contains { endpoint.text.lowercased().hasPrefix($0) }
  }

  private static func withoutScheme(_ text: String) -> String {
    for scheme in ["amqps://", "amqp://"] where text.lowercased().hasPrefix(scheme) {
      return String(text.dropFirst(scheme.count))
    }
    return text
  }
}
