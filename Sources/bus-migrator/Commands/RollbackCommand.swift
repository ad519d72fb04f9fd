// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct RollbackCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback",
    abstract: "Take parties, or the whole pulje, back to exactly where they were. One person is enough.",
    discussion: "Parties that share a queue go back together. Parties of which nothing was written yet are withdrawn.")

  @Option(name: .customLong("her-id"), help: "A party; may be given more than once. Without it the whole pulje goes back.")
  var herIDs: [String] = []
  @Option(help: "A wave, from 1: all its parties go back.")
  var wave: Int?
  @OptionGroup var reason: ReasonOption
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var key: KeyOption
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var person: PersonOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let command = ControlAPI.Command(
      verb: .rollback, pulje: try self.pulje.name(), herIDs: try PuljeArgument.herIDs(self.herIDs), wave: self.wave,
      by: [self.person.name], why: self.reason.because)
    try await Order.give(command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json)
  }
}
