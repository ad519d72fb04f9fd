// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe

/// One party on several buses, step beside step.
struct CompareRun: Sendable {
  let herID: String
  let buses: [BusName]
  let target: TargetOptions
  let configuration: PingerConfiguration
  let output: OutputSettings

  init(
    herID: String, buses: [BusName], _ target: TargetOptions, _ configuration: PingerConfiguration, _ output: OutputSettings
  ) {
    self.herID = herID
    self.buses = buses
    self.target = target
    self.configuration = configuration
    self.output = output
  }

  /// - Returns: the exit code of the worst.
  func run() async throws -> Int32 {
    let known = self.configuration.buses.map(\.endpoint.bus)
    let buses = try self.buses.map { name in
      guard let bus = known.first(where: { $0.name == name }) else {
        throw PingerError.noSuchBus(name: name.text, known: known.map(\.name.text).joined(separator: ", "))
      }
      return bus
    }
    let looks = try await self.configuration.withProbe { probe in
      let party = try PartyLooks(probe, self.target, self.configuration.vendorRecord)
      let decided = await party.decision(self.herID)
      // One after the other: times stand beside each other, and must not be each other's.
      var looks: [(bus: BusName, look: ProbeLook)] = []
      for bus in buses { looks.append((bus.name, await party.look(self.herID, on: bus, decided: decided))) }
      return looks
    }
    try Task.checkCancellation()
    let all = looks.map(\.look)
    try self.output.write(
      self.output.format == .text
        ? ComparisonTable.text(looks, self.output.language, colour: self.output.colour, self.output.thresholds)
        : self.text(all))
    return self.output.exitCode(all)
  }

  private func text(_ looks: [ProbeLook]) -> String {
    switch self.output.format {
    case .prometheus: PrometheusText.text(looks, self.output.thresholds)
    case .nagios:
      BatchTable.nagiosLine(
        looks, self.output.language, self.output.thresholds, seconds: looks.map(\.totalMilliseconds).reduce(0, +) / 1_000)
    case .json, .text: looks.map { $0.jsonLine(self.output.language, self.output.thresholds) }.joined()
    }
  }
}
