// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel

struct RegistrySyncCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync", abstract: "Read parties from the register into the cache: by default every party the cache knows.",
    discussion: """
      One party that cannot be read does not stop the others: it is listed, its row stays, and the exit code is 1. A register that \
      refuses the login, or does not answer many times in a row, is not asked about the rest. --export and \
      --events ask the register's REST interface (register.rest in the configuration) and not its SOAP interface. An export is \
      taken in when it has come whole, and tells from where events go on; after events that were missed only an export is sure to \
      be complete, and the exit code is 6. Without --execute the register is read all the same, and the cache is left as it is.
      """)

  @OptionGroup var execution: ExecuteOption
  @OptionGroup var registry: RegistryPlace
  @OptionGroup var output: JSONOption
  @Option(name: .customLong("her-id"), help: "These parties only; repeat, or separate by commas.") var herIDs: [String] = []
  @Option(help: "The organisations with these HER-IDs and all that stands below them.") var organisation: [String] = []
  @Option(help: "Questions to the register at once.") var concurrency = 16
  @Flag(help: "The whole register, in one answer.") var export = false
  @Flag(help: "What has changed since the last --export or --events.") var events = false

  func validate() throws {
    let ways = [self.export, self.events, !self.herIDs.isEmpty || !self.organisation.isEmpty]
    if ways.count(where: \.self) > 1 { throw ValidationError("--export, --events and single parties do not go together") }
    if !(1...200).contains(self.concurrency) { throw ValidationError("--concurrency is from 1 to 200") }
  }

  func run() async throws {
    let configuration = try self.registry.configuration()
    let bar = ProgressBar("reading the register")
    defer { bar.end() }
    let outcome = try await RegistryPlace.withCache(configuration, isDone: self.execution.isDone) { cache in
      let sync = RegistrySync(cache: cache) { bar.show(done: $0.done, total: $0.total, failed: $0.failed) }
      return try await self.read(cache, sync, configuration)
    }
    bar.end()
    let (report, isSure) = (outcome.report, outcome.isSure)
    var answer = SyncAnswer(report, executed: self.execution.isDone)
    answer.isSureToBeComplete = isSure
    answer.givenUp = outcome.givenUp?.stableCode
    if self.output.json {
      try Console.say(json: answer, of: configuration.environment.text)
    } else {
      Console.say(Self.text(report, givenUp: outcome.givenUp), of: configuration.environment.text)
    }
    if !self.execution.isDone, !self.output.json { Console.say(PreviewText.ending) }
    if !report.isWhole { throw ExitCode(Exit.failed) }
    guard isSure == false else { return }
    if !self.output.json { Console.say("there may have been more: only registry sync --export is sure to be complete now") }
    throw ExitCode(Exit.differs)
  }

  private struct Outcome {
    var report: SyncReport
    /// For events: whether none was missed.
    var isSure: Bool?
    var givenUp: AddressRegistryError?
  }

  private func read(
    _ cache: AddressCache, _ sync: RegistrySync, _ configuration: MigratorConfiguration
  ) async throws -> Outcome {
    if self.export {
      return Outcome(report: try await RegistryPlace.withParties(configuration) { try await sync.export(from: $0) })
    }
    if self.events {
      return try await RegistryPlace.withParties(configuration) { api in
        let (report, isSure) = try await sync.events(from: api, reader: api)
        return Outcome(report: report, isSure: isSure)
      }
    }
    let wanted = try PuljeArgument.herIDs(self.herIDs)
    let organisations = try PuljeArgument.herIDs(self.organisation)
    return try await RegistryPlace.withRegister(configuration) { register in
      var whole = SyncReport()
      for organisation in organisations { whole.add(try await sync.organisation(organisation, from: register)) }
      if !wanted.isEmpty || organisations.isEmpty {
        let herIDs = wanted.isEmpty ? try await cache.parties().map(\.record.herID) : wanted
        if herIDs.isEmpty {
          throw CommandLineError.argumentWrong(
            name: "the parties to read", seen: "none: nothing is in the cache yet",
            wanted: "--her-id, --organisation, or --export for the whole register")
        }
        let patient = PatientRegister(register)
        whole.add(try await sync.parties(herIDs, from: patient, concurrency: self.concurrency))
        return Outcome(report: whole, givenUp: patient.givenUp)
      }
      return Outcome(report: whole)
    }
  }

  static func text(_ report: SyncReport, givenUp: AddressRegistryError? = nil) -> String {
    var lines = [
      "\(report.readCount) read: \(report.added.count) new, \(report.changed.count) changed, \(report.confirmed) as they were"
        + (report.keptNewer.isEmpty ? "" : ", \(report.keptNewer.count) with a later reading")
    ]
    if let givenUp { lines.append("the register was given up, and not asked about the rest: \(givenUp)") }
    lines += LongList.lines(report.mended.map { "HER-ID \($0): its row was damaged, and is read anew" })
    lines += LongList.lines(report.changed.flatMap { DifferenceText.lines($0) })
    lines += LongList.lines(report.missing.map { "HER-ID \($0): in the cache, and not in the register's export" })
    lines += LongList.lines(
      report.failures.map { failure in
        let who = failure.herID.map { "HER-ID \($0)" } ?? "party number \(failure.place) of the answer"
        return "not read: \(who): [\(failure.error.stableCode)] \(failure.error.explanation.seen)"
      })
    return lines.joined(separator: "\n")
  }
}

/// What `registry sync --json` says.
struct SyncAnswer: Codable {
  struct Failure: Codable {
    var herID: HerID?
    var code: String
    var seen: String
  }

  var schema = "bus-migrator/registry-sync/1"
  /// False: it was only said what would become of the cache.
  var executed: Bool
  var read: Int
  var added: [HerID]
  var changed: [RecordDifference]
  /// Parties whose row was damaged.
  var mended: [HerID]
  var confirmed: Int
  var keptNewer: [HerID]
  var failures: [Failure]
  /// In the cache, but not in an export that came whole.
  var missing: [HerID]
  /// The code of what made the register be given up: parties after that were not asked about. Nil when it was not.
  var givenUp: String?
  /// For events: whether none was missed, so that the cache is as the register; nil for other ways.
  var isSureToBeComplete: Bool?

  init(_ report: SyncReport, executed: Bool) {
    self.executed = executed
    self.read = report.readCount
    self.added = report.added
    self.changed = report.changed
    self.mended = report.mended
    self.confirmed = report.confirmed
    self.keptNewer = report.keptNewer
    self.missing = report.missing
    self.failures = report.failures.map {
      Failure(herID: $0.herID, code: $0.error.stableCode, seen: $0.error.explanation.seen)
    }
  }
}

/// Lists for people end somewhere; JSON has all.
enum LongList {
  static let most = 50

  static func lines(_ lines: [String]) -> [String] {
    guard lines.count > Self.most else { return lines }
    return lines.prefix(Self.most) + ["and \(lines.count - Self.most) more of these (--json has all)"]
  }
}

enum DifferenceText {
  static func lines(_ difference: RecordDifference) -> [String] {
    difference.fields.map { "HER-ID \(difference.herID): \($0.name): \($0.before ?? "(none)") -> \($0.after ?? "(none)")" }
  }
}
