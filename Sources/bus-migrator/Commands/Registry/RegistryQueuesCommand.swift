// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel
import Foundation

struct RegistryQueuesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "queues", abstract: "Whose a bus's queues are, and which belong to no HER-ID.",
    discussion: """
      The list is the bus's own, one name a line, as rabbitmqctl --quiet list_queues name prints it. Queues of nobody are such as \
      subscriptions to the register's events and topics: no pulje moves them. The cache has to hold the whole register (registry \
      sync --export): a queue of a party that it does not know cannot be told from one that nobody has.
      """)

  @Argument(help: "The file with the names of the bus's queues.") var file: String
  @Option(help: "The bus, by its name in the configuration.") var bus: String
  @OptionGroup var registry: RegistryPlace
  @OptionGroup var output: JSONOption

  func run() async throws {
    let configuration = try self.registry.configuration()
    let bus = try RegistryPlace.bus(self.bus, option: "--bus", configuration)
    guard let text = try? String(contentsOfFile: self.file, encoding: .utf8) else {
      throw CommandLineError.fileUnreadable(path: self.file, seen: "it cannot be read as UTF-8 text")
    }
    let queues = text.split(whereSeparator: \.isNewline).map { String($0).trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
    let records = try await RegistryPlace.withCache(configuration, .readOnly) { try await $0.parties().map(\.record) }
    // With nobody known every queue would be nobody's.
    guard !records.isEmpty else {
      throw CommandLineError.argumentWrong(
        name: "the cache", seen: "no party is in it", wanted: "registry sync --export first: it has to hold the whole register")
    }
    let answer = QueuesAnswer(bus: bus.name, QueueOwnership.judge(queues, on: bus, records: records))
    if self.output.json {
      try Console.say(json: answer, of: configuration.environment.text)
    } else {
      Console.say(answer.text, of: configuration.environment.text)
    }
  }
}

/// What `registry queues` says.
struct QueuesAnswer: Codable {
  struct Owned: Codable {
    var queue: String
    var herIDs: [HerID]
    /// `register`, or `name` where only the queue's name says so.
    var by: String
  }

  var schema = "bus-migrator/registry-queues/1"
  var bus: BusName
  var owned: [Owned] = []
  /// Called as a party's queue, but the register does not name it.
  var unregistered: [Owned] = []
  /// They belong to no HER-ID.
  var nobodys: [String] = []

  init(bus: BusName, _ queues: [(queue: String, owner: QueueOwnership)]) {
    self.bus = bus
    for (queue, owner) in queues {
      switch owner {
      case .registered(let herIDs): self.owned.append(Owned(queue: queue, herIDs: herIDs, by: "register"))
      case .byName(let herID, _): self.owned.append(Owned(queue: queue, herIDs: [herID], by: "name"))
      case .unregistered(let herID, _): self.unregistered.append(Owned(queue: queue, herIDs: [herID], by: "name"))
      case .nobody: self.nobodys.append(queue)
      }
    }
  }

  var text: String {
    var lines = [
      "\(self.owned.count) queues of parties, \(self.unregistered.count) that the register does not name, "
        + "\(self.nobodys.count) that belong to no HER-ID"
    ]
    for queue in self.nobodys { lines.append("nobody's: \(queue)") }
    for queue in self.unregistered { lines.append("not in the register: \(queue.queue)") }
    return lines.joined(separator: "\n")
  }
}
