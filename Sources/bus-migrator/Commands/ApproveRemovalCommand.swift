// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ApproveRemovalCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve-removal",
    abstract: "Approve that a retired party's source queues are deleted: the end of the way back.")

  @Option(name: .customLong("her-id"), help: "A party; may be given more than once.") var herIDs: [String] = []
  @Option(name: .customLong("approved-by"), help: "Who approves; once for each person.") var approvedBy: [String] = []
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let command = ControlAPI.Command(
      verb: .approveRemoval, pulje: try self.pulje.name(), herIDs: try PuljeArgument.herIDs(self.herIDs), by: self.approvedBy)
    try await Order.give(command, socket: try self.place.socketPath(), json: self.output.json)
  }
}
