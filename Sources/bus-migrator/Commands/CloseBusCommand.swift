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
      --check only looks.
      """)

  @Argument(help: "The bus, by its name in the configuration.") var bus: String
  @Option(name: .customLong("approved-by"), help: "Who approves; once for each person.") var approvedBy: [String] = []
  @Flag(help: "Look, say what keeps it open, and change nothing.") var check = false
  @Option(help: "Why; it stands in the audit. Not asked for with --check.") var because: String?
  @OptionGroup var key: KeyOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let command = ControlAPI.Command(
      verb: self.check ? .checkBus : .closeBus, bus: BusName(self.bus), by: self.approvedBy,
      why: self.because ?? "")
    let answer = try await ControlClient(socket: try self.place.socketPath()).carryOut(
      command, key: self.key.idempotencyKey)
    if self.output.json { return try Console.say(json: answer) }
    if let closing = answer.closing { Console.say(closing.text) }
    for obstacle in answer.obstacles ?? [] { Console.say("keeps it open: \(obstacle)") }
    if !self.check { Console.say(Order.words(.closeBus, answer)) }
  }

  func validate() throws {
    if !self.check, (self.because ?? "").allSatisfy(\.isWhitespace) {
      throw ValidationError("--because asks for a reason; --check needs none")
    }
  }
}
