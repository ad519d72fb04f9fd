// SPDX-License-Identifier: Apache-2.0

import BusProbe

/// Many parties, so many at once, over one connection a bus.
struct BatchRun: Sendable {
  /// How many parties are looked at at once.
  static let atOnce = 20

  let herIDs: [String]
  let target: TargetOptions
  let configuration: PingerConfiguration
  let output: OutputSettings

  init(herIDs: [String], _ target: TargetOptions, _ configuration: PingerConfiguration, _ output: OutputSettings) {
    self.herIDs = herIDs
    self.target = target
    self.configuration = configuration
    self.output = output
  }

  /// - Returns: the exit code of the worst.
  func run() async throws -> Int32 {
    let clock = ContinuousClock()
    let begun = clock.now
    let looks = try await self.configuration.withProbe { probe in
      try await probe.withSharedConnections { try await self.looks(PartyLooks($0, self.target, self.configuration.vendorRecord)) }
    }
    try Task.checkCancellation()
    let taken = (clock.now - begun).components
    try self.output.write(self.text(looks, seconds: Double(taken.seconds) + Double(taken.attoseconds) / 1e18))
    return self.output.exitCode(looks)
  }

  private func looks(_ party: PartyLooks) async throws -> [ProbeLook] {
    let progress = ProgressLine()
    defer { progress.end() }
    return try await withThrowingTaskGroup(of: ProbeLook.self) { group in
      var waiting = self.herIDs.makeIterator()
      for _ in 0..<Self.atOnce {
        if let herID = waiting.next() { group.addTask { await party.look(herID) } }
      }
      var looks: [ProbeLook] = []
      var bad = 0
      while let look = try await group.next() {
        looks.append(look)
        if look.status(self.output.thresholds) != .ok { bad += 1 }
        progress.show(done: looks.count, of: self.herIDs.count, bad: bad)
        try Task.checkCancellation()
        if let herID = waiting.next() { group.addTask { await party.look(herID) } }
      }
      return looks
    }
  }

  private func text(_ looks: [ProbeLook], seconds: Double) -> String {
    let (language, thresholds) = (self.output.language, self.output.thresholds)
    return switch self.output.format {
    case .text: BatchTable.text(looks, language, colour: self.output.colour, thresholds, seconds: seconds)
    case .nagios: BatchTable.nagiosLine(looks, language, thresholds, seconds: seconds)
    case .json: BatchTable.ordered(looks, thresholds).map { $0.jsonLine(language, thresholds) }.joined()
    case .prometheus: PrometheusText.text(BatchTable.ordered(looks, thresholds), thresholds)
    }
  }
}
