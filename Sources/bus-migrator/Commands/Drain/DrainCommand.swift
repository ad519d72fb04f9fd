// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusModel
import MigrationEngine

struct DrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drain",
    abstract: "How the buses that are being left empty: the proof, its reasons, and the way over for what strands.",
    discussion:
      "Without a subcommand it shows the status; with --bus a whole bus and what stands between now and switching it off.",
    subcommands: [
      DrainStatusCommand.self, DrainWatchCommand.self, DrainExplainCommand.self, DrainForwardCommand.self,
      DrainExceptCommand.self,
    ])

  @Option(
    help: "A whole bus, by its name in the configuration: every queue with anything in it or anyone on it, and whose it is.")
  var bus: String?
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    guard let bus = self.bus else {
      return try await DrainLook(herIDs: [], pulje: try self.pulje.name(), place: self.place, json: self.output.json).once()
    }
    let daemon = try await DaemonReached.at(self.place)
    let drain = try await daemon.client.drain(ofBus: BusName(bus))
    if self.output.json { return try Console.say(json: drain, of: daemon.environment) }
    Console.say(BusDrainText.text(drain), of: daemon.environment)
  }
}
