// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Migration
import MigrationEngine

struct WaiveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "waive", abstract: "Answer for a drain that cannot be shown: an exception with a name, a reason and an end.")

  @Option(name: .customLong("her-id"), help: "A party; may be given more than once.") var herIDs: [String] = []
  @Option(help: "Why.") var because: String
  @Option(name: .customLong("for"), help: "How long the exception runs: 30d, 12h.") var span: String
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var person: PersonOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    guard let span = TimeSpan(text: self.span) else {
      throw CommandLineError.argumentWrong(name: "--for", seen: self.span, wanted: "a whole number and a unit: 30d, 12h")
    }
    let command = ControlAPI.Command(
      verb: .waive, pulje: try self.pulje.name(), herIDs: try PuljeArgument.herIDs(self.herIDs), by: [self.person.name],
      why: self.because, until: SystemMigrationClock().now + span)
    try await Order.give(command, socket: try self.place.socketPath(), json: self.output.json)
  }
}
