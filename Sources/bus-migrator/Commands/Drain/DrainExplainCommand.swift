// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusModel
import Migration
import MigrationEngine
import MigrationStore

struct DrainExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Why a party counts as drained, or why not: evidence, what it proves, whose messages lie there, what to do next.",
    discussion: """
      Worked out from the history alone. Without a daemon the database is read, and the exit code is 4. With --recompute the verdict is worked \
      out from every single event, past all checkpoints, and compared; exit code 6 when it differs.
      """)

  @Argument(help: "The party's HER-ID.") var herID: String
  @Flag(help: "Ask no daemon: work the verdict out from all events in the database.") var recompute = false
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    guard let herID = try PuljeArgument.herIDs([self.herID]).first, !self.herID.contains(",") else {
      throw CommandLineError.argumentWrong(
        name: "the HER-ID", seen: String(self.herID.prefix(40)), wanted: "one HER-ID: digits only")
    }
    let pulje = try self.pulje.name()
    if self.recompute { return try await self.recompute(herID, pulje) }
    do {
      let daemon = try await DaemonReached.at(self.place)
      try self.show(try await daemon.client.explanation(of: herID, pulje), of: daemon.environment)
    } catch let unreachable as CommandLineError {
      guard unreachable.isOfNoDaemon, let path = try? self.place.databasePath() else { throw unreachable }
      let history: LoadedHistory
      // Without a database there is nothing to show; then the daemon's absence is the answer.
      do { history = try await SQLiteEventReader.open(path: path).load() } catch StoreError.absent { throw unreachable }
      try self.show(Self.explanation(history, of: herID, pulje), of: try self.place.environment())
      throw unreachable
    }
  }

  private static func explanation(
    _ history: LoadedHistory, of herID: HerID, _ pulje: PuljeName?
  ) throws(Refusal) -> DrainExplanation {
    try DrainExplanation(
      history.state, of: herID, pulje: pulje, sequence: history.head.sequence, now: SystemMigrationClock().now)
  }

  private func recompute(_ herID: HerID, _ pulje: PuljeName?) async throws {
    let reader = try await SQLiteEventReader.open(path: try self.place.databasePath())
    let folded = try Self.explanation(try await reader.load(), of: herID, pulje)
    let last = folded.sequence
    let all = try await reader.fold(
      DrainVerdict.Recomputation(pulje: folded.verdict.pulje, group: folded.verdict.group)
    ) { recomputation, stored in
      if stored.sequence <= last { recomputation.take(stored.event, at: stored.at) }
    }
    let verdict = all.verdict(now: folded.now)
    try self.show(folded, of: try self.place.environment())
    guard verdict == folded.verdict else {
      Console.complain("worked out from every event the verdict is another: \(verdict?.result.rawValue ?? "there is none")")
      throw ExitCode(Exit.differs)
    }
    if !self.output.json { Console.say("\nthe same comes out of all \(all.events) events, one by one") }
  }

  private func show(_ explanation: DrainExplanation, of environment: String?) throws {
    if self.output.json { return try Console.say(json: explanation, of: environment) }
    Console.say(DrainExplanationText.text(explanation), of: environment)
  }
}
