// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// The trails of all groups that are watched, as long as this process lives. A display's memory and no evidence: what was seen is in the
/// history; after a start a trail begins with the last two looks that the ledger keeps.
public actor DepthTrails {
  private let engine: MigrationEngine
  private let news: EngineNews
  private let clock: any MigrationClock
  private var trails: [Roster.Key: DepthTrail] = [:]

  /// Between two looks at the engine's state.
  static let pause = TimeSpan.seconds(1)

  public init(engine: MigrationEngine, news: EngineNews, clock: any MigrationClock = SystemMigrationClock()) {
    self.engine = engine
    self.news = news
    self.clock = clock
  }

  /// Follows the engine until cancelled.
  public func run() async {
    var seen: Int64 = 0
    while !Task.isCancelled {
      await self.news.wait(after: seen)
      seen = self.news.sequence
      await self.refresh()
      // Whatever happens in between is seen at the next look.
      guard (try? await self.clock.sleep(until: self.clock.now + Self.pause)) != nil else { return }
    }
  }

  /// The trails as they are now.
  public func snapshot() async -> [Roster.Key: DepthTrail] {
    await self.refresh()
    return self.trails
  }

  private func refresh() async {
    let looks = await self.engine.watchedDepths()
    for (key, points) in looks { for point in points { self.trails[key, default: DepthTrail()].take(point) } }
    for key in Array(self.trails.keys) where looks[key] == nil { self.trails[key] = nil }
  }
}

extension MigrationEngine {
  /// The looks that the ledgers hold of groups that are watched, oldest first.
  func watchedDepths() -> [Roster.Key: [DepthTrail.Point]] {
    var looks: [Roster.Key: [DepthTrail.Point]] = [:]
    for pulje in self.state.puljer.values {
      for group in pulje.groups where group.drain.watermark != nil {
        looks[Roster.Key(pulje: pulje.name, group: group.id)] = group.drain.points
      }
    }
    return looks
  }
}

extension DrainLedger {
  /// The last looks, as far as the ledger keeps them.
  var points: [DepthTrail.Point] {
    var points = self.previousLeftovers.map { [DepthTrail.Point(at: $0.at, count: $0.count)] } ?? []
    if let at = self.lastLookAt { points.append(DepthTrail.Point(at: at, count: self.lastIsReadable ? self.leftovers : nil)) }
    return points
  }
}
