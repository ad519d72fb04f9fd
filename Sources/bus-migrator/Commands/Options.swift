// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusModel
import Foundation
import Migration
import MigrationEngine

/// Where configuration, database and socket are.
struct PlaceOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "The configuration file.")
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "A value of the configuration, over the file and the environment; may be given more than once. config keys lists them.",
      valueName: "key=value"))
  var settings: [String] = []

  @Option(help: "The database; overrides the configuration's.")
  var database: String?

  @Option(help: "The control socket; overrides the configuration's.")
  var socket: String?

  var source: ConfigurationSource { ConfigurationSource(file: self.config, settings: self.settings) }

  func configuration() throws -> MigratorConfiguration {
    try MigratorConfiguration.read(self.source, database: self.database, socket: self.socket)
  }

  private func places() throws -> MigratorPlaces {
    try MigratorPlaces.read(self.source, database: self.database, socket: self.socket)
  }

  /// Needs no configuration when it is named, and never its secrets.
  func socketPath() throws -> String { try self.socket ?? self.places().socket }
  /// Needs no configuration when it is named, and never its secrets.
  func databasePath() throws -> String { try self.database ?? self.places().database }
  /// The environment that the configuration read here names; nil where none is read.
  func environmentNamed() throws -> String? {
    // Where the socket alone is named, no configuration is read, unless somebody has named one, or the environment itself.
    let isNamed = self.config != nil || self.source.namesFileOrEnvironment
    return self.socket != nil && !isNamed ? nil : try self.places().environment.text
  }
  /// The environment's name; nil where the database alone is named.
  func environment() throws -> String? { self.database != nil && self.config == nil ? nil : try self.places().environment.text }
  /// How often the daemon writes a head outside; nil where the database alone is named.
  func headInterval() throws -> TimeSpan? { self.database != nil && self.config == nil ? nil : try self.places().heads.interval }
  /// Nil where the database alone is named: heads kept elsewhere stand in the configuration.
  func headsPath() throws -> String? { self.database != nil && self.config == nil ? nil : try self.places().heads.file }
}

struct JSONOption: ParsableArguments {
  @Flag(help: "Answer in JSON.")
  var json = false
}

/// Who says so.
struct PersonOption: ParsableArguments {
  @Option(help: "Who decides; by default the user that runs the command.")
  var by: String?

  var name: String {
    if let by { return by }
    let environment = ProcessInfo.processInfo.environment
    return environment["SUDO_USER"] ?? environment["USER"] ?? NSUserName()
  }
}

/// Why something is done; it stands in the audit.
struct ReasonOption: ParsableArguments {
  @Option(help: "Why; it stands in the audit.")
  var because: String

  func validate() throws {
    if self.because.allSatisfy(\.isWhitespace) { throw ValidationError("--because asks for a reason") }
  }
}

struct KeyOption: ParsableArguments {
  @Option(
    help:
      "A name for this one command: sent once more with it, within 24 hours, it is answered as it was and not carried out again.")
  var idempotencyKey: String?
}

struct PuljeOption: ParsableArguments {
  @Option(help: "The pulje; may be left out when only one is open.")
  var pulje: String?

  func name() throws -> PuljeName? { try self.pulje.map(PuljeArgument.name) }
}

enum PuljeArgument {
  static func name(_ text: String) throws -> PuljeName {
    guard let name = PuljeName(text) else {
      throw CommandLineError.argumentWrong(name: "--pulje", seen: String(text.prefix(80)), wanted: "a pulje's name")
    }
    return name
  }

  static func herIDs(_ texts: [String]) throws -> [HerID] {
    try texts.flatMap { $0.split(separator: ",") }.map { text in
      do { return try HerID(text: text) } catch {
        throw CommandLineError.argumentWrong(
          name: "--her-id", seen: String(text.prefix(40)), wanted: "a HER-ID: digits only, greater than zero")
      }
    }
  }
}

/// Whether what writes is done, or only said what it would come to.
struct ExecuteOption: ParsableArguments {
  @Flag(help: "Do it. Without this the daemon says what it would come to, and nothing is changed.")
  var execute = false

  var isDone: Bool { self.execute }
}

/// For what only holds, and can be undone: a brake that says what it would do is no brake.
struct BrakeOption: ParsableArguments {
  @Flag(help: "Only say what it would come to. Without this it acts at once: it only holds, and can be undone.")
  var dryRun = false

  var isDone: Bool { !self.dryRun }
}

/// A command that the daemon carries out, or says what would come of it.
enum Order {
  /// - Parameter isBrake: acts at once unless it is told otherwise.
  static func give(
    _ command: ControlAPI.Command, _ isDone: Bool, key: KeyOption, at place: PlaceOptions, json: Bool, isBrake: Bool = false
  ) async throws {
    var command = command
    if !isDone { command.preview = true }
    let daemon = try await DaemonReached.at(place)
    let answer = try await daemon.client.carryOut(command, key: key.idempotencyKey)
    if json { return try Console.say(json: answer, of: daemon.environment) }
    guard isDone else {
      let ending = isBrake ? PreviewText.brakeEnding : PreviewText.ending
      return Console.say(PreviewText.text(command.verb.rawValue, answer, ending: ending), of: daemon.environment)
    }
    Console.say(Self.words(command.verb, answer), of: daemon.environment)
    if let pulje = answer.pulje { Console.say(StatusText.brief(pulje)) }
  }

  /// What came of it, in a line.
  static func words(_ verb: ControlAPI.Command.Verb, _ answer: ControlAPI.CommandAnswer) -> String {
    let what = answer.status == CommandRecord.done ? answer.events.joined(separator: ", ") : answer.status
    return "\(verb.rawValue): \(what)\(answer.isRepeat ? " (answered before; not carried out again)" : "")"
  }
}
