// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Migration

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say what a code (MIG-..., FWD-..., SHOVEL-..., TELL-...) means, and what ends it.")

  @Argument(help: "The code, as the status shows it.") var code: String
  @OptionGroup var output: JSONOption

  func run() throws {
    if let entry = CarrierCode.entry(self.code) {
      if self.output.json {
        return try Console.say(
          json: ExplainAnswer(code: entry.code, kind: "\(entry.kind)", meaning: entry.meaning, next: entry.next))
      }
      return Console.say("\(entry.code) (\(entry.kind)): \(entry.meaning)\nNext: \(entry.next)")
    }
    guard let entry = CodeBook.entry(self.code) else {
      throw CommandLineError.argumentWrong(
        name: "the code", seen: String(self.code.prefix(40)),
        wanted: "one of \(CodeBook.codes.first ?? "") to \(CodeBook.codes.last ?? "")")
    }
    if self.output.json {
      return try Console.say(
        json: ExplainAnswer(code: entry.code, kind: entry.kind.rawValue, meaning: entry.meaning, next: entry.next))
    }
    Console.say("\(entry.code) (\(entry.kind.rawValue)): \(entry.meaning)\nNext: \(entry.next)")
  }
}

/// What `explain --json` says.
struct ExplainAnswer: Codable {
  var schema = "bus-migrator/explain/1"
  var code: String
  /// What sort of thing has the code: a wait, a refusal, a finding and so on.
  var kind: String
  var meaning: String
  var next: String
}
