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
      """)

  @OptionGroup var registry: RegistryPlace
  @OptionGroup var output: JSONOption
  @Option(name: .customLong("her-id"), help: "These parties only; repeat, or separate by commas.") var herIDs: [String] = []
  @Option(help: "Questions to the register at once.") var concurrency = 16

  func validate() throws {
    if !(1...200).contains(self.concurrency) { throw ValidationError("--concurrency is from 1 to 200") }
  }

  func run() async throws {
    let configuration = try self.registry.configuration()
    let wanted = Set(try PuljeArgument.herIDs(self.herIDs))
    let written = try await Self.written(configuration)
    let bar = ProgressBar("comparing")
    let comparison = try await RegistryPlace.withCache(configuration, .readOnly) { cache in
      let entries = try await cache.parties().filter { wanted.isEmpty || wanted.contains($0.record.herID) }
      return try await RegistryPlace.withRegister(configuration) { register in
        try await RegistryComparison(register: register, concurrency: self.concurrency) {
          bar.show(done: $0.done, total: $0.total, failed: $0.failed)
        }.compare(entries, written: written)
      }
    }
    bar.end()
    if self.output.json { try Console.say(json: DiffAnswer(comparison)) } else { Console.say(Self.text(comparison)) }
    if !comparison.failures.isEmpty { throw ExitCode(Exit.failed) }
    if !comparison.isAgreed { throw ExitCode(Exit.differs) }
  }

  /// What puljer have written, the last pulje of a party counting; nothing where there is no history.
  private static func written(_ configuration: MigratorConfiguration) async throws -> [HerID: RegistryComparison.Written] {
    let state: MigrationState
    do { state = try await SQLiteEventReader.open(path: configuration.database).load().state } catch StoreError.absent {
      return [:]
    }
    var written: [HerID: RegistryComparison.Written] = [:]
    for pulje in state.ordered {
      for group in pulje.ordered {
        for member in group.members where member.intents > 0 {
          written[member.herID] = .init(before: member.plan.before, after: member.plan.after)
        }
      }
    }
    return written
  }

  static func text(_ comparison: RegistryComparison.Result) -> String {
    var lines = [
      "\(comparison.compared) compared: \(comparison.silent.count) differ silently, \(comparison.foreign.count) changed by others, "
        + "\(comparison.gone.count) gone"
    ]
    for difference in comparison.silent { lines += DifferenceText.lines(difference) }
    for difference in comparison.foreign { lines += DifferenceText.lines(difference).map { "foreign change: " + $0 } }
    for herID in comparison.gone { lines.append("HER-ID \(herID): the register knows it no more") }
    for failure in comparison.failures {
      lines.append(
        "not compared: HER-ID \(failure.herID?.description ?? "?"): [\(failure.error.stableCode)] \(failure.error.explanation.seen)"
      )
    }
    return lines.joined(separator: "\n")
  }
}

/// What `registry diff --json` says.
struct DiffAnswer: Codable {
  var schema = "bus-migrator/registry-diff/1"
  var compared: Int
  var silent: [RecordDifference]
  var foreign: [RecordDifference]
  var gone: [HerID]
  var failures: [SyncAnswer.Failure]

  init(_ comparison: RegistryComparison.Result) {
    self.compared = comparison.compared
    self.silent = comparison.silent
    self.foreign = comparison.foreign
    self.gone = comparison.gone
    self.failures = comparison.failures.map {
      .init(herID: $0.herID, code: $0.error.stableCode, seen: $0.error.explanation.seen)
    }
  }
}
