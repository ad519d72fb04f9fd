// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel

struct RegistrySyncCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync", abstract: "Read parties from the register into the cache: by default every party the cache knows.",
    discussion: "One party that cannot be read does not stop the others: it is listed, its row stays, and the exit code is 1.")

  @OptionGroup var registry: RegistryPlace
  @OptionGroup var output: JSONOption
  @Option(name: .customLong("her-id"), help: "These parties only; repeat, or separate by commas.") var herIDs: [String] = []
  @Option(help: "The organisations with these HER-IDs and all that stands below them.") var organisation: [String] = []
  @Option(help: "Questions to the register at once.") var concurrency = 16

  func validate() throws {
    if !(1...200).contains(self.concurrency) { throw ValidationError("--concurrency is from 1 to 200") }
  }

  func run() async throws {
    let configuration = try self.registry.configuration()
    let wanted = try PuljeArgument.herIDs(self.herIDs)
    let organisations = try PuljeArgument.herIDs(self.organisation)
    let bar = ProgressBar("reading the register")
    let report = try await RegistryPlace.withCache(configuration, .readWrite) { cache in
      try await RegistryPlace.withRegister(configuration) { register in
        let sync = RegistrySync(cache: cache) { bar.show(done: $0.done, total: $0.total, failed: $0.failed) }
        var whole = SyncReport()
        for organisation in organisations { whole.add(try await sync.organisation(organisation, from: register)) }
        if !wanted.isEmpty || organisations.isEmpty {
          let herIDs = wanted.isEmpty ? try await cache.parties().map(\.record.herID) : wanted
          whole.add(try await sync.parties(herIDs, from: register, concurrency: self.concurrency))
        }
        return whole
      }
    }
    bar.end()
    if self.output.json { try Console.say(json: SyncAnswer(report)) } else { Console.say(Self.text(report)) }
    if !report.isWhole { throw ExitCode(Exit.failed) }
  }

  static func text(_ report: SyncReport) -> String {
    var lines = [
      "\(report.readCount) read: \(report.added.count) new, \(report.changed.count) changed, \(report.confirmed) as they were"
        + (report.keptNewer.isEmpty ? "" : ", \(report.keptNewer.count) with a later reading")
    ]
    for difference in report.changed { lines += DifferenceText.lines(difference) }
    for failure in report.failures {
      let who = failure.herID.map { "HER-ID \($0)" } ?? "party number \(failure.place) of the answer"
      lines.append("not read: \(who): [\(failure.error.stableCode)] \(failure.error.explanation.seen)")
    }
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
  var read: Int
  var added: [HerID]
  var changed: [RecordDifference]
  var confirmed: Int
  var keptNewer: [HerID]
  var failures: [Failure]

  init(_ report: SyncReport) {
    self.read = report.readCount
    self.added = report.added
    self.changed = report.changed
    self.confirmed = report.confirmed
    self.keptNewer = report.keptNewer
    self.failures = report.failures.map {
      Failure(herID: $0.herID, code: $0.error.stableCode, seen: $0.error.explanation.seen)
    }
  }
}

enum DifferenceText {
  static func lines(_ difference: RecordDifference) -> [String] {
    difference.fields.map { "HER-ID \(difference.herID): \($0.name): \($0.before ?? "(none)") -> \($0.after ?? "(none)")" }
  }
}
