// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel
import Foundation
import Logging
import Migration
import MigrationEngine
import MigrationStore

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what a pulje would do and what stands in its way. Changes nothing.")

  @Argument(help: "The pulje file.") var file: String
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let configuration = try self.place.configuration()
    let request = try PuljeFile.read(self.file)
    var open: [HerID: PuljeName] = [:]
    // No history yet: then no pulje is open.
    do { open = try await SQLiteEventReader.open(path: configuration.database).load().state.openParties } catch StoreError.absent
    {}
    let parties = open
    let plan = try await RegisterHTTP.withClient(extraRootsFile: configuration.register.extraRootsFile) { http in
      let world = try await World.open(configuration, http: http, logger: Logger(label: "plan") { _ in SwiftLogNoOpLogHandler() })
      let plan = try await PlanMaker(
        register: world.register, buses: configuration.busValues, pace: CallPace(configuration.rates)
      ).plan(request, open: parties)
      try await world.cache?.close()
      return plan
    }
    var pace = PlanEstimate.Pace()
    pace.concurrentWrites = configuration.settings.concurrentWrites
    pace.registerRate = configuration.rates.register
    let estimate = PlanEstimate(plan, start: SystemMigrationClock().now, pace: pace)
    if self.output.json {
      try Console.say(json: PlanAnswer(plan: plan, estimate: estimate))
    } else {
      Console.say(PlanText.text(plan, estimate))
    }
    if !plan.isClear { throw CommandLineError.planBlocked(obstacles: plan.obstacles.count) }
  }
}

/// The plan as `--json` shows it.
struct PlanAnswer: Codable {
  var schema = "bus-migrator/plan/1"
  var hash: String
  var isClear: Bool
  var plan: Plan
  /// Not sealed by the hash: it is of the moment.
  var estimate: PlanEstimate

  init(plan: Plan, estimate: PlanEstimate) {
    self.estimate = estimate
    self.hash = plan.hash
    self.isClear = plan.isClear
    self.plan = plan
  }
}
