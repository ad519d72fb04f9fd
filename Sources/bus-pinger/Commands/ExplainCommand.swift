// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusProbe
import Foundation

/// The manual page of a step. Needs no configuration and no network.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Says what a step checks, what it can find, and what to do then.")

  @Argument(help: "A step: 29, PING-29 or outcome.")
  var code: String

  @Option(help: "nb or en. By default as LC_ALL, LC_MESSAGES or LANG says.")
  var language = ProbeLanguage(environment: ProcessInfo.processInfo.environment)

  func validate() throws {
    guard ProbeCode(text: self.code) != nil else {
      throw ValidationError("There is no step '\(self.code)'. Steps: \(ProbeCode.list).")
    }
  }

  func run() throws {
    guard let code = ProbeCode(text: self.code) else { return }
    print(ProbeTexts.explain(code, self.language), terminator: "")
  }
}

extension ProbeCode {
  /// All steps, for help texts.
  static var list: String { Self.allCases.map { "\($0.rawValue) \($0.name)" }.joined(separator: ", ") }
}
