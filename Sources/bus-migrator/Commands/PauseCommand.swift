// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct PauseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Make no further step forward. What is open is still read back; going back stays allowed.")

  @OptionGroup var reason: ReasonOption
  @OptionGroup var execution: BrakeOption
  @OptionGroup var key: KeyOption
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var person: PersonOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let command = ControlAPI.Command(verb: .pause, pulje: try self.pulje.name(), by: [self.person.name], why: self.reason.because)
    try await Order.give(
      command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json,
      isBrake: true)
  }
}
