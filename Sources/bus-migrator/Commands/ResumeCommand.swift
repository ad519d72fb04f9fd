// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Go on: with a paused pulje, or with a party that is held or in conflict.")

  @Option(name: .customLong("her-id"), help: "A party that is held or in conflict; may be given more than once.")
  var herIDs: [String] = []
  @OptionGroup var reason: ReasonOption
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var key: KeyOption
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var person: PersonOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let command = ControlAPI.Command(
      verb: .resume, pulje: try self.pulje.name(), herIDs: try PuljeArgument.herIDs(self.herIDs), by: [self.person.name],
      why: self.reason.because)
    try await Order.give(command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json)
  }
}
