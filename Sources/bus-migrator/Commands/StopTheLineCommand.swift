// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct StopTheLineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop-the-line",
    abstract: "No register entry is written from now on, in no pulje, neither forward nor back. One person is enough.",
    discussion: "A write that is on the wire already is read back. Everything is still looked at. Two people release the line.")

  @OptionGroup var reason: ReasonOption
  @OptionGroup var execution: BrakeOption
  @OptionGroup var key: KeyOption
  @OptionGroup var person: PersonOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let command = ControlAPI.Command(verb: .stop, by: [self.person.name], why: self.reason.because)
    try await Order.give(
      command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json,
      isBrake: true)
  }
}
