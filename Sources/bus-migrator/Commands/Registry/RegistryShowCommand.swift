// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel
import Foundation

struct RegistryShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "What is known of a HER-ID: its buses and queues, who shares them, and how old that knowledge is.")

  @Argument(help: "The HER-ID.") var herID: String
  @OptionGroup var registry: RegistryPlace
  @OptionGroup var output: JSONOption
  @Flag(help: "Ask the register too, and show where it differs. The cache is left as it is.") var live = false

  func run() async throws {
    let configuration = try self.registry.configuration()
    guard let herID = try PuljeArgument.herIDs([self.herID]).first else { return }
    let (entry, group) = try await RegistryPlace.withCache(configuration, .readOnly) { cache in
      let entry = try await cache.party(herID)
      let survey = QueueSharing.survey(of: try await cache.parties().map(\.record))
      return (entry, survey.groups.first { $0.members.contains(herID) })
    }
    let now = self.live ? try await RegistryPlace.withRegister(configuration) { try await $0.party(herID) } : nil
    let instant = SystemRegistryClock().now
    guard let shown = entry ?? now.map({ RegistryEntry(record: $0, source: .soap, readAt: instant, version: 1) }) else {
      throw AddressRegistryError.partyUnknown(herID, askedRegister: false)
    }
    var answer = ShowAnswer(
      shown, isCached: entry != nil, group: group?.members ?? [], buses: configuration.busValues, at: instant)
    if let entry, let now { answer.difference = RecordDifference(from: entry.record, to: now) }
    if self.output.json {
      try Console.say(json: answer, of: configuration.environment.text)
    } else {
      Console.say(answer.text, of: configuration.environment.text)
    }
    if answer.difference != nil { throw ExitCode(Exit.differs) }
  }
}

/// What `registry show` says.
struct ShowAnswer: Codable {
  struct Queue: Codable {
    var kind: QueueKind
    /// Nil where no message can be sent to it; then ``code`` and ``seen`` say why.
    var bus: BusName?
    var address: String?
    var inherited: Bool?
    var code: String?
    var seen: String?
  }

  var schema = "bus-migrator/registry-show/1"
  var party: PartyRecord
  /// `file`, `soap`, `rest`; nil when it is not in the cache.
  var source: String?
  var ageSeconds: Int64?
  var version: Int64?
  var hash: String
  var queues: [Queue]
  /// Parties that move together with this one, itself among them.
  var group: [HerID]
  /// Where the register now says something else than the cache.
  var difference: RecordDifference?

  init(_ entry: RegistryEntry, isCached: Bool, group: [HerID], buses: [Bus], at instant: RegistryInstant) {
    self.party = entry.record
    self.source = isCached ? entry.source.rawValue : nil
    self.ageSeconds = isCached ? entry.age(at: instant).components.seconds : nil
    self.version = isCached ? entry.version : nil
    self.hash = entry.hash.hex
    self.group = group
    self.queues = QueueKind.inRegister.map { kind in
      do throws(AddressRegistryError) {
        let decision = try RouteDecision.decide(entry, kind: kind, buses: buses, now: instant)
        return Queue(
          kind: kind, bus: decision.bus.name, address: decision.address.description, inherited: decision.origin != .own)
      } catch {
        return Queue(kind: kind, code: error.stableCode, seen: error.explanation.seen)
      }
    }
  }

  var text: String {
    var lines = ["HER-ID \(self.party.herID): \(self.party.name) (\(self.party.kind.rawValue))"]
    if let parent = self.party.parent { lines.append("  below HER-ID \(parent)") }
    if !self.party.active { lines.append("  NOT ACTIVE: its queues are closed and later deleted") }
    for queue in self.queues {
      if let bus = queue.bus, let address = queue.address {
        lines.append("  \(queue.kind.rawValue): \(bus): \(address)\(queue.inherited == true ? " (inherited)" : "")")
      } else {
        lines.append("  \(queue.kind.rawValue): [\(queue.code ?? "")] \(queue.seen ?? "")")
      }
    }
    for future in self.party.futureAddresses {
      lines.append("  from \(future.validFrom): \(future.address.typeCode) \(future.address.text)")
    }
    let others = self.group.filter { $0 != self.party.herID }
    lines.append(
      others.isEmpty
        ? "  shares its queues with nobody" : "  moves together with \(others.map(\.description).joined(separator: ", "))")
    if let source, let ageSeconds, let version {
      lines.append(
        "  cached: from \(source), \(AgeText.text(.seconds(ageSeconds))) old, version \(version), \(self.hash.prefix(12))")
    } else {
      lines.append("  not in the cache: this is what the register says now")
    }
    if let difference { lines += ["  the register says otherwise now:"] + DifferenceText.lines(difference).map { "    " + $0 } }
    return lines.joined(separator: "\n")
  }
}
