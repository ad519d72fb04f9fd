// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Migration

struct SignTestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign-test",
    abstract: "Sign what came of a test of a party's protocol; what is missing stands in the status.",
    discussion: """
      Items are own-ping, central-service/NAME, value-chain and vendor-confirms, as the pulje's test protocol has them. No party is \
      moved before all of its items are signed. The last word counts: --failed takes an earlier signature away.
      """)

  @Option(name: .customLong("her-id"), help: "A party; may be given more than once.") var herIDs: [String] = []
  @Option(help: "The item, such as own-ping.") var item: String
  @Option(help: "What was seen: with which partner, which message.") var seen: String
  @Flag(help: "It did not pass.") var failed = false
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var key: KeyOption
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var person: PersonOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    var command = ControlAPI.Command(
      verb: .signTest, pulje: try self.pulje.name(), herIDs: try PuljeArgument.herIDs(self.herIDs), by: [self.person.name],
      why: self.seen)
    command.test = ControlAPI.Command.Test(item: TestItem(text: self.item), passed: !self.failed)
    try await Order.give(command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json)
  }
}
