// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusModel
import Migration
import MigrationEngine

struct DrainExceptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "except",
    abstract:
      "Answer for what one sender leaves on a party's queues, or for one queue, until a time: signed, named, with an end.",
    discussion: """
      What is answered for does not keep the group from counting as drained, stands in every report, and counts again when the time is \
      over. An exception for a queue answers for what lies there now and ends when more does. A sender can be named only where the bus shows whose message lies there; elsewhere name the queue.
      """)

  @Option(name: .customLong("her-id"), help: "The party whose queues are meant; may be given more than once.") var herIDs:
    [String] = []
  @Option(help: "The sender that is answered for, by its HER-ID.") var sender: String?
  @Option(help: "The queue that is answered for, by its address: host/path/name.") var queue: String?
  @OptionGroup var reason: ReasonOption
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var key: KeyOption
  @Option(name: .customLong("for"), help: "How long it runs: 30d, 12h.") var span: String
  @Option(name: .customLong("approved-by"), help: "Who answers for it; once for each person.") var approvedBy: [String] = []
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    guard let span = TimeSpan(text: self.span), span.milliseconds > 0 else {
      throw CommandLineError.argumentWrong(name: "--for", seen: self.span, wanted: "a whole number and a unit: 30d, 12h")
    }
    var command = ControlAPI.Command(
      verb: .except, pulje: try self.pulje.name(), herIDs: try PuljeArgument.herIDs(self.herIDs), by: self.approvedBy,
      why: self.reason.because, lasts: span)
    command.exception = DrainException(
      by: self.approvedBy, what: try self.what(), why: self.reason.because, until: SystemMigrationClock().now + span)
    try await Order.give(command, self.execution.isDone, key: self.key, at: self.place, json: self.output.json)
  }

  private func what() throws -> DrainException.What {
    if let sender {
      guard let herID = try PuljeArgument.herIDs([sender]).first, !sender.contains(",") else {
        throw CommandLineError.argumentWrong(name: "--sender", seen: sender, wanted: "one HER-ID")
      }
      return .sender(herID)
    }
    let text = self.queue ?? ""
    guard let address = try? QueueAddress(text: text) else {
      throw CommandLineError.argumentWrong(name: "--queue", seen: String(text.prefix(100)), wanted: "host/path/name")
    }
    return .queue(address)
  }

  func validate() throws {
    if (self.sender == nil) == (self.queue == nil) { throw ValidationError("name either --sender or --queue") }
  }
}
