// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusModel
import BusProbe
import Disclosure
import Foundation

/// `bus-pinger HER-ID`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks one HER-ID. The default: 'bus-pinger 93238' does it too.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, nagios, json }
  enum ExitCodes: String, ExpressibleByArgument, CaseIterable { case nagios, step }

  static let defaultConfiguration = "/etc/tjenestebuss/bus-pinger.yaml"

  @Argument(help: "The party's number in the address register.")
  var herID: String

  @Option(help: "The configuration file; else $BUS_PINGER_CONFIG, else \(Self.defaultConfiguration).")
  var config: String?

  @Option(help: "How to print: text, nagios (one line with performance data), json (one object).")
  var format = Format.text

  @Option(help: "Which of the party's queues: async, sync or error.")
  var kind = QueueKind.asynchronous

  @Flag(name: .customLong("no-send"), help: "Send nothing: look, connect, attach and count only.")
  var noSend = false

  @Option(help: "Stop after this step, by number or name.")
  var quitAfter: ProbeCode?

  @Option(help: "Exit codes: nagios (0 to 3), or step (the code of the first step that failed, 0 for none).")
  var exit = ExitCodes.nagios

  @Option(help: "The language of texts: nb or en. By default as LC_ALL, LC_MESSAGES or LANG says.")
  var language = ProbeLanguage(environment: ProcessInfo.processInfo.environment)

  func validate() throws {
    guard QueueKind.inRegister.contains(self.kind) else {
      throw ValidationError("The register holds async, sync and error queues only.")
    }
  }

  func run() async throws {
    let path = self.config ?? ProcessInfo.processInfo.environment["BUS_PINGER_CONFIG"] ?? Self.defaultConfiguration
    let report: ProbeReport
    do {
      let configuration = try PingerConfiguration.read(path: path)
      report = try await configuration.withProbe { probe in
        await probe.run(self.herID, kind: self.kind, sends: !self.noSend, through: self.quitAfter ?? .echo)
      }
    } catch let error as any ExplainedError {
      // Nagios reads standard output; people and programs expect errors on the other.
      if self.format == .nagios {
        print("BUS UNKNOWN - \(error)")
      } else {
        FileHandle.standardError.write(Data("\(error)\n".utf8))
      }
      throw ExitCode(Int32(ProbeReport.Status.unknown.rawValue))
    }
    switch self.format {
    case .text: print(report.text(language: self.language), terminator: "")
    case .nagios: print(report.nagiosLine(language: self.language), terminator: "")
    case .json: print(report.jsonLine(language: self.language), terminator: "")
    }
    let code =
      switch self.exit {
      case .nagios: report.status.rawValue
      case .step: report.firstFailure?.code.rawValue ?? 0
      }
    if code != 0 { throw ExitCode(Int32(code)) }
  }
}

extension QueueKind: ExpressibleByArgument {}
extension ProbeLanguage: ExpressibleByArgument {}

extension ProbeCode: ExpressibleByArgument {
  public init?(argument: String) { self.init(text: argument) }
}
