// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel
import Migration
import MigrationEngine
import MigrationStore

struct RegistryDiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare the cache with the register, party by party, and what puljer have written with what is there now.",
    discussion: """
      Changes nothing, not even the cache. Silent differences: the register says something else than the cache, and nobody told. \
      Foreign changes: an entry that a pulje has written is neither what was written nor what it was before.

      The daemon does the same every night; --last shows what it found.
      """)

  @OptionGroup var registry: RegistryPlace
  @OptionGroup var output: JSONOption
  @Option(name: .customLong("her-id"), help: "These parties only; repeat, or separate by commas.") var herIDs: [String] = []
  @Option(help: "Questions to the register at once.") var concurrency = 16
  @Flag(help: "Ask nobody: show what the daemon's last nightly compare found.") var last = false

  func validate() throws {
    if self.last, !self.herIDs.isEmpty { throw ValidationError("--last shows the whole compare; --her-id does not go with it") }
    if !(1...200).contains(self.concurrency) { throw ValidationError("--concurrency is from 1 to 200") }
  }

  func run() async throws {
    let configuration = try self.registry.configuration()
    let report = self.last ? try await Self.lastReport(configuration) : try await self.compare(configuration)
    if self.output.json {
      try Console.say(json: DiffAnswer(report), of: configuration.environment.text)
    } else {
      Console.say(self.text(report), of: configuration.environment.text)
    }
    if report.failureCount > 0 { throw ExitCode(Exit.failed) }
    if !report.isAgreed { throw ExitCode(Exit.differs) }
  }

  private static func lastReport(_ configuration: MigratorConfiguration) async throws -> ComparisonReport {
    let report = try await RegistryPlace.withCache(configuration, .readOnly) { try await $0.lastComparison() }
    guard let report else {
      throw CommandLineError.argumentWrong(
        name: "--last", seen: "no compare has been kept in this cache",
        wanted: "a daemon that has run through a night with nightly-compare on")
    }
    return report
  }

  private func compare(_ configuration: MigratorConfiguration) async throws -> ComparisonReport {
    let wanted = Set(try PuljeArgument.herIDs(self.herIDs))
    let written = try await Self.written(configuration)
    let bar = ProgressBar("comparing")
    defer { bar.end() }
    let begun = SystemRegistryClock().now
    let comparison = try await RegistryPlace.withCache(configuration, .readOnly) { cache in
      let entries = try await cache.parties().filter { wanted.isEmpty || wanted.contains($0.record.herID) }
      try RegistryPlace.checkKnown(wanted, entries.map(\.record.herID))
      return try await RegistryPlace.withRegister(configuration) { register in
        try await RegistryComparison(register: PatientRegister(register), concurrency: self.concurrency) {
          bar.show(done: $0.done, total: $0.total, failed: $0.failed)
        }.compare(entries, written: written)
      }
    }
    bar.end()
    return ComparisonReport(comparison, begunAt: begun, endedAt: SystemRegistryClock().now)
  }

  /// What puljer have written, the last pulje of a party counting; nothing where there is no history.
  private static func written(_ configuration: MigratorConfiguration) async throws -> [HerID: RegistryComparison.Written] {
    do { return try await SQLiteEventReader.open(path: configuration.database).load().state.written } catch StoreError.absent {
      return [:]
    }
  }

  private func text(_ report: ComparisonReport) -> String {
    let age = AgeText.text(SystemRegistryClock().now.since(report.endedAt))
    return (self.last ? "the last whole compare ended \(age) ago\n" : "") + Self.text(report)
  }

  static func text(_ report: ComparisonReport) -> String {
    var lines = [
      "\(report.compared) compared: \(report.silentCount) differ silently, \(report.foreignCount) changed by others, "
        + "\(report.goneCount) gone"
    ]
    for difference in report.silent { lines += DifferenceText.lines(difference) }
    for difference in report.foreign { lines += DifferenceText.lines(difference).map { "foreign change: " + $0 } }
    for herID in report.gone { lines.append("HER-ID \(herID): the register knows it no more") }
    for failure in report.failures {
      lines.append("not compared: HER-ID \(failure.herID?.description ?? "?"): [\(failure.code)] \(failure.seen)")
    }
    let unshown =
      report.silentCount + report.foreignCount + report.goneCount + report.failureCount - report.silent.count
      - report.foreign.count
      - report.gone.count - report.failures.count
    if unshown > 0 { lines.append("and \(unshown) more") }
    return lines.joined(separator: "\n")
  }
}

/// What `registry diff --json` says. The lists hold 2,000 each at most, the counts all.
struct DiffAnswer: Codable {
  var schema = "bus-migrator/registry-diff/2"
  /// Milliseconds since 1970.
  var begunAt: RegistryInstant
  var endedAt: RegistryInstant
  var compared: Int
  var silentCount: Int
  var foreignCount: Int
  var goneCount: Int
  var failureCount: Int
  var silent: [RecordDifference]
  var foreign: [RecordDifference]
  var gone: [HerID]
  var failures: [ComparisonReport.Failure]

  init(_ report: ComparisonReport) {
    (self.begunAt, self.endedAt) = (report.begunAt, report.endedAt)
    self.compared = report.compared
    (self.silentCount, self.foreignCount) = (report.silentCount, report.foreignCount)
    (self.goneCount, self.failureCount) = (report.goneCount, report.failureCount)
    (self.silent, self.foreign, self.gone, self.failures) = (report.silent, report.foreign, report.gone, report.failures)
  }
}
