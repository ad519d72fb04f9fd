// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusProbe

/// The manual page of a step. Needs no configuration and no network.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Says what a step checks, what it can find, and what to do then.")

  @Argument(help: "A step: 29, PING-29 or outcome.")
  var code: String

  func validate() throws {
    guard ProbeCode(text: self.code) != nil else {
      throw ValidationError("There is no step '\(self.code)'. Steps: \(ProbeCode.list).")
    }
  }

  func run() throws {
    guard let code = ProbeCode(text: self.code) else { return }
    print(ProbeTexts.explain(code), terminator: "")
  }
}

extension ProbeCode {
  /// All steps, for help texts.
  static var list: String { Self.allCases.map { "\($0.rawValue) \($0.name)" }.joined(separator: ", ") }
}
