// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The glances of a pulje's groups, kept: while one group moves thousands stand as they did, and are not looked at anew.
public struct PuljeGlances: Sendable {
  /// In the order of ``PuljeState/groups``.
  public private(set) var glances: [GroupGlance] = []
  /// The wave of each group, from 1, in the same order; nil for a pulje without waves.
  public private(set) var waves: [Int?]?
  /// The wave whose groups may be cut over, from 1; one more than there are when all have been. Nil without waves.
  public private(set) var openWave: Int?
  private var kept: [(revision: Int, until: Instant)] = []
  /// What stands with each group, in the same order.
  private(set) var standings: [GroupStanding] = []
  private var standing: PuljeStanding?
  private var workedOutAt = Instant(milliseconds: .min)

  /// For so long what a group waited for is taken to stand while something is done for it, so that it does not go and come with every look.
  static let memory = TimeSpan.minutes(1)

  public init() {}

  /// Brings them up to `now`.
  ///
  /// - Returns: places of the groups that look otherwise than before, lowest first.
  public mutating func refresh(_ pulje: PuljeState, stop: Note?, now: Instant) -> [Int] {
    let contexts = pulje.contexts(stop: stop, now: now)
    let groups = pulje.groups
    let isNew = self.glances.count != groups.count
    let isWhole = isNew || self.standing != contexts.standing || now < self.workedOutAt
    // Older than that nobody knows whether it stood until the doing began.
    let isFresh = !isNew && now >= self.workedOutAt && now.since(self.workedOutAt) < Self.memory
    self.standing = contexts.standing
    self.workedOutAt = now
    if isNew {
      self.waves = pulje.waveByPlace?.map { $0.map { $0 + 1 } }
      self.glances = []
      self.standings = []
      self.kept = []
    }
    self.openWave = contexts.standing.openWave.map { $0 + 1 }
    var changed: [Int] = []
    let vendor: (HerID) -> String? = { herID in
      pulje.group(of: herID).flatMap { pulje.groups[$0]?.member(herID)?.plan.vendor }
    }
    for place in groups.indices {
      if !isWhole, self.kept[place].revision == groups[place].revision, now < self.kept[place].until { continue }
      let group = groups[place]
      var until = now
      let context = contexts.context(at: place)
      let (next, wayBack) = (group.next(in: context, now: now), WayBack(group, context: context, now: now))
      var standing = GroupStanding(group, of: pulje.name, next: next, wayBack: wayBack, context: context, now: now)
      if isFresh { standing.keepWaiting(self.standings[place]) }
      let glance = GroupGlance(
        group, next: next, wayBack: wayBack, standing: standing.codes, context: context, vendor: vendor, now: now, until: &until)
      if isNew { self.standings.append(standing) } else { self.standings[place] = standing }
      if isNew {
        self.glances.append(glance)
        self.kept.append((group.revision, until))
        changed.append(place)
      } else {
        self.kept[place] = (group.revision, until)
        guard self.glances[place] != glance else { continue }
        self.glances[place] = glance
        changed.append(place)
      }
    }
    return changed
  }
}

extension MigrationState {
  /// All that is wrong or waits for a person, as it was when `glances` were brought up to date.
  public func standingConditions(_ glances: [PuljeName: PuljeGlances]) -> StandingConditions {
    self.standingConditions { glances[$0.name]?.standings ?? [] }
  }
}
