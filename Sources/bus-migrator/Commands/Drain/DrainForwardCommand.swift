// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusModel
import Migration
import MigrationEngine

struct DrainForwardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forward",
    abstract: "Carry what strands to the party's queue on the other bus. Without --approved-by it only counts and shows.",
    discussion: """
      An approval, --resume, --stop and --retry-set-aside are dry runs without --execute; --pause acts at once, for it only holds \
      (--pause --dry-run only says what it would come to). --check looks at the messages that would be carried. \
      The pulje's policy must say leftovers: forward. As many different people approve as the policy asks for, by default two; pausing and \
      stopping needs one. Synchronous messages are left to expire. The order stands until it is stopped or the party is drained and \
      decided on.
      """)

  @Option(name: .customLong("her-id"), help: "A party; may be given more than once.") var herIDs: [String] = []
  @Option(name: .customLong("approved-by"), help: "Who approves; once for each person.") var approvedBy: [String] = []
  @Option(help: "strict: one message on its way. fast: a window; any answer but accepted stops the queue.") var mode:
    ForwardingOrder.Mode = .strict
  @Option(help: "Messages on their way with --mode fast.") var window: Int?
  @Option(help: "Messages a second at most.") var rate: Int?
  @Option(
    name: .customLong("unknown-age"), help: "A message with a time to live of which nobody knows how old it is: aside, or whole.")
  var unknownAge: ForwardingOrder.UnknownAge = .aside
  @Option(help: "own: our forwarder. shovel: RabbitMQ's shovels, from RabbitMQ 3 to RabbitMQ 4 only; they journal nothing.")
  var carrier: ForwardingOrder.Carrier = .own
  @Flag(help: "Carry dead letters as well.") var deadLetters = false
  @Option(
    name: .customLong("delivery-limit"),
    help: "How often the bus hands a message out before it gives it up, where its queues are set otherwise than usual.")
  var deliveryLimit: Int?
  @Flag(
    help: "Look now, take nothing: how many would be carried and what would be set aside, as far as the bus shows its messages.")
  var check = false
  @Flag(help: "Carry nothing more until it is resumed.") var pause = false
  @Flag(help: "Go on; a queue that had stopped by itself is tried again.") var resume = false
  @Flag(help: "End the order.") var stop = false
  @Flag(help: "List the messages that may have arrived twice.") var duplicates = false
  @Flag(help: "Try once more what was set aside.") var retrySetAside = false
  @Option(help: "Why; it stands in the audit. Asked for with all that changes something.") var because: String?
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var brake: BrakeOption
  @OptionGroup var key: KeyOption
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var person: PersonOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let herIDs = try PuljeArgument.herIDs(self.herIDs)
    if self.check {
      let daemon = try await DaemonReached.at(self.place)
      let trial = try await daemon.client.forwardingTrial(of: try self.pulje.name(), herIDs: herIDs, order: self.order)
      if self.output.json { return try Console.say(json: trial, of: daemon.environment) }
      return Console.say(ForwardingTrialText.text(trial), of: daemon.environment)
    }
    guard let verb = self.verb else {
      let daemon = try await DaemonReached.at(self.place)
      let view = try await daemon.client.forwarding(of: try self.pulje.name(), herIDs: herIDs)
      if self.output.json { return try Console.say(json: view, of: daemon.environment) }
      return Console.say(
        self.duplicates ? ForwardingViewText.duplicates(view) : ForwardingViewText.text(view), of: daemon.environment)
    }
    var command = ControlAPI.Command(
      verb: verb, pulje: try self.pulje.name(), herIDs: herIDs,
      by: verb == .approveForwarding ? self.approvedBy : [self.person.name], why: self.because ?? "")
    if verb == .approveForwarding { command.order = self.order }
    let isBrake = verb == .pauseForwarding
    try await Order.give(
      command, isBrake ? self.brake.isDone : self.execution.isDone, key: self.key, at: self.place, json: self.output.json,
      isBrake: isBrake)
  }

  private var verb: ControlAPI.Command.Verb? {
    if self.pause { return .pauseForwarding }
    if self.resume { return .resumeForwarding }
    if self.stop { return .endForwarding }
    if self.retrySetAside { return .retrySetAside }
    return self.approvedBy.isEmpty ? nil : .approveForwarding
  }

  private var order: ForwardingOrder {
    var order = ForwardingOrder(approvals: self.approvedBy)
    order.mode = self.mode
    if let window { order.window = window }
    order.ratePerSecond = self.rate
    order.unknownAge = self.unknownAge
    order.carrier = self.carrier
    order.deliveryLimit = self.deliveryLimit
    if self.deadLetters { order.queues.append(.deadLetter) }
    return order
  }

  func validate() throws {
    if self.verb != nil, (self.because ?? "").allSatisfy(\.isWhitespace) {
      throw ValidationError("--because asks for a reason: something is changed")
    }
    if self.execution.execute, self.verb == nil {
      throw ValidationError("--execute: there is nothing to do; say what by --approved-by, --resume, --stop or --retry-set-aside")
    }
    if self.brake.dryRun, !self.pause {
      throw ValidationError(
        "--dry-run goes with --pause, which acts at once; all else is a dry run without --execute. --check looks at the messages")
    }
    if self.check, self.herIDs.isEmpty { throw ValidationError("--check asks for --her-id") }
    if self.carrier == .shovel, self.deliveryLimit != nil {
      throw ValidationError("a shovel heeds no delivery limit: leave --delivery-limit out, or have our own forwarder carry")
    }
    let verbs = [self.check, self.pause, self.resume, self.stop, self.duplicates, self.retrySetAside, !self.approvedBy.isEmpty]
      .count { $0 }
    if verbs > 1 {
      throw ValidationError(
        "only one of --check, --approved-by, --pause, --resume, --stop, --duplicates and --retry-set-aside at a time")
    }
    if self.carrier == .shovel, self.rate != nil {
      throw ValidationError("a shovel has no rate: leave --rate out, or have our own forwarder carry (--carrier own)")
    }
    if self.window != nil, self.mode == .strict { throw ValidationError("--window goes with --mode fast") }
  }
}

extension ForwardingOrder.Mode: ExpressibleByArgument {}
extension ForwardingOrder.UnknownAge: ExpressibleByArgument {}
extension ForwardingOrder.Carrier: ExpressibleByArgument {}
