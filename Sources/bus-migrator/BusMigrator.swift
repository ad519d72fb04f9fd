// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Disclosure
import Foundation

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
      PlanCommand.self, RunCommand.self, StartCommand.self, StatusCommand.self, PauseCommand.self, ResumeCommand.self,
      RollbackCommand.self, StopTheLineCommand.self, ReleaseTheLineCommand.self, AcceptCommand.self, RetireCommand.self,
      ApproveRemovalCommand.self, SignTestCommand.self, CloseBusCommand.self, ShadowCommand.self,
      DrainCommand.self, WaiveCommand.self, QuarantineCommand.self, ReadmitCommand.self,
      ReportCommand.self, MetricsCommand.self, AuditCommand.self, BackupCommand.self, RestoreCommand.self, ConfigCommand.self,
      ExplainCommand.self,
      RegistryCommand.self,
    ])

  static func main() async {
    do {
      var command = try Self.parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand { try await asynchronous.run() } else { try command.run() }
    } catch let error as any ExplainedError {
      Console.complain(error.description)
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
      Foundation.exit(Self.exitCode(for: error) == .validationFailure ? Exit.usage : Exit.failed)
    }
  }
}

/// Where text goes: answers to standard output, complaints to standard error.
enum Console {
  static func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

  static func say(_ text: String) { FileHandle.standardOutput.write(Data((text.hasSuffix("\n") ? text : text + "\n").utf8)) }

  /// JSON with sorted keys, so that outputs can be compared.
  static func say(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    Self.say(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}
