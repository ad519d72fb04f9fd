// SPDX-License-Identifier: Apache-2.0

import BusProbe
import Foundation

/// One party, again and again until a signal, or until nobody reads any more.
struct WatchRun: Sendable {
  let herID: String?
  let interval: WatchInterval
  let target: TargetOptions
  let configuration: PingerConfiguration
  let output: OutputSettings

  init(
    herID: String?, interval: WatchInterval, _ target: TargetOptions, _ configuration: PingerConfiguration,
    _ output: OutputSettings
  ) {
    self.herID = herID
    self.interval = interval
    self.target = target
    self.configuration = configuration
    self.output = output
  }

  /// A party is not pinged more often than this: its queue is not ours.
  static let shortestWhileSending = Duration.seconds(10)

  private var pace: WatchInterval {
    self.target.noSend ? self.interval : WatchInterval(atLeast: Self.shortestWhileSending, self.interval)
  }

  /// A screen for people; lines for everything that reads.
  private var isScreen: Bool { self.output.format == .text && self.output.standard.isTerminal }
  private var name: String { self.herID ?? self.target.address ?? "" }

  /// - Returns: the worst exit code seen; nil when there was no round.
  func run() async throws -> Int32? {
    let screen = WatchScreen(self.output.language, colour: self.output.colour)
    if self.isScreen { try self.output.standard.write(WatchScreen.opening) }
    let history: WatchHistory
    do {
      history = try await self.configuration.withProbe { probe in
        try await self.rounds(PartyLooks(probe, self.target, self.configuration.vendorRecord), screen)
      }
    } catch {
      if self.isScreen { try? self.output.standard.write(WatchScreen.closing) }
      throw error
    }
    if self.isScreen { try? self.output.standard.write(WatchScreen.closing) }
    let summary = screen.summary(history, target: self.name)
    // A terminal that has been closed takes no summary; that changes nothing about what was seen.
    if self.output.format == .text { try? self.output.standard.write(summary) } else { StandardOutput.complain(summary) }
    return history.worst.map { Int32($0.rawValue) }
  }

  private func rounds(_ looks: PartyLooks, _ screen: WatchScreen) async throws -> WatchHistory {
    var history = WatchHistory(thresholds: self.output.thresholds)
    let clock = ContinuousClock()
    while !Task.isCancelled {
      let begun = clock.now
      let look = await looks.look(self.herID)
      // What a signal has cut short says nothing about the party.
      if Task.isCancelled { break }
      history.take(look)
      try self.show(history, look, screen)
      do { try await clock.sleep(until: begun + self.pace.duration) } catch { break }
    }
    return history
  }

  private func show(_ history: WatchHistory, _ look: ProbeLook, _ screen: WatchScreen) throws {
    guard self.isScreen else {
      if self.output.format == .text { return try self.output.write(screen.logLine(history)) }
      return try self.output.write(self.output.text(look, round: history.rounds))
    }
    let size = StandardOutput.size
    let title = "bus-pinger \(self.name)\(look.report.bus.map { " (\($0))" } ?? ""), \(self.pace.text)"
    let lines = screen.lines(history, title: title, columns: size.columns, rows: size.rows)
    try self.output.standard.write(WatchScreen.drawing(lines))
  }
}
