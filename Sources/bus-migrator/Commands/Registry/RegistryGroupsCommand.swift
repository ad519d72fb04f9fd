// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel

struct RegistryGroupsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "groups", abstract: "Which parties share queues and so move together, on which bus, and what cannot be told.")

  @OptionGroup var registry: RegistryPlace
  @OptionGroup var output: JSONOption
  @Option(name: .customLong("her-id"), help: "Only the groups of these parties; repeat, or separate by commas.")
  var herIDs: [String] = []
  @Flag(help: "Only groups whose addresses lie on several buses, on none, or cannot be read.") var troubled = false

  func run() async throws {
    let configuration = try self.registry.configuration()
    let wanted = Set(try PuljeArgument.herIDs(self.herIDs))
    let records = try await RegistryPlace.withCache(configuration, .readOnly) { try await $0.parties().map(\.record) }
    try RegistryPlace.checkKnown(wanted, records.map(\.herID))
    var answer = GroupsAnswer(QueueSharing.survey(of: records), records: records, buses: configuration.busValues)
    if !wanted.isEmpty { answer.groups.removeAll { wanted.isDisjoint(with: $0.members) } }
    if self.troubled { answer.groups.removeAll { $0.buses.count == 1 && $0.elsewhere.isEmpty } }
    if self.output.json {
      try Console.say(json: answer, of: configuration.environment.text)
    } else {
      Console.say(answer.text, of: configuration.environment.text)
    }
  }
}

/// What `registry groups` says.
struct GroupsAnswer: Codable {
  struct Group: Codable {
    var members: [HerID]
    var addresses: [String]
    var buses: [BusName]
    /// Addresses on no configured bus.
    var elsewhere: [String]
    /// For a group without queues: how its party is reached instead, by the register's type codes (`E_EDI`: EDI by mail).
    var otherTransports: [String]?
  }

  struct Unreadable: Codable {
    var herID: HerID
    var kind: QueueKind
    var text: String
  }

  var schema = "bus-migrator/registry-groups/1"
  var groups: [Group]
  var unreadable: [Unreadable]

  init(_ survey: QueueSharing.Survey, records: [PartyRecord], buses: [Bus]) {
    var transports: [HerID: [String]] = [:]
    for record in records where !record.addresses.contains(where: { $0.queueKind != nil }) {
      transports[record.herID] = record.otherTransports
    }
    self.groups = survey.groups.map { group in
      let holders = group.addresses.map { address in buses.filter { $0.holds(address) }.map(\.name) }
      return Group(
        members: group.members, addresses: group.addresses.map(\.description), buses: Set(holders.joined()).sorted(),
        elsewhere: zip(group.addresses, holders).filter { $0.1.isEmpty }.map(\.0.description),
        otherTransports: group.members.count == 1 ? group.members.first.flatMap { transports[$0] } : nil)
    }
    self.unreadable = survey.unreadable.map { Unreadable(herID: $0.herID, kind: $0.kind, text: $0.text) }
  }

  var text: String {
    var lines = ["\(self.groups.count) groups of \(self.groups.reduce(0) { $0 + $1.members.count }) parties"]
    for group in self.groups {
      var places = group.buses.map(\.text)
      if !group.elsewhere.isEmpty { places.append("no configured bus: \(group.elsewhere.joined(separator: ", "))") }
      if group.addresses.isEmpty {
        let others = group.otherTransports ?? []
        places = [others.isEmpty ? "no queue" : "no queue, but \(others.joined(separator: ", ")): another transport than AMQP"]
      }
      lines.append("\(group.members.map(\.description).joined(separator: ", ")): \(places.joined(separator: " AND "))")
    }
    for address in self.unreadable {
      lines.append(
        "HER-ID \(address.herID): its \(address.kind.rawValue) address is none, so who shares it cannot be told: \(address.text)")
    }
    return lines.joined(separator: "\n")
  }
}
