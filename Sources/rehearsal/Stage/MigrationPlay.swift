// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import TjenestebussTesting

/// What the operators do while the systems work: plan, start, watch, roll one party back, decide. All of it by the program's
/// own commands.
struct MigrationPlay: Sendable {
  private let story: Story
  private let buses: any RehearsalBuses
  private let server: AddressRegisterServer
  private let settings: Stage.Settings
  private let terminal: Terminal
  private let clock = ContinuousClock()

  /// The whole play, from start to the last decision: guards against hanging.
  private var patience: Duration { .seconds(600 + 20 * (self.settings.interruption?.count ?? 0)) }

  init(
    story: Story, buses: any RehearsalBuses, server: AddressRegisterServer, settings: Stage.Settings, terminal: Terminal
  ) {
    self.story = story
    self.buses = buses
    self.server = server
    self.settings = settings
    self.terminal = terminal
  }

  /// What the play came to.
  struct Outcome: Sendable {
    /// How the daemon died, each time.
    var deaths: [DaemonLives.Death]
    /// The pulje at the end.
    var summary: PuljeSummary
  }

  private enum Part: Sendable {
    case lived([DaemonLives.Death])
    case ended(PuljeSummary)
  }

  func perform(traffic: Traffic, logs: IdentityLogs) async throws -> Outcome {
    let folder = self.settings.directory.appendingPathComponent("migrator")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // Not in the rehearsal's own folder, whose path may be longer than a Unix socket's may be.
    let socketFolder =
      FileManager.default.temporaryDirectory.path.utf8.count < 60 ? FileManager.default.temporaryDirectory.path : "/tmp"
    let socket = "\(socketFolder)/tb-\(UInt32.random(in: .min ... .max)).sock"
    defer { try? FileManager.default.removeItem(atPath: socket) }
    let files = try MigratorFiles.write(
      to: folder, socket: socket, story: self.story, buses: self.buses, reader: try await self.server.readerEndpoint(),
      writer: try await self.server.writerConfiguration(), registerPassword: Stage.registerPassword,
      watch: self.settings.watch)
    let log = self.settings.directory.appendingPathComponent("migrator.log")
    let migrator = try MigratorProcess(program: self.settings.migrator, configuration: files.configuration, log: log)

    let server = self.server
    let history = HistoryCheck(database: folder.appendingPathComponent("migration.sqlite").path, log: log) { server.changes }
    let lives = DaemonLives(
      migrator: migrator, interruption: self.settings.interruption, folder: folder, history: history, terminal: self.terminal)
    return try await withThrowingTaskGroup(of: Part.self) { group in
      group.addTask { .lived(try await lives.run()) }
      group.addTask {
        defer { migrator.stop() }
        return .ended(try await self.operate(migrator, files, traffic, logs))
      }
      // Without its daemon the play cannot go on: its end before it was asked for is an error, which cancels the operators.
      var deaths: [DaemonLives.Death] = []
      var summary: PuljeSummary?
      for try await part in group {
        switch part {
        case .lived(let all): deaths = all
        case .ended(let last): summary = last
        }
      }
      guard let summary else { throw RehearsalError.tookTooLong("the pulje") }
      return Outcome(deaths: deaths, summary: summary)
    }
  }

  // MARK: The operators

  private func operate(
    _ migrator: MigratorProcess, _ files: MigratorFiles, _ traffic: Traffic, _ logs: IdentityLogs
  ) async throws -> PuljeSummary {
    let deadline = self.clock.now + self.patience
    let plan = try await self.must(migrator, ["plan", files.pulje.path])
    self.terminal.say("$ bus-migrator plan pulje.yaml")
    self.terminal.show(Self.excerpt(plan, lines: 14))
    try await self.insist(
      migrator,
      [
        "start", files.pulje.path, "--approved-by", "kari", "--approved-by", "ola", "--because", "the day agreed on", "--execute",
      ],
      until: deadline
    ) { $0.summary.startedAt != nil }
    var hasRolledBack = false
    var hasMended = false
    var hasAccepted = false
    // Where nobody kills the daemon: the forwarder under kills is `make forward-kills`.
    var stranding: Stranding = self.settings.interruption == nil ? .ahead : .over
    let mail = StrandedMail(self.buses, of: self.story.strands)
    while true {
      guard self.clock.now < deadline else {
        let last = try await migrator.command(["status", "--pulje", self.story.pulje])
        self.terminal.show(last.output)
        throw RehearsalError.tookTooLong("the pulje")
      }
      guard let status = try await self.status(migrator) else {
        try await Task.sleep(for: .milliseconds(300))
        continue
      }
      self.terminal.progress(status.line, "\(logs.acceptedCount) messages sent, \(logs.outstanding.count) on their way")
      guard let stranded = status.group(of: self.story.rolledBack) else {
        throw RehearsalError.tookTooLong("the group of HER-ID \(self.story.rolledBack)")
      }
      if !hasRolledBack, stranded.phase == .cutApplied, stranded.hold?.code == .pingFailed {
        self.terminal.say("HER-ID \(self.story.rolledBack): \(stranded.hold?.seen ?? "the pings fail")")
        hasRolledBack = try await self.did(
          migrator,
          [
            "rollback", "--pulje", self.story.pulje, "--her-id", "\(self.story.rolledBack)", "--by", "kari", "--because",
            "the system does not come up on the target bus", "--execute",
          ])
      }
      if !hasMended, stranded.phase.isGoingBack, stranded.phase != .backIntent, stranded.phase != .backUnknown {
        self.terminal.say(
          "the vendor of HER-ID \(self.story.rolledBack) mends its system: what came to the target bus meanwhile is read")
        traffic.mend(self.story.rolledBack)
        hasMended = true
      }
      if let group = status.group(of: self.story.strands) {
        stranding = try await self.carryOver(stranding, mail, group, migrator)
      }
      let others = status.summary.groups.filter { $0.id != stranded.id }
      if stranding == .over, stranded.phase == .restored, others.allSatisfy({ $0.phase == .accepted }) {
        try await self.conclude(migrator)
        return status.summary
      }
      if !hasAccepted, stranding == .over, stranded.phase == .restored, status.summary.phase == .decision {
        hasAccepted = try await self.did(
          migrator,
          [
            "accept", "--pulje", self.story.pulje, "--approved-by", "kari", "--approved-by", "ola", "--because",
            "the watch is over", "--execute",
          ])
      }
      try await Task.sleep(for: .milliseconds(700))
    }
  }

  private enum Stranding { case ahead, lies, ordered, over }

  /// A message strands on a queue that nobody fetches from, is found, and is carried over when two people have approved it.
  private func carryOver(
    _ stranding: Stranding, _ mail: StrandedMail, _ group: GroupSummary, _ migrator: MigratorProcess
  ) async throws -> Stranding {
    let party = "\(self.story.strands)"
    switch stranding {
    case .ahead where group.phase == .draining || group.phase == .drained || group.phase == .observing:
      self.terminal.say("a sender with an old address: a message strands on \(party)_error of the bus that is being left")
      try await mail.strand()
      return .lies
    case .lies where group.drain.leftovers > 0:
      self.terminal.say("$ bus-migrator drain explain \(party)")
      self.terminal.show(Self.excerpt(try await self.insist(migrator, ["drain", "explain", party]), lines: 6))
      self.terminal.say("$ bus-migrator drain forward --her-id \(party) --check")
      self.terminal.show(try await self.insist(migrator, ["drain", "forward", "--her-id", party, "--check"]))
      let isOrdered = try await self.did(
        migrator,
        [
          "drain", "forward", "--her-id", party, "--approved-by", "kari", "--approved-by", "ola", "--because", "it strands",
          "--execute",
        ])
      return isOrdered ? .ordered : .lies
    case .ordered where (group.drain.forwarding?.total.accepted ?? 0) > 0:
      try await mail.fetch()
      self.terminal.say("$ bus-migrator drain forward --her-id \(party)")
      self.terminal.show(try await self.insist(migrator, ["drain", "forward", "--her-id", party]))
      self.terminal.say("the stranded message has arrived on the target bus")
      return .over
    case .ahead, .lies, .ordered, .over: return stranding
    }
  }

  /// The report and the audit, as an operator would end the day.
  private func conclude(_ migrator: MigratorProcess) async throws {
    let report = try await self.insist(migrator, ["report", "--pulje", self.story.pulje])
    let file = self.settings.directory.appendingPathComponent("report.md")
    try Data(report.utf8).write(to: file)
    self.terminal.say("$ bus-migrator report")
    self.terminal.show(Self.excerpt(report, lines: 24))
    self.terminal.say("the whole report: \(file.path)")
    let page = self.settings.directory.appendingPathComponent("report.html").path
    self.terminal.say("$ bus-migrator report --format html")
    _ = try await self.must(
      migrator, ["report", "--pulje", self.story.pulje, "--format", "html", "--language", "en", "--output", page])
    self.terminal.say("$ bus-migrator report --verify report.html")
    self.terminal.show(try await self.must(migrator, ["report", "--verify", page]))
    self.terminal.say("$ bus-migrator audit verify")
    self.terminal.show(
      try await self.must(
        migrator, ["audit", "verify", "--head", self.settings.directory.path + "/migrator/migration.sqlite.heads"]))
  }

  private func status(_ migrator: MigratorProcess) async throws -> MigratorStatus? {
    let result = try await migrator.command(["status", "--json", "--pulje", self.story.pulje])
    guard result.exitCode == 0 else { return nil }
    return try MigratorStatus(json: Data(result.output.utf8))
  }

  // MARK: Commands

  /// A command that needs no daemon and must succeed.
  private func must(_ migrator: MigratorProcess, _ arguments: [String]) async throws -> String {
    let result = try await migrator.command(arguments)
    guard result.exitCode == 0 else {
      throw RehearsalError.migrator(command: arguments.joined(separator: " "), exitCode: result.exitCode, output: result.output)
    }
    return result.output
  }

  /// A command that is given again until the daemon is up to take it.
  @discardableResult
  private func insist(_ migrator: MigratorProcess, _ arguments: [String]) async throws -> String {
    for _ in 0..<300 {
      let result = try await migrator.command(arguments)
      if result.exitCode == 0 { return result.output }
      // The command itself is wrong: a daemon that answers again will not take it either.
      if result.exitCode == Self.wrongUsage { break }
      try await Task.sleep(for: .milliseconds(300))
    }
    return try await self.must(migrator, arguments)
  }

  /// Of `bus-migrator`: the command line is wrong, and nothing was done.
  private static let wrongUsage: Int32 = 2

  /// A command that is given again until its effect is seen: its answer may be lost with a daemon that was killed.
  private func insist(
    _ migrator: MigratorProcess, _ arguments: [String], until deadline: ContinuousClock.Instant,
    _ isDone: (MigratorStatus) -> Bool
  ) async throws {
    self.terminal.say("$ bus-migrator \(Self.shown(arguments))")
    var last = MigratorProcess.CommandResult(exitCode: -1, output: "not tried")
    while self.clock.now < deadline {
      if let status = try await self.status(migrator), isDone(status) { return }
      let said = try await migrator.command(arguments)
      if said.exitCode != 0, said.output != last.output { self.terminal.show(said.output) }
      last = said
      try await Task.sleep(for: .milliseconds(300))
    }
    throw RehearsalError.migrator(command: arguments.joined(separator: " "), exitCode: last.exitCode, output: last.output)
  }

  /// A command of which it is enough that it is tried again at the next look when it fails now.
  private func did(_ migrator: MigratorProcess, _ arguments: [String]) async throws -> Bool {
    self.terminal.say("$ bus-migrator \(Self.shown(arguments))")
    let result = try await migrator.command(arguments)
    if result.exitCode != 0 { self.terminal.show(result.output) }
    return result.exitCode == 0
  }

  private static func shown(_ arguments: [String]) -> String {
    arguments.map { argument in
      if argument.contains("/") { return URL(fileURLWithPath: argument).lastPathComponent }
      return argument.contains(" ") ? "\"\(argument)\"" : argument
    }.joined(separator: " ")
  }

  private static func excerpt(_ text: String, lines: Int) -> String {
    let all = text.split(separator: "\n", omittingEmptySubsequences: false)
    let shown = all.prefix(lines).map { "    \($0)" }.joined(separator: "\n")
    return all.count > lines ? shown + "\n    ... (\(all.count - lines) more lines)" : shown
  }
}
