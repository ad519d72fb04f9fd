// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusModel
import Foundation
import Migration
import MigrationEngine
import MigrationStore

struct DrainStatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show every group that leaves a bus, worst first: what is left, its course, and when it may be empty.",
    discussion: "Without a daemon the database is read instead, and the exit code is 4.")

  @Option(name: .customLong("her-id"), help: "Only groups with this party; may be given more than once.") var herIDs: [String] =
    []
  @Flag(help: "Follow it, as drain watch does.") var watch = false
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let look = DrainLook(
      herIDs: try PuljeArgument.herIDs(self.herIDs), pulje: try self.pulje.name(), place: self.place, json: self.output.json)
    if self.watch { try await look.follow(untilDrained: false) } else { try await look.once() }
  }
}

struct DrainWatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Follow the drain: the daemon says when something has happened, nothing is asked again and again.",
    discussion:
      "On a terminal the table is drawn anew; elsewhere each change is a table, or with --json an object on a line of its own.")

  @Option(name: .customLong("her-id"), help: "Only groups with this party; may be given more than once.") var herIDs: [String] =
    []
  @Flag(help: "End when every group that is shown counts as drained.") var untilDrained = false
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let look = DrainLook(
      herIDs: try PuljeArgument.herIDs(self.herIDs), pulje: try self.pulje.name(), place: self.place, json: self.output.json)
    try await look.follow(untilDrained: self.untilDrained)
  }
}

/// Asks for the drain's status and shows it.
struct DrainLook {
  let herIDs: [HerID]
  let pulje: PuljeName?
  let place: PlaceOptions
  let json: Bool

  /// The daemon keeps a question so long when nothing happens.
  private static let patience = TimeSpan.seconds(25)
  /// However much happens, a screen is not drawn more often.
  private static let breath = Duration.seconds(1)

  func once() async throws {
    do {
      let daemon = try await DaemonReached.at(self.place)
      try self.show(try await daemon.client.drain(of: self.pulje, herIDs: self.herIDs), of: daemon.environment)
    } catch let unreachable as CommandLineError {
      guard unreachable.isOfNoDaemon, let path = try? self.place.databasePath() else { throw unreachable }
      let history: LoadedHistory
      // Without a database there is nothing to show; then the daemon's absence is the answer.
      do { history = try await SQLiteEventReader.open(path: path).load() } catch StoreError.absent { throw unreachable }
      let status = MigrationStatus(
        history.state, head: history.head, now: SystemMigrationClock().now, daemon: nil, pulje: self.pulje)
      try self.show(DrainStatus(status, herIDs: self.herIDs.isEmpty ? nil : Set(self.herIDs)), of: try self.place.environment())
      throw unreachable
    }
  }

  func follow(untilDrained: Bool) async throws {
    let daemon = try await DaemonReached.at(self.place)
    let isTerminal = isatty(1) == 1 && !self.json
    var after: Int64?
    while true {
      let status = try await daemon.client.drain(
        of: self.pulje, herIDs: self.herIDs, after: after, patience: Self.patience)
      if isTerminal {
        Console.say("\u{1B}[H\u{1B}[J" + Banner.line(daemon.environment) + "\n" + DrainStatusText.text(status))
      } else if after != status.sequence {
        if self.json {
          try Console.say(line: OfEnvironment(answer: status, environment: daemon.environment))
        } else {
          try self.show(status, of: daemon.environment)
        }
      }
      if untilDrained, !status.rows.isEmpty, status.isDrained { return }
      after = status.sequence
      try await Task.sleep(for: Self.breath)
    }
  }

  private func show(_ status: DrainStatus, of environment: String?) throws {
    if self.json { return try Console.say(json: status, of: environment) }
    Console.say(DrainStatusText.text(status), of: environment)
  }
}
