// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusModel
import BusProbe
import Disclosure

/// `bus-pinger HER-ID`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks one HER-ID, or many. The default: 'bus-pinger 93238' does it too.")

  @Argument(help: "The party's number in the address register.")
  var herID: String?

  @Option(
    help: ArgumentHelp("Look again and again, from 100ms to 24h apart: 5s, 1m. Ctrl-C ends it with a summary.", valueName: "time")
  )
  var watch: WatchInterval?

  @Option(
    help: ArgumentHelp("Check every HER-ID of this file, one a line; - for standard input.", valueName: "file"),
    completion: .file())
  var batch: String?

  @Option(help: ArgumentHelp("Check every party of this pulje, as the daemon's database has it.", valueName: "name"))
  var pulje: String?

  @Option(
    help: ArgumentHelp("Check the party on each of these buses, step beside step: BUS,BUS.", valueName: "buses"),
    completion: ShellCompletion.buses)
  var compare: String?

  @Option(
    help: ArgumentHelp(
      "Also write what a vendor needs to find the fault to this file: JSON without secrets and contents.", valueName: "file"),
    completion: .file())
  var supportBundle: String?

  @OptionGroup(title: "Whom and how far") var target: TargetOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    let many = [self.batch != nil, self.pulje != nil].count { $0 }
    if many == 2 { throw ValidationError("--batch and --pulje exclude each other.") }
    if many == 1, self.herID != nil { throw ValidationError("A HER-ID does not go with --batch or --pulje.") }
    if many == 0, self.herID == nil, self.target.address == nil {
      throw ValidationError("Which HER-ID? Give one, or --batch, --pulje or --address.")
    }
    if let address = self.target.address, self.herID == nil, let known = try? QueueAddress(text: address),
      PartyLooks.herID(in: known).isEmpty
    {
      throw ValidationError("The queue's name begins with no HER-ID: give it too.")
    }
    if many == 1, self.target.address != nil {
      throw ValidationError("--address is one queue: it does not go with many parties.")
    }
    let modes = [
      many == 1 ? "--batch or --pulje" : nil, self.watch.map { _ in "--watch" }, self.compare.map { _ in "--compare" },
      self.supportBundle.map { _ in "--support-bundle" },
    ].compactMap(\.self)
    if modes.count > 1 { throw ValidationError("\(modes.joined(separator: " and ")) do not go together.") }
    if self.compare != nil, self.target.address != nil {
      throw ValidationError("--compare looks the queue up: it does not go with --address.")
    }
    if self.watch != nil, self.output.output != nil, self.output.format != .prometheus {
      throw ValidationError("--watch writes a file anew each time only as --format prometheus.")
    }
    if many == 1 || self.compare != nil, !self.target.told.isEmpty {
      throw ValidationError("--self-ping and --vendor-confirms are said of one party on one bus.")
    }
    if let compare, compare.split(separator: ",").count < 2 {
      throw ValidationError("--compare wants two buses or more: BUS,BUS.")
    }
  }

  func run() async throws {
    let settings = try OutputSettings(self.output)
    let code: Int32
    do {
      code = try await self.run(settings)
    } catch is StandardOutput.Closed {
      throw ExitCode(StandardOutput.closedExitCode)
    } catch let error as any ExplainedError {
      // Nagios reads standard output; people and programs expect errors on the other.
      if settings.format == .nagios {
        try? settings.standard.write("BUS UNKNOWN - \(ProbeLook.nagiosText("\(error)"))\n")
      } else {
        StandardOutput.complain("\(error)\n")
      }
      throw ExitCode(Int32(ProbeReport.Status.unknown.rawValue))
    }
    if code != 0 { throw ExitCode(code) }
  }

  private func run(_ output: OutputSettings) async throws -> Int32 {
    let (code, signal) = try await Interruption.watching { () -> Int32? in
      do {
        var configuration = try PingerConfiguration.read(
          path: self.target.configurationPath, needsRegistry: self.target.address == nil)
        await configuration.readVendorRecord(self.target.database)
        let output = output.inLanguage(of: configuration)
        if let watch { return try await self.watch(every: watch, configuration, output) }
        return try await self.once(configuration, output)
      } catch is CancellationError {
        return nil
      }
    }
    guard let signal else { return code ?? Int32(ProbeReport.Status.unknown.rawValue) }
    // A watch ends by a signal, and that is its good end.
    if self.watch != nil, let code { return code }
    if output.format == .nagios {
      try? output.standard.write("BUS UNKNOWN - interrupted by signal \(signal)\n")
      return Int32(ProbeReport.Status.unknown.rawValue)
    }
    return Interruption.exitCode(signal)
  }

  private func once(_ configuration: PingerConfiguration, _ output: OutputSettings) async throws -> Int32? {
    if let path = self.batch {
      return try await BatchRun(herIDs: HerIDList.file(path), self.target, configuration, output).run()
    }
    if let pulje {
      guard let database = self.target.database ?? configuration.database else {
        throw PingerError.databaseNotConfigured(path: self.target.configurationPath)
      }
      let herIDs = try await PuljeParties.herIDs(of: pulje, database: database)
      return try await BatchRun(herIDs: herIDs, self.target, configuration, output).run()
    }
    if let compare {
      return try await CompareRun(
        herID: self.herID ?? "", buses: compare.split(separator: ",").map { BusName(String($0)) }, self.target, configuration,
        output
      ).run()
    }
    return try await SingleRun(
      herID: self.herID, supportBundle: self.supportBundle, self.target, configuration, output
    ).run()
  }

  private func watch(
    every interval: WatchInterval, _ configuration: PingerConfiguration, _ output: OutputSettings
  ) async throws -> Int32? {
    try await WatchRun(herID: self.herID, interval: interval, self.target, configuration, output).run()
  }
}
