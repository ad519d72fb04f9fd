// SPDX-License-Identifier: Apache-2.0

/// What a pulje as a whole lets its groups do at an instant: worked out once, asked for every group. While it stays the same, no
/// group's standing has changed but by what happened to the group itself, or by time.
struct PuljeStanding: Sendable, Hashable {
  fileprivate let common: GroupContext
  /// Groups in open conflict, lowest first.
  fileprivate let conflicts: [GroupID]
  fileprivate let waves: PuljeWaves?

  init(_ pulje: PuljeState, stop: Note?, now: Instant) {
    self.conflicts = pulje.groups.indices.filter { pulje.groups[$0].hasOpenConflict }.map { pulje.groups[$0].id }.sorted()
    self.waves = PuljeWaves(pulje)
    var common = GroupContext(
      pulje: pulje.name, policy: pulje.policy, isStarted: pulje.startedAt != nil, pause: pulje.pause)
    common.stop = stop
    common.calendar = pulje.policy.calendar?.standing(at: now)
    self.common = common
  }
}

/// The same, for each group of the pulje.
struct GroupContexts {
  let standing: PuljeStanding
  private let pulje: PuljeState

  init(_ pulje: PuljeState, stop: Note?, now: Instant) {
    self.standing = PuljeStanding(pulje, stop: stop, now: now)
    self.pulje = pulje
  }

  func context(for group: GroupID) -> GroupContext {
    self.pulje.groups.index(of: group).map(self.context(at:)) ?? self.standing.common
  }

  /// - Parameter place: the group's in ``PuljeState/groups``.
  func context(at place: Int) -> GroupContext {
    var context = self.standing.common
    let conflicts = self.standing.conflicts
    if !conflicts.isEmpty {
      let group = self.pulje.groups[place].id
      context.conflictElsewhere = conflicts.first { $0 != group }
    }
    if let waves = self.standing.waves, let wave = self.pulje.waveByPlace?[place] {
      context.waveAhead = waves.open < wave ? waves.open + 1 : nil
      context.budgetSpent = wave == waves.open ? waves.spent : nil
    }
    return context
  }
}

/// The waves of a started pulje: one is open at a time, and the next opens when the one before is verified.
struct PuljeWaves: Sendable, Hashable {
  /// The wave whose groups may be cut over, from 0; the number of waves when all have been.
  let open: Int
  /// Why the open wave is halted: more than 2 % of its parties do not answer (one, in a small wave).
  let spent: String?

  /// - Returns: nil for a pulje without waves.
  init?(_ pulje: PuljeState) {
    guard let waveByPlace = pulje.waveByPlace else { return nil }
    let groups = pulje.groups
    var open = pulje.plan.waves?.count ?? 0
    for place in groups.indices {
      if let wave = waveByPlace[place], wave < open, !groups[place].isPastItsWave { open = wave }
    }
    self.open = open
    self.spent = Self.spent(groups.indices.filter { waveByPlace[$0] == open }.map { groups[$0] })
  }

  private static func spent(_ groups: [GroupState]) -> String? {
    let parties = groups.reduce(0) { $0 + $1.members.count }
    let failing = groups.filter { $0.quarantine == nil && $0.hold?.code == .pingFailed && $0.direction == .forward }
    let failed = failing.reduce(0) { $0 + $1.members.count }
    guard failed * 50 > parties else { return nil }
    return
      "\(failed) of the wave's \(parties) parties do not answer: \(failing.map(\.id.description).sorted().joined(separator: ", "))"
  }
}

extension GroupState {
  /// Whether the next wave need not wait for this group: verified and draining, or taken out.
  var isPastItsWave: Bool {
    if self.quarantine != nil { return true }
    switch self.phase {
    case .draining, .drained, .observing, .accepted, .retired, .removed, .restored, .withdrawn: return true
    default: return false
    }
  }
}
