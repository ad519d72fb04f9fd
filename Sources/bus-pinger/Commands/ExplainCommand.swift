// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusProbe
import Foundation

/// The manual page of a step. Needs no configuration and no network.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Says what a step checks, what it can find, and what to do then. Without a step: all of them.")

  @Argument(help: "A step: 29, PING-29 or outcome.", completion: ShellCompletion.steps)
  var code: String?

  @Option(help: "nb or en; by default the configuration's, where there is one, else nb where the locale is Norwegian.")
  var language: ProbeLanguage?

  func validate() throws {
    guard let code = self.code else { return }
    guard ProbeCode(text: code) != nil else {
      throw ValidationError("There is no step '\(code.prefix(40))'. Steps: \(ProbeCode.list).")
    }
  }

  func run() throws {
    let environment = ProcessInfo.processInfo.environment
    let language =
      self.language
      ?? PingerConfiguration.language(path: environment["BUS_PINGER_CONFIG"] ?? TargetOptions.defaultConfiguration)
      ?? ProbeLanguage(environment: environment)
    do {
      try StandardOutput().write(
        self.code.flatMap { ProbeCode(text: $0) }.map { ProbeTexts.explain($0, language) } ?? ExplainTable.text(language))
    } catch is StandardOutput.Closed {
      throw ExitCode(StandardOutput.closedExitCode)
    }
  }
}

extension ProbeCode {
  /// All steps, for help texts.
  static var list: String { Self.allCases.map { "\($0.rawValue) \($0.name)" }.joined(separator: ", ") }
}
