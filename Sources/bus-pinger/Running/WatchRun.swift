// SPDX-License-Identifier: Apache-2.0

import BusProbe
import Foundation
import NIOConcurrencyHelpers
import UnixSignals

/// One party, again and again until a signal, or until nobody reads any more.
struct WatchRun: Sendable {
  let herID: String?
  let pace: WatchPace
  let target: TargetOptions
  let configuration: PingerConfiguration
  let output: OutputSettings

  init(
    herID: String?, interval: WatchInterval, _ target: TargetOptions, _ configuration: PingerConfiguration,
    _ output: OutputSettings
  ) {
    self.herID = herID
    self.pace = WatchPace(interval, target, configuration)
    self.target = target
    self.configuration = configuration
    self.output = output
  }

  /// A screen for people; lines for everything that reads.
  private var isScreen: Bool { self.output.format == .text && self.output.standard.isTerminal }
  private var name: String { self.herID ?? self.target.address ?? "" }

  /// - Returns: the worst exit code seen; nil when there was no round.
  func run() async throws -> Int32? {
    let screen = WatchScreen(self.output.language, colour: self.output.colour)
    let history = NIOLockedValueBox(WatchHistory(thresholds: self.output.thresholds))
    if self.isScreen {
      Interruption.lastWords.withLockedValue { $0 = WatchScreen.closing }
      try self.output.standard.write(WatchScreen.opening)
    } else if self.pace.isSlowed {
      StandardOutput.complain("\(screen.pace(self.pace.interval.text, isSlowed: true))\n")
    }
    var failure: (any Error)?
    do {
      try await self.configuration.withProbe { probe in
        try await self.watch(PartyLooks(probe, self.target, self.configuration.vendorRecord), screen, history)
      }
    } catch is StandardOutput.Closed where self.isScreen {
      // The terminal is gone, and SIGHUP is on its way: what was seen stands.
    } catch {
      failure = error
    }
    if self.isScreen {
      try? self.output.standard.write(WatchScreen.closing)
      Interruption.lastWords.withLockedValue { $0 = "" }
    }
    if let failure { throw failure }
    let seen = history.withLockedValue { $0 }
    let summary = screen.summary(seen, target: self.name)
    // A terminal that has been closed takes no summary; that changes nothing about what was seen.
    if self.output.format == .text { try? self.output.standard.write(summary) } else { StandardOutput.complain(summary) }
    return seen.worst.map { Int32($0.rawValue) }
  }

  private func watch(_ looks: PartyLooks, _ screen: WatchScreen, _ history: NIOLockedValueBox<WatchHistory>) async throws {
    guard self.isScreen else { return try await self.rounds(looks, screen, history) }
    // A window that changes its size, or comes back, is drawn at once: the next round may be a minute away.
    let signals = await UnixSignalsSequence(trapping: .sigwinch, .sigcont)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await self.rounds(looks, screen, history)
        return true
      }
      group.addTask {
        for await signal in signals {
          if signal == .sigcont { try self.output.standard.write(WatchScreen.opening) }
          let seen = history.withLockedValue { $0 }
          if let last = seen.last { try self.draw(seen, last, screen) }
        }
        return false
      }
      defer { group.cancelAll() }
      while let isOver = try await group.next(), !isOver {}
    }
  }

  private func rounds(
    _ looks: PartyLooks, _ screen: WatchScreen, _ history: NIOLockedValueBox<WatchHistory>
  ) async throws {
    let clock = ContinuousClock()
    while !Task.isCancelled {
      let begun = clock.now
      let look = await looks.look(self.herID)
      // What a signal has cut short says nothing about the party.
      if Task.isCancelled { break }
      let wait = self.pace.untilNext(look, taken: clock.now - begun)
      let seen = history.withLockedValue { history in
        history.take(look)
        return history
      }
      try self.show(seen, look, screen)
      do { try await clock.sleep(until: begun + wait) } catch { break }
    }
  }

  private func show(_ history: WatchHistory, _ look: ProbeLook, _ screen: WatchScreen) throws {
    guard self.isScreen else {
      if self.output.format == .text { return try self.output.write(screen.logLine(history)) }
      return try self.output.write(self.output.text(look, round: history.rounds))
    }
    try self.draw(history, look, screen)
  }

  private func draw(_ history: WatchHistory, _ look: ProbeLook, _ screen: WatchScreen) throws {
    let size = StandardOutput.size
    let bus = look.report.bus.map { " (\($0))" } ?? ""
    let title = "bus-pinger \(self.name)\(bus), \(screen.pace(self.pace.interval.text, isSlowed: self.pace.isSlowed))"
    let lines = screen.lines(history, title: title, columns: size.columns, rows: size.rows)
    try self.output.standard.write(WatchScreen.drawing(lines))
  }
}
