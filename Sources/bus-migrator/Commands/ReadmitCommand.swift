// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ReadmitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "readmit", abstract: "End a party's quarantine.")

  @Option(name: .customLong("her-id"), help: "A party; may be given more than once.") var herIDs: [String] = []
  @OptionGroup var reason: ReasonOption
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var key: KeyOption
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var person: PersonOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let command = ControlAPI.Command(
      verb: .readmit, pulje: try self.pulje.name(), herIDs: try PuljeArgument.herIDs(self.herIDs), by: [self.person.name],
      why: self.reason.because)
    try await Order.give(command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json)
  }
}
