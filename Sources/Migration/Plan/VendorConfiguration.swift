// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a vendor's systems are to be told, ready made. Without secrets: user and password are each organisation's own.
public struct VendorConfiguration: Sendable, Hashable, Codable {
  /// A party's queues on the target bus, by their short names.
  public struct Party: Sendable, Hashable, Codable {
    public var herID: HerID
    public var queues: [String]
    /// Not in the register: the vendor points it at the target bus itself.
    public var synchronousReply: String?
  }

  public var vendor: String
  public var bus: BusName
  public var dialect: Dialect
  /// `amqps://USER:PASSWORD@HOST:5671/PATH`.
  public var connectionString: String
  public var parties: [Party]

  /// One for each vendor of the plan.
  ///
  /// - Parameter target: the plan's target bus as it is configured.
  public static func all(_ plan: Plan, target: Bus) -> [VendorConfiguration] {
    let path = target.path.isEmpty ? "" : "/\(target.path)"
    let connection = "amqps://USER:PASSWORD@\(target.hosts.first ?? ""):5671\(path)"
    let byVendor = Dictionary(grouping: plan.groups.flatMap(\.members), by: \.vendor)
    return byVendor.sorted { $0.key < $1.key }.map { vendor, members in
      VendorConfiguration(
        vendor: vendor, bus: target.name, dialect: target.dialect, connectionString: connection,
        parties: members.sorted { $0.herID < $1.herID }.map(Self.party))
    }
  }

  private static func party(_ member: Plan.Member) -> Party {
    let queues = [member].queues(after: true)
    return Party(
      herID: member.herID, queues: member.registerQueues(after: true).map(\.address.queue),
      synchronousReply: queues.first { $0.kind == .synchronousReply }?.address.queue)
  }

  /// As a part of what a system that embeds TjenestebussClient is told (tjenestebuss-client.example.yaml).
  public var yaml: String {
    var lines = [
      "# \(self.vendor.isEmpty ? "Vendor not named" : self.vendor.split(whereSeparator: \.isNewline).joined(separator: " "))",
      "buses:", "  # beside the one the parties leave: listen on both until they are accepted",
      "  - name: \(self.bus)", "    dialect: \(self.dialect.rawValue)", "    hosts: [\(self.host)]",
      "    # in a file of its own, mode 0600: \(self.connectionString)",
      "    connection-string-file: secrets/\(self.bus).connection",
      "serve:", "  her-ids: [\(self.parties.map(\.herID.description).joined(separator: ", "))]",
    ]
    let replies = self.parties.compactMap { party in party.synchronousReply.map { (party.herID, $0) } }
    if !replies.isEmpty {
      lines.append("  # by machine; the register does not hold these, so they move with this file")
      lines.append("  reply-queues:")
      var seen: Set<String> = []
      for (_, queue) in replies where seen.insert(queue).inserted { lines.append("    MACHINE-\(seen.count): \(queue)") }
    }
    for party in self.parties { lines.append("# \(party.herID): \(party.queues.joined(separator: ", "))") }
    return lines.joined(separator: "\n") + "\n"
  }

  private var host: String {
    self.connectionString.split(separator: "@").last?.split(separator: ":").first.map(String.init) ?? ""
  }
}
