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
  private var sums: [PuljeName: [BusName: DepthTrail]] = [:]

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

  /// What lay on each bus in all, of each pulje's groups that could be read, as it is now.
  public func buses() async -> [PuljeName: [BusName: DepthTrail]] {
    await self.refresh()
    return self.sums
  }

  private func refresh() async {
    let (looks, sums) = await (self.engine.watchedDepths(), self.engine.busDepths())
    for (pulje, buses) in sums {
      for (bus, point) in buses { self.sums[pulje, default: [:]][bus, default: DepthTrail()].take(point) }
    }
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

extension MigrationEngine {
  /// What lies on the buses in all by the last looks: on the one that a group is leaving, and where the other is measured on that as well.
  func busDepths() -> [PuljeName: [BusName: DepthTrail.Point]] {
    var sums: [PuljeName: [BusName: DepthTrail.Point]] = [:]
    for pulje in self.state.puljer.values {
      var buses: [BusName: DepthTrail.Point] = [:]
      func add(_ bus: BusName, _ at: Instant, _ count: Int64?) {
        var point = buses[bus] ?? DepthTrail.Point(at: at, count: nil)
        point.at = max(point.at, at)
        if let count { point.count = (point.count ?? 0) + count }
        buses[bus] = point
      }
      for group in pulje.groups {
        let (leaves, goes) =
          group.direction == .forward ? (pulje.plan.source, pulje.plan.target) : (pulje.plan.target, pulje.plan.source)
        if group.drain.watermark != nil, let at = group.drain.lastLookAt {
          add(leaves, at, group.drain.lastIsReadable ? group.drain.leftovers : nil)
        }
        if let at = group.gates.lastAt {
          let queues = group.gates.last.filter { $0.kind != .deadLetter }
          add(goes, at, queues.allSatisfy(\.isReadable) ? queues.reduce(0) { $0 + ($1.depth ?? 0) } : nil)
        }
      }
      sums[pulje.name] = buses
    }
    return sums
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
