// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct PauseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Make no further step forward. What is open is still read back; going back stays allowed.")

  @Option(help: "Why.") var because: String = ""
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var person: PersonOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let command = ControlAPI.Command(verb: .pause, pulje: try self.pulje.name(), by: [self.person.name], why: self.because)
    try await Order.give(command, socket: try self.place.socketPath(), json: self.output.json)
  }
}
