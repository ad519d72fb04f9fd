// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ReleaseTheLineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release-the-line", abstract: "Let the stopped line run again. Two different people.")

  @Option(name: .customLong("approved-by"), help: "Who approves; once for each person.") var approvedBy: [String] = []
  @OptionGroup var reason: ReasonOption
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var key: KeyOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let command = ControlAPI.Command(verb: .release, by: self.approvedBy, why: self.reason.because)
    try await Order.give(command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json)
  }
}
