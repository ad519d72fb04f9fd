// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Disclosure
import Foundation
import NIOConcurrencyHelpers

/// Carries puljer of HER-IDs from one bus to another, and back.
@main
struct BusMigrator: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bus-migrator",
    abstract: "Moves parties (HER-IDs) from one message bus to another in puljer, and back at any time.",
    discussion: """
      Exit codes: 0 done; 1 failed; 2 the command line, configuration or pulje file is wrong; 3 refused, nothing has changed; \
      4 no daemon answers; 5 the database or the cache is in use, read-only, damaged or newer; 6 the cache and the register differ, or a report \
      and the history.
      """,
    subcommands: [
      PlanCommand.self, RunCommand.self, StartCommand.self, StatusCommand.self, WatchCommand.self, PauseCommand.self,
      ResumeCommand.self,
      RollbackCommand.self, StopTheLineCommand.self, ReleaseTheLineCommand.self, AcceptCommand.self, RetireCommand.self,
      ApproveRemovalCommand.self, SignTestCommand.self, CloseBusCommand.self, ShadowCommand.self,
      DrainCommand.self, WaiveCommand.self, QuarantineCommand.self, ReadmitCommand.self,
      ReportCommand.self, MetricsCommand.self, AuditCommand.self, BackupCommand.self, RestoreCommand.self, ConfigCommand.self,
      DoctorCommand.self,
      ExplainCommand.self,
      RegistryCommand.self,
    ])

  static func main() async {
    do {
      var command = try Self.parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand { try await asynchronous.run() } else { try command.run() }
    } catch let error as any ExplainedError {
      Console.complain(error.description)
      Console.answer(error)
      Foundation.exit(Exit.code(of: error))
    } catch let code as ExitCode {
      Foundation.exit(code.rawValue)
    } catch {
      // Help and version are errors with exit code 0; anything else the parser says is wrong usage.
      let text = Self.fullMessage(for: error)
      if Self.exitCode(for: error) == .success {
        print(text)
        Foundation.exit(Exit.done)
      }
      Console.complain(text)
      let isUsage = Self.exitCode(for: error) == .validationFailure
      if isUsage { Console.answer(CommandLineError.commandLineWrong(seen: Self.message(for: error))) }
      Foundation.exit(isUsage ? Exit.usage : Exit.failed)
    }
  }
}

/// Where text goes: answers to standard output, complaints to standard error.
enum Console {
  private static let hasAnswered = NIOLockedValueBox(false)

  /// With `--json` an error is an answer as well, unless there was one before it: standard output is one JSON value, never two.
  static func answer(_ error: any ExplainedError) {
    guard CommandLine.arguments.dropFirst().contains("--json"), !self.hasAnswered.withLockedValue({ $0 }) else { return }
    try? self.say(json: ErrorAnswer(error))
  }

  static func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

  static func say(_ text: String) { FileHandle.standardOutput.write(Data((text.hasSuffix("\n") ? text : text + "\n").utf8)) }

  /// A JSON value on a line of its own.
  static func say(line value: some Encodable) throws {
    self.hasAnswered.withLockedValue { $0 = true }
    Self.say(String(decoding: try ControlAPI.encode(value), as: UTF8.self))
  }

  /// JSON with sorted keys, so that outputs can be compared.
  static func say(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    self.hasAnswered.withLockedValue { $0 = true }
    Self.say(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}

/// What `--json` says when it could not be done.
struct ErrorAnswer: Encodable {
  var schema = "bus-migrator/error/1"
  var code: String
  var explanation: Explanation
  var text: String
  /// The answer is no, and nothing has changed; else something failed.
  var isRefusal: Bool
  /// With which the program ends.
  var exitCode: Int32

  init(_ error: any ExplainedError) {
    self.code = error.stableCode
    self.explanation = error.explanation
    self.text = error.description
    self.exitCode = Exit.code(of: error)
    self.isRefusal = self.exitCode == Exit.refused
  }
}
