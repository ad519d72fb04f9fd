// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct AcceptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept", abstract: "Decide for the move when the watch is over. Roll-back stays possible.")

  @Option(name: .customLong("approved-by"), help: "Who approves; once for each person.") var approvedBy: [String] = []
  @OptionGroup var reason: ReasonOption
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var key: KeyOption
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let command = ControlAPI.Command(verb: .accept, pulje: try self.pulje.name(), by: self.approvedBy, why: self.reason.because)
    try await Order.give(command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json)
  }
}
