// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Migration

struct StartCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Have the daemon plan, seal and start a pulje.",
    discussion: "A step forward needs as many different people as the pulje's policy says, by default two.")

  @OptionGroup var source: PuljeSourceOptions
  @Option(name: .customLong("approved-by"), help: "Who approves; once for each person.") var approvedBy: [String] = []
  @Option(name: .customLong("plan-hash"), help: "The hash of the plan that was approved; another plan is then refused.")
  var planHash: String?
  @Option(
    name: .customLong("plan"),
    help: "The file that plan --json wrote and that was approved; another plan is then refused, with what has changed.")
  var plan: String?
  @OptionGroup var reason: ReasonOption
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var key: KeyOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let request = try self.source.request()
    var command = ControlAPI.Command(
      verb: .start, pulje: request.name, by: self.approvedBy, why: self.reason.because, planHash: self.planHash,
      request: request)
    command.approvedPlan = try self.plan.map { try Self.approved($0, name: "--plan") }
    try await Order.give(command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json)
  }

  /// A plan as `plan --json` wrote it, unchanged.
  static func approved(_ path: String, name: String) throws -> Plan {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandLineError.fileUnreadable(path: path, seen: "it cannot be read")
    }
    guard let answer = try? JSONDecoder().decode(PlanAnswer.self, from: data), answer.hash == answer.plan.hash else {
      throw CommandLineError.argumentWrong(
        name: name, seen: "\(data.count) bytes that are no plan, or one that was changed", wanted: "what plan --json printed")
    }
    return answer.plan
  }
}
