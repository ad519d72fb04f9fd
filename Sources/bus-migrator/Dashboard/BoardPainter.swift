// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationEngine

/// Paints pictures of the state, one after the other, and looks anew only at what has changed: one painter for all who watch.
struct BoardPainter: Sendable {
  private var glances: [PuljeName: PuljeGlances] = [:]
  private var plans: [PuljeName: [BoardPicture.GroupPlan]] = [:]
  private(set) var picture: BoardPicture?

  /// Senders and classes of late messages that are shown of a pulje.
  static let lateShown = 40

  /// - Returns: what has changed since the picture before; nil when it is the first, or there are other puljer.
  mutating func paint(
    _ state: MigrationState, sequence: Int64, now: Instant, depths: [PuljeName: [BoardPicture.Depth]]
  ) -> [BoardChange]? {
    let line = BoardPicture.Line(
      stop: state.stop, closedBuses: Dictionary(uniqueKeysWithValues: state.closedBuses.map { ($0.key.text, $0.value) }))
    var places: [PuljeName: [Int]] = [:]
    var puljer: [BoardPicture.Pulje] = []
    let before = self.picture
    var groups = before?.groups ?? [:]
    for pulje in state.ordered {
      let name = pulje.name
      // Out of the dictionary and back, so that it is changed where it lies.
      var glances = self.glances.removeValue(forKey: name) ?? PuljeGlances()
      let changed = glances.refresh(pulje, stop: state.stop, now: now)
      places[name] = changed
      let plans = self.plans[name] ?? Self.plans(pulje, glances)
      self.plans[name] = plans
      if var painted = groups.removeValue(forKey: name), painted.count == glances.glances.count {
        for place in changed { painted[place].glance = glances.glances[place] }
        groups[name] = painted
      } else {
        groups[name] = pulje.groups.indices.map {
          BoardPicture.Group(id: pulje.groups[$0].id, plan: plans[$0], glance: glances.glances[$0])
        }
      }
      puljer.append(Self.pulje(pulje, glances, depths: depths[name] ?? [], now: now))
      self.glances[name] = glances
    }
    let picture = BoardPicture(
      sequence: sequence, now: now, line: line, puljer: puljer, groups: groups,
      alerts: state.standingConditions(self.glances).subjects.map(BoardAlert.init))
    self.picture = picture
    return before.flatMap { picture.changes(since: $0, places: places) }
  }

  private static func plans(_ pulje: PuljeState, _ glances: PuljeGlances) -> [BoardPicture.GroupPlan] {
    pulje.groups.indices.map { place in
      BoardPicture.GroupPlan(
        wave: glances.waves?[place],
        parties: pulje.groups[place].members.map {
          .init(herID: $0.herID, name: $0.plan.before.name, vendor: $0.plan.vendor)
        })
    }
  }

  private static func pulje(
    _ pulje: PuljeState, _ glances: PuljeGlances, depths: [BoardPicture.Depth], now: Instant
  ) -> BoardPicture.Pulje {
    BoardPicture.Pulje(
      name: pulje.name, phase: pulje.phase(now: now), source: pulje.plan.source, target: pulje.plan.target,
      planHash: pulje.planHash, sealedBy: pulje.sealedBy, sealedAt: pulje.sealedAt, startedAt: pulje.startedAt,
      approvals: pulje.approvals, approvalsNeeded: pulje.policy.approvals, paused: pulje.pause,
      waves: pulje.plan.waves.map { waves in waves.indices.map { pulje.herIDs(inWave: $0 + 1)?.count ?? 0 } },
      openWave: glances.openWave, depths: depths, late: Self.late(glances.glances),
      quietPeriod: pulje.policy.quietPeriod, watchPeriod: pulje.policy.watchPeriod, lookInterval: pulje.policy.lookInterval,
      hasWindows: pulje.policy.calendar != nil)
  }

  private static func late(_ glances: [GroupGlance]) -> [GroupGlance.Late] {
    struct Key: Hashable {
      var strandedClass: StrandedClass
      var sender: HerID?
    }
    var sums: [Key: GroupGlance.Late] = [:]
    for glance in glances {
      for late in glance.late {
        let key = Key(strandedClass: late.strandedClass, sender: late.sender)
        if sums[key] == nil { sums[key] = late } else { sums[key]?.count += late.count }
      }
    }
    let all = sums.values.sorted { ($1.count, $0.code, $0.sender?.value ?? 0) < ($0.count, $1.code, $1.sender?.value ?? 0) }
    return Array(all.prefix(Self.lateShown))
  }
}
