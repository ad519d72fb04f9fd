// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusProbe
import Foundation

/// How what was found is handed on.
struct OutputOptions: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, nagios, json, prometheus }
  enum ExitCodes: String, ExpressibleByArgument, CaseIterable { case nagios, step }

  @Option(help: "text for people, nagios (one line with performance data), json (one object a line), prometheus (text file).")
  var format = Format.text

  @Option(
    help:
      "nb or en; by default the configuration's (language:), else nb where the locale (LC_ALL, LC_MESSAGES, LANG; LANGUAGE) is Norwegian."
  )
  var language: ProbeLanguage?

  @Option(help: "auto, always or never. auto: on a terminal, unless NO_COLOR is set.")
  var color = TextColour.Choice.auto

  @Option(
    help: ArgumentHelp("Write to this file instead, all at once: readers never see half of it.", valueName: "file"),
    completion: .file())
  var output: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Warn outside these ranges: total=0.5,dns=0.1,depth=100. A range alone is the total's. Times in seconds; ranges as Nagios writes them.",
      valueName: "ranges"))
  var warning: String?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Critical outside these ranges, written as for --warning.", valueName: "ranges"))
  var critical: String?

  @Option(help: "Exit codes: nagios (0 to 3), or step (the code of the first step that failed, 0 for none).")
  var exit = ExitCodes.nagios

  func validate() throws {
    if self.exit == .step, self.warning != nil || self.critical != nil {
      throw ValidationError("Ranges have no step: --exit step does not go with --warning and --critical.")
    }
    _ = try self.thresholds()
  }

  func thresholds() throws -> NagiosThresholds {
    func read(_ text: String?, _ option: String) throws -> [NagiosThresholds.Measure: NagiosRange] {
      guard let text else { return [:] }
      let (ranges, problem) = NagiosThresholds.read(text)
      guard let ranges else { throw ValidationError("\(option): \(problem).") }
      return ranges
    }
    return NagiosThresholds(
      warning: try read(self.warning, "--warning"), critical: try read(self.critical, "--critical"))
  }
}

/// The options, settled against the machine the program runs on.
struct OutputSettings: Sendable {
  var format: OutputOptions.Format
  var language: ProbeLanguage
  /// `--language` was given: nothing else is asked.
  let hasGivenLanguage: Bool
  var colour: TextColour
  var file: String?
  var thresholds: NagiosThresholds
  var exit: OutputOptions.ExitCodes
  let standard = StandardOutput()

  init(_ options: OutputOptions, environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    self.format = options.format
    self.language = options.language ?? ProbeLanguage(environment: environment)
    self.hasGivenLanguage = options.language != nil
    self.file = options.output
    self.thresholds = try options.thresholds()
    self.exit = options.exit
    self.colour = TextColour(
      options.color, isTerminal: self.standard.isTerminal && options.output == nil, noColor: environment["NO_COLOR"],
      terminal: environment["TERM"])
  }

  /// As the configuration has it, where the command line does not say.
  func inLanguage(of configuration: PingerConfiguration) -> OutputSettings {
    guard !self.hasGivenLanguage, let language = configuration.language else { return self }
    var settings = self
    settings.language = language
    return settings
  }

  /// To the file that was named, else to standard output.
  func write(_ text: String) throws {
    if let file { try ReplacedFile.write(text, to: file) } else { try self.standard.write(text) }
  }

  /// One look, in the form asked for.
  func text(_ look: ProbeLook, round: Int? = nil) -> String {
    switch self.format {
    case .text: look.report.text(language: self.language, colour: self.colour, totalMilliseconds: look.totalMilliseconds)
    case .nagios: look.nagiosLine(self.language, self.thresholds)
    case .json: look.jsonLine(self.language, self.thresholds, round: round)
    case .prometheus: PrometheusText.text([look], self.thresholds)
    }
  }

  func exitCode(_ look: ProbeLook) -> Int32 {
    switch self.exit {
    case .nagios: Int32(look.status(self.thresholds).rawValue)
    case .step: Int32(look.report.firstFailure?.code.rawValue ?? 0)
    }
  }

  /// Of many: that of the worst.
  func exitCode(_ looks: [ProbeLook]) -> Int32 {
    switch self.exit {
    case .nagios: Int32(BatchTable.worst(looks, self.thresholds).rawValue)
    case .step: BatchTable.ordered(looks, self.thresholds).first.map { self.exitCode($0) } ?? 0
    }
  }
}

extension ProbeLanguage: ExpressibleByArgument {}
extension TextColour.Choice: ExpressibleByArgument {}
