// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import MigrationStore

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "The audit trail.", subcommands: [AuditVerifyCommand.self])
}

struct AuditVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check that the history is whole: every row, its place in the chain, and that it makes sense.")

  @Option(name: .customLong("expect-head"), help: "A chain head that was kept outside, such as an old report's.")
  var expected: String?
  @Option(
    name: .customLong("head"),
    help: "A file of chain heads that the daemon wrote outside (audit-heads), or a copy of it: the history must go through each.")
  var heads: String?
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    var kept = HeadLine.Kept()
    if let file = self.heads { kept = try await HeadLine.kept(inFile: file) }
    let heads = kept.heads
    let audit = try await SQLiteEventReader.open(path: try self.place.databasePath()).verify(
      expecting: self.expected, heads: heads, headsEvery: try self.place.headInterval() ?? .hours(1))
    let environment = try self.place.environment()
    if self.output.json { return try Console.say(json: AuditAnswer(audit, headsCutOff: kept.cutOff.count), of: environment) }
    Console.say("the history is whole: \(audit.events) events, head \(audit.head.hash)", of: environment)
    if self.heads != nil { Console.say("it goes through all \(heads.count) heads that were kept outside") }
    if !kept.cutOff.isEmpty {
      let lines = kept.cutOff.map(String.init).joined(separator: ", ")
      Console.say("\(kept.cutOff.count) lines of that file were cut off by a stop and prove nothing: \(lines)")
    }
    if let gap = audit.unanchored {
      Console.say(
        "from event \(gap.first) to \(gap.last) no head was kept outside for \(gap.span), while the daemon was at work: the file is to have one as often as audit-heads says (every hour where nothing does)"
          + (gap.last == audit.head.sequence ? ". It is the end of the history: an older copy of the file has none for it" : "")
      )
    }
    if let upTo = audit.checkpoint { Console.say("the checkpoint at event \(upTo) is what it folds to there") }
    if let why = audit.checkpointIgnored { Console.say("a start would not use the checkpoint: \(why)") }
    if let first = audit.first, let last = audit.last { Console.say("from \(first) to \(last), opened \(audit.openings) times") }
  }
}

/// What `audit verify --json` says of a history that is whole; one that is not is an error and exit code 5.
struct AuditAnswer: Encodable {
  private enum CodingKeys: String, CodingKey { case schema, headsCutOff }

  let audit: SQLiteEventReader.Audit
  /// Lines of the file of heads that say nothing, since the machine stopped while they were written.
  let headsCutOff: Int

  init(_ audit: SQLiteEventReader.Audit, headsCutOff: Int = 0) {
    self.audit = audit
    self.headsCutOff = headsCutOff
  }

  func encode(to encoder: any Encoder) throws {
    try self.audit.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode("bus-migrator/audit/1", forKey: .schema)
    if self.headsCutOff > 0 { try fields.encode(self.headsCutOff, forKey: .headsCutOff) }
  }
}
