// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Migration

struct StartCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Have the daemon plan, seal and start a pulje.",
    discussion: "A step forward needs as many different people as the pulje's policy says, by default two.")

  @Argument(help: "The pulje file.") var file: String
  @Option(name: .customLong("approved-by"), help: "Who approves; once for each person.") var approvedBy: [String] = []
  @Option(name: .customLong("plan-hash"), help: "The hash of the plan that was approved; another plan is then refused.")
  var planHash: String?
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let request = try PuljeFile.read(self.file)
    let command = ControlAPI.Command(
      verb: .start, pulje: request.name, by: self.approvedBy, planHash: self.planHash, request: request)
    try await Order.give(command, socket: try self.place.socketPath(), json: self.output.json)
  }
}
