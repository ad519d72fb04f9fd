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
  private var standing: PuljeStanding?
  private var workedOutAt = Instant(milliseconds: .min)

  public init() {}

  /// Brings them up to `now`.
  ///
  /// - Returns: places of the groups that look otherwise than before, lowest first.
  public mutating func refresh(_ pulje: PuljeState, stop: Note?, now: Instant) -> [Int] {
    let contexts = pulje.contexts(stop: stop, now: now)
    let groups = pulje.groups
    let isNew = self.glances.count != groups.count
    let isWhole = isNew || self.standing != contexts.standing || now < self.workedOutAt
    self.standing = contexts.standing
    self.workedOutAt = now
    if isNew {
      self.waves = pulje.waveByPlace?.map { $0.map { $0 + 1 } }
      self.glances = []
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
      let glance = GroupGlance(group, context: contexts.context(at: place), vendor: vendor, now: now, until: &until)
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
