// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusModel
import Migration

struct CloseBusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close-bus",
    abstract: "Close a whole bus for good: nobody on it, nobody connected, no message left, signed by two.",
    discussion: """
      Writes nothing to bus or register: it records that the bus may be switched off, with what was seen, and from then on no pulje \
      moves parties to or from it. Every move away from it must be ended before (approve-removal): there is no way back afterwards. \
      --check only looks. Without --execute the bus is looked at, and the approvals with it, and nothing is changed.
      """)

  @Argument(help: "The bus, by its name in the configuration.") var bus: String
  @Option(name: .customLong("approved-by"), help: "Who approves; once for each person.") var approvedBy: [String] = []
  @Flag(help: "Look, say what keeps it open, and change nothing.") var check = false
  @Option(help: "Why; it stands in the audit. Not asked for with --check.") var because: String?
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var key: KeyOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    var command = ControlAPI.Command(
      verb: self.check ? .checkBus : .closeBus, bus: BusName(self.bus), by: self.approvedBy,
      why: self.because ?? "")
    if !self.check, !self.execution.isDone { command.preview = true }
    let daemon = try await DaemonReached.at(self.place)
    let answer = try await daemon.client.carryOut(command, key: self.key.idempotencyKey)
    if self.output.json { return try Console.say(json: answer, of: daemon.environment) }
    Console.say(Banner.line(daemon.environment))
    if let closing = answer.closing { Console.say(closing.text) }
    for obstacle in answer.obstacles ?? [] { Console.say("keeps it open: \(obstacle)") }
    guard !self.check else { return }
    guard self.execution.isDone else {
      return Console.say(PreviewText.text(command.verb.rawValue, answer, ending: PreviewText.ending))
    }
    Console.say(Order.words(.closeBus, answer))
  }

  func validate() throws {
    if !self.check, (self.because ?? "").allSatisfy(\.isWhitespace) {
      throw ValidationError("--because asks for a reason; --check needs none")
    }
    if self.check, self.execution.execute { throw ValidationError("--check only looks: --execute does not go with it") }
  }
}
