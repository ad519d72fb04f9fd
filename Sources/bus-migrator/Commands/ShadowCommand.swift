// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel
import Foundation
import Logging
import Migration
import MigrationEngine
import MigrationStore

struct ShadowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shadow", abstract: "Predict what a pulje would come to, read only, and score the predictions.",
    subcommands: [ShadowLookCommand.self, ShadowScoreCommand.self])
}

struct ShadowLookCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "look",
    abstract: "Look at register and buses, predict each group's verdicts, and put them at the end of a file.",
    discussion: "Reads the register and the counters, and attaches to no party's queue as a receiver. Sends and writes nothing.")

  @OptionGroup var source: PuljeSourceOptions
  @Option(help: "The file that looks are kept in.") var to: String
  @Option(help: "Look again so often: 1h. Without it, once.") var every: String?
  @Option(name: .customLong("for"), help: "How long, with --every: 14d.") var span: String?
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let configuration = try self.place.configuration()
    let request = try self.source.request()
    let every = try self.every.map { try Self.span("--every", $0) }
    let end = try self.span.map { SystemMigrationClock().now + (try Self.span("--for", $0)) }
    try await RegisterHTTP.withClient(extraRootsFile: configuration.register.extraRootsFile) { http in
      let world = try await World.open(
        configuration, http: http, logger: Logger(label: "shadow") { _ in SwiftLogNoOpLogHandler() })
      try await world.withProbes {
        try await self.look(request, configuration, world, every: every, end: end)
      }
      try await world.cache?.close()
    }
  }

  private func look(
    _ request: PuljeRequest, _ configuration: MigratorConfiguration, _ world: World, every: TimeSpan?, end: Instant?
  ) async throws {
    let clock = SystemMigrationClock()
    let pace = CallPace(configuration.rates, clock: clock)
    let maker = PlanMaker(register: world.register, buses: configuration.busValues, pace: pace, evidence: world.evidence)
    let preflight = GroupPreflight(buses: world.buses, pace: pace, settings: configuration.settings, clock: clock)
    while true {
      let now = clock.now
      let survey = try await maker.survey(request, open: [:], now: now)
      world.owners.take(survey.plan)
      let look = ShadowLook(survey.plan, findings: survey.findings, preflights: try await preflight.reports(survey.plan), at: now)
      try ShadowFile.append(look, to: self.to)
      if self.output.json {
        try Console.say(json: look, of: configuration.environment.text)
      } else {
        Console.say(Self.text(look), of: configuration.environment.text)
      }
      guard let every, let end, now + every <= end else { return }
      try await clock.sleep(until: now + every)
    }
  }

  private static func span(_ name: String, _ text: String) throws -> TimeSpan {
    guard let span = TimeSpan(text: text), span.milliseconds > 0 else {
      throw CommandLineError.argumentWrong(name: name, seen: text, wanted: "a whole number and a unit: 14d, 1h, 30m")
    }
    return span
  }

  private static func text(_ look: ShadowLook) -> String {
    var lines = ["\(look.at): pulje \(look.pulje), plan \(look.planHash.prefix(12))"]
    for group in look.groups {
      lines.append("  \(group.id):")
      lines += group.predictions.map { "    \($0.question.rawValue): \($0.expected ? "yes" : "NO"), \($0.because)" }
    }
    return lines.joined(separator: "\n")
  }

  func validate() throws {
    if (self.every == nil) != (self.span == nil) { throw ValidationError("--every and --for go together") }
  }
}

struct ShadowScoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score", abstract: "Say how many predictions came true, and list those that did not.",
    discussion: """
      By the history where the pulje was started since, else by the next look in the file. Exit code 6 when fewer came true than --aim \
      asks for.
      """)

  @Argument(help: "The file that looks are kept in.") var file: String
  @Option(help: "Percent that must have come true.") var aim: Int = 99
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let looks = try ShadowFile.read(self.file)
    var pulje: PuljeState?
    if let name = looks.first?.pulje {
      // No history yet: then the looks score each other.
      do {
        pulje = try await SQLiteEventReader.open(path: try self.place.databasePath()).load().state.puljer[name]
      } catch StoreError.absent {}
    }
    let score = ShadowScore(looks, pulje: pulje, now: SystemMigrationClock().now)
    let environment = try self.place.environment()
    if self.output.json { try Console.say(json: score, of: environment) } else { Console.say(score.text, of: environment) }
    if let share = score.share, share < self.aim * 100 { throw ExitCode(Exit.differs) }
  }
}

/// Looks, one JSON object a line.
enum ShadowFile {
  static func append(_ look: ShadowLook, to path: String) throws {
    do {
      if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      defer { try? file.close() }
      try file.seekToEnd()
      try file.write(contentsOf: try CanonicalJSON.encode(look) + Data("\n".utf8))
    } catch {
      throw CommandLineError.fileUnreadable(path: path, seen: "it cannot be written")
    }
  }

  static func read(_ path: String) throws -> [ShadowLook] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandLineError.fileUnreadable(path: path, seen: "it cannot be read")
    }
    let looks = try data.split(separator: UInt8(ascii: "\n")).enumerated().map { index, line in
      do { return try JSONDecoder().decode(ShadowLook.self, from: line) } catch {
        throw CommandLineError.valueWrong(place: "\(path), line \(index + 1)", seen: "\(line.count) bytes", wanted: "a look")
      }
    }
    guard Set(looks.map(\.pulje)).count <= 1 else {
      throw CommandLineError.valueWrong(place: path, seen: "looks at several puljer", wanted: "a file for each")
    }
    return looks
  }
}
