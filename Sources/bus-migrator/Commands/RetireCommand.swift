// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct RetireCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retire",
    abstract: "Say that a party's source queues are empty and no longer needed. Roll-back stays possible until they are deleted.")

  @Option(name: .customLong("her-id"), help: "A party; may be given more than once.") var herIDs: [String] = []
  @Option(name: .customLong("approved-by"), help: "Who approves; once for each person.") var approvedBy: [String] = []
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let command = ControlAPI.Command(
      verb: .retire, pulje: try self.pulje.name(), herIDs: try PuljeArgument.herIDs(self.herIDs), by: self.approvedBy)
    try await Order.give(command, socket: try self.place.socketPath(), json: self.output.json)
  }
}
