// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What a step asks for that several people approve for single parties.
struct ApprovedPartiesOptions: ParsableArguments {
  @Option(name: .customLong("her-id"), help: "A party; may be given more than once.") var herIDs: [String] = []
  @Option(name: .customLong("approved-by"), help: "Who approves; once for each person.") var approvedBy: [String] = []
  @OptionGroup var reason: ReasonOption
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var key: KeyOption
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func give(_ verb: ControlAPI.Command.Verb) async throws {
    let command = ControlAPI.Command(
      verb: verb, pulje: try self.pulje.name(), herIDs: try PuljeArgument.herIDs(self.herIDs), by: self.approvedBy,
      why: self.reason.because)
    try await Order.give(command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json)
  }
}
