// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import Migration
import MigrationEngine
import NIOConcurrencyHelpers
import ServiceLifecycle
import TjenestebussClient

/// Counts how the groups' time is spent while the daemon runs, and shows everything in figures when somebody asks.
final class MetricsControl: Service {
  private let state: @Sendable () async -> (state: MigrationState, sequence: Int64)
  private let news: EngineNews
  private let clock: any MigrationClock
  private let environment: String?
  private let startedAt: Instant
  private let untold: @Sendable () async -> [String: Int]
  private let isRecovered: @Sendable () -> Bool
  private let tally = NIOLockedValueBox(SpendingTally())

  /// - Parameter untold: what is still to be told, by channel.
  init(
    news: EngineNews, clock: any MigrationClock, environment: String?, startedAt: Instant,
    untold: @escaping @Sendable () async -> [String: Int], isRecovered: @escaping @Sendable () -> Bool,
    state: @escaping @Sendable () async -> (state: MigrationState, sequence: Int64)
  ) {
    self.news = news
    self.clock = clock
    self.environment = environment
    self.startedAt = startedAt
    self.untold = untold
    self.isRecovered = isRecovered
    self.state = state
  }

  /// Looks when something has happened, at most every few seconds, and else once a minute.
  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        let sequence = self.news.sequence
        if self.isRecovered() { _ = self.observe(await self.state().state) }
        let begun = self.clock.now
        await self.news.wait(after: sequence, within: .minutes(1), clock: self.clock)
        try? await self.clock.sleep(until: begun + .seconds(5))
      }
    }
    try? await gracefulShutdown()
  }

  private func observe(_ state: MigrationState) -> (figures: [PuljeFigures], spent: SpendingTally) {
    let now = self.clock.now
    let figures = state.ordered.map { PuljeFigures($0, stop: state.stop, now: now) }
    let spent = self.tally.withLockedValue { tally in
      tally.observe(state, now: now)
      return tally
    }
    return (figures, spent)
  }

  func page() async -> String {
    let isRecovered = self.isRecovered()
    let (state, sequence) = await self.state()
    let (figures, spent) = self.observe(state)
    let now = self.clock.now
    return MetricsPicture(
      now: now, version: TjenestebussVersion.current, environment: self.environment, isRecovered: isRecovered, sequence: sequence,
      starts: state.starts, isLineStopped: state.stop != nil, puljer: figures, spent: spent,
      conditions: state.standingConditions(now: now).conditions, untold: await self.untold(),
      process: .current(startedAt: self.startedAt)
    ).page
  }

  func add(to router: Router<ControlContext>) {
    router.on(.metrics) { _, _ in
      await ControlAnswer.of("text/plain; version=0.0.4; charset=utf-8") { Data(await self.page().utf8) }
    }
  }
}
