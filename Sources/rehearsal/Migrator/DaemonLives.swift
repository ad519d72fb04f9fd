// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The daemon's lives one after another: each ends at a point drawn from the seed, until as many as asked for have; then it lives
/// until it is stopped in order.
struct DaemonLives: Sendable {
  struct Death: Sendable {
    /// What it was told.
    var told: String
    /// The point's name.
    var point: String
    /// How many events the history held afterwards.
    var events: Int64
  }

  let migrator: MigratorProcess
  let interruption: Interruption?
  /// Where the daemon has its files.
  let folder: URL
  let history: HistoryCheck
  let terminal: Terminal

  func run() async throws -> [Death] {
    guard let interruption = self.interruption else {
      try await self.liveOn()
      return []
    }
    switch interruption.kind {
    case .kill: return try await self.dieByKills(interruption)
    case .powerCut(let recorder): return try await self.dieByPowerCuts(interruption, recorder)
    }
  }

  private func dieByKills(_ interruption: Interruption) async throws -> [Death] {
    var plan = KillPlan(kills: interruption.count, seed: interruption.seed)
    var deaths: [Death] = []
    while let told = plan.next() {
      guard let point = try await self.live(["TJENESTEBUSS_CRASH_AT": told]) else { return deaths }
      let place = "kill \(plan.drawn) at \(point)"
      let events = try await self.migrator.withoutCommands { try await self.history.look(after: place) }
      deaths.append(Death(told: told, point: point, events: events))
      self.terminal.say(
        "kill \(deaths.count) of \(interruption.count) at \(point) (told \(told)); \(events) events in the history")
    }
    try await self.liveOn()
    return deaths
  }

  /// The power goes in turn at a point of the history, where an effect may just have gone out, and in the middle of what the daemon
  /// does to its files.
  private func dieByPowerCuts(_ interruption: Interruption, _ recorder: PowerCutRecorder) async throws -> [Death] {
    var plan = KillPlan(kills: interruption.count, seed: interruption.seed)
    var random = Seeded(interruption.seed &+ 1)
    let disk = RecordedFolder(self.folder, recorder: recorder, seed: interruption.seed &+ 2)
    var deaths: [Death] = []
    try await self.migrator.withoutCommands { self.migrator.give(try await disk.begin()) }
    while var told = plan.next() {
      var environment = ["TJENESTEBUSS_CRASH_AT": told]
      if !deaths.count.isMultiple(of: 2) {
        told = "file operation \(Int.random(in: 1...Self.fileOperations, using: &random))"
        environment = ["POWER_CUT_AT": String(told.split(separator: " ")[2])]
      }
      guard let point = try await self.live(environment) else { return deaths }
      let place = "power cut \(plan.drawn) at \(point)"
      let (cut, events) = try await self.migrator.withoutCommands {
        let cut = try await disk.cut()
        let events = try await self.history.look(after: place)
        self.migrator.give(try await disk.begin())
        return (cut, events)
      }
      deaths.append(Death(told: told, point: point, events: events))
      self.terminal.say(
        "power cut \(deaths.count) of \(interruption.count) at \(point) (told \(told)) after \(cut.operations) operations on files; "
          + "of what was not synced it lost \(cut.hadUnsynced ? "\(cut.loss)" : "nothing, since all was"); "
          + "\(events) events in the history")
    }
    try await self.liveOn()
    return deaths
  }

  /// Of one life's first operations on its files, the highest that is drawn: a start makes some thirty, each append four or more.
  private static let fileOperations = 150

  /// The last life, which ends in order.
  private func liveOn() async throws {
    guard let point = try await self.live([:]) else { return }
    throw RehearsalError.migrator(command: "run", exitCode: -1, output: "died at \(point), and was not told to")
  }

  /// One life.
  ///
  /// - Returns: the point at which it died; nil when it was stopped in order.
  private func live(_ environment: [String: String]) async throws -> String? {
    switch try await self.migrator.runDaemon(environment) {
    case .stopped: return nil
    case .killed(let point?): return point
    case .killed(nil):
      throw RehearsalError.migrator(
        command: "run", exitCode: -1, output: "ended by a signal nobody sent\n\(self.migrator.lastWords())")
    case .gaveUp(let exitCode):
      throw RehearsalError.migrator(command: "run", exitCode: exitCode, output: self.migrator.lastWords())
    }
  }
}
