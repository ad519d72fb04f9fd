// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Migration
import MigrationEngine

struct WaiveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "waive", abstract: "Answer for a drain that cannot be shown: an exception with a name, a reason and an end.")

  @Option(name: .customLong("her-id"), help: "A party; may be given more than once.") var herIDs: [String] = []
  @OptionGroup var reason: ReasonOption
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var key: KeyOption
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
      why: self.reason.because, until: SystemMigrationClock().now + span, lasts: span)
    try await Order.give(command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json)
  }
}
