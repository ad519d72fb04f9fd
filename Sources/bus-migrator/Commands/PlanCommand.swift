// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel
import Foundation
import Logging
import Migration
import MigrationEngine
import MigrationStore
import NIOConcurrencyHelpers

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what a pulje would do and what stands in its way. Changes nothing.")

  @OptionGroup var source: PuljeSourceOptions
  @Option(help: "A folder in which each vendor's ready-made configuration is written, a file each.")
  var configurationFolder: String?
  @Option(help: "A file that plan --json wrote before: what has changed since is shown, party by party.")
  var since: String?
  @Flag(
    inversion: .prefixedNo,
    help: "Make the checks before the cut for every group as well, the way back among them; they read and send nothing.")
  var preflight = true
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let configuration = try self.place.configuration()
    let request = try self.source.request()
    // No history yet: then no pulje is open.
    var history = MigrationState()
    do { history = try await SQLiteEventReader.open(path: configuration.database).load().state } catch StoreError.absent {}
    let (parties, seen) = (history.openParties, history.librariesSeen)
    let survey = try await RegisterHTTP.withClient(extraRootsFile: configuration.register.extraRootsFile) { http in
      let world = try await World.open(configuration, http: http, logger: Logger(label: "plan") { _ in SwiftLogNoOpLogHandler() })
      let pace = CallPace(configuration.rates)
      var survey = try await PlanMaker(
        register: world.register, buses: configuration.busValues, pace: pace, evidence: world.evidence
      ).survey(request, open: parties, now: SystemMigrationClock().now, seen: seen)
      if self.preflight, survey.plan.isClear {
        let plan = survey.plan
        let reports = NIOLockedValueBox<[GroupID: PreflightReport]>([:])
        try await world.withProbes {
          world.owners.take(plan)
          let found = try await GroupPreflight(buses: world.buses, pace: pace, settings: configuration.settings)
            .reports(plan)
          reports.withLockedValue { $0 = found }
        }
        survey.findings += PlanFinding.preflight(plan, reports.withLockedValue { $0 })
      }
      try await world.cache?.close()
      return survey
    }
    let plan = survey.plan
    let target = configuration.busValues.first { $0.name == plan.target }
    let vendors = target.map { VendorConfiguration.all(plan, target: $0) } ?? []
    if let folder = self.configurationFolder { try Self.write(vendors, folder: folder) }
    var pace = PlanEstimate.Pace()
    pace.concurrentWrites = configuration.settings.concurrentWrites
    pace.registerRate = configuration.rates.register
    let estimate = PlanEstimate(plan, start: SystemMigrationClock().now, pace: pace)
    if self.output.json {
      try Console.say(
        json: PlanAnswer(request: request, plan: plan, findings: survey.findings, vendors: vendors, estimate: estimate),
        of: configuration.environment.text)
    } else {
      Console.say(PlanText.text(plan, survey.findings, vendors, estimate), of: configuration.environment.text)
    }
    if let since = self.since {
      let lines = PlanDifference(was: try StartCommand.approved(since, name: "--since"), now: plan).lines
      // Beside the answer: that one may be JSON.
      Console.complain(lines.isEmpty ? "nothing has changed since" : "changed since:")
      for line in lines { Console.complain("  \(line)") }
    }
    if !plan.isClear { throw CommandLineError.planBlocked(obstacles: plan.obstacles.count) }
  }

  /// A file for each vendor, named after it. Existing ones are written over: they are made anew from the plan.
  private static func write(_ vendors: [VendorConfiguration], folder: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for (index, vendor) in vendors.enumerated() {
        let name = String(vendor.vendor.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" }.prefix(60))
        let file = URL(fileURLWithPath: folder).appendingPathComponent("\(index + 1)-\(name.isEmpty ? "vendor" : name).yaml")
        try Data(vendor.yaml.utf8).write(to: file)
      }
    } catch {
      throw CommandLineError.fileUnreadable(path: folder, seen: "it cannot be written: \(String("\(error)".prefix(120)))")
    }
  }
}

/// The plan as `--json` shows it.
struct PlanAnswer: Codable {
  var schema = "bus-migrator/plan/1"
  var hash: String
  var isClear: Bool
  var plan: Plan
  /// What the plan was made from: whoever starts it sends it along, and it is planned once more. Plans that were written before it was told lack it.
  var request: PuljeRequest?
  /// What people should know before they approve; not sealed by the hash: it is of the moment.
  var findings: [PlanFinding]
  /// What each vendor's systems are to be told.
  var vendors: [VendorConfiguration]
  /// Not sealed by the hash: it is of the moment.
  var estimate: PlanEstimate

  init(request: PuljeRequest, plan: Plan, findings: [PlanFinding], vendors: [VendorConfiguration], estimate: PlanEstimate) {
    self.findings = findings
    self.vendors = vendors
    self.estimate = estimate
    self.hash = plan.hash
    self.isClear = plan.isClear
    self.plan = plan
    self.request = request
  }
}
