// SPDX-License-Identifier: Apache-2.0

/// What a pulje as a whole lets its groups do at an instant: worked out once, asked for every group. While it stays the same, no
/// group's standing has changed but by what happened to the group itself, or by time.
struct PuljeStanding: Sendable, Hashable {
  fileprivate let common: GroupContext
  /// Groups in open conflict, lowest first.
  fileprivate let conflicts: [GroupID]
  fileprivate let waves: PuljeWaves?

  /// The wave whose groups may be cut over, from 0; nil for a pulje without waves. Kept and not asked of ``waves``: Swift 6.3.1 ends with an
  /// error of its own when it optimises what asks (CopyPropagation).
  let openWave: Int?

  init(_ pulje: PuljeState, stop: Note?, now: Instant) {
    self.conflicts = pulje.groups.ids { $0.hasOpenConflict }.sorted()
    let waves = PuljeWaves(pulje)
    self.waves = waves
    self.openWave = waves?.open
    var common = GroupContext(
      pulje: pulje.name, sealed: pulje.sealedPolicy, isStarted: pulje.startedAt != nil, pause: pulje.pause)
    common.stop = stop
    common.sourceDialect = pulje.plan.sourceDialect
    common.targetDialect = pulje.plan.targetDialect
    // The calendar is asked while there is a group that it may keep back; it reckons with days and clocks, which is dear.
    if let calendar = pulje.policy.calendar, pulje.groups.contains(where: { _, group in group.heedsCalendar }) {
      common.calendar = calendar.standing(at: now)
    }
    self.common = common
  }
}

/// The same, for each group of the pulje.
struct GroupContexts {
  let standing: PuljeStanding
  private let groups: GroupList
  private let waveByPlace: [Int?]?

  init(_ pulje: PuljeState, stop: Note?, now: Instant) {
    self.init(PuljeStanding(pulje, stop: stop, now: now), of: pulje)
  }

  /// - Parameter standing: worked out before; it still holds.
  init(_ standing: PuljeStanding, of pulje: PuljeState) {
    self.standing = standing
    self.groups = pulje.groups
    self.waveByPlace = pulje.waveByPlace
  }

  func context(for group: GroupID) -> GroupContext {
    self.groups.index(of: group).map(self.context(at:)) ?? self.standing.common
  }

  /// - Parameter place: the group's in ``PuljeState/groups``.
  func context(at place: Int) -> GroupContext {
    var context = self.standing.common
    let conflicts = self.standing.conflicts
    if !conflicts.isEmpty {
      let group = self.groups[place].id
      context.conflictElsewhere = conflicts.first { $0 != group }
    }
    if let waves = self.standing.waves, let wave = self.waveByPlace?[place] {
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
    guard let waves = pulje.plan.waves, let waveByPlace = pulje.waveByPlace else { return nil }
    var open = waves.count
    _ = pulje.groups.contains { place, group in
      if let wave = waveByPlace[place], !group.isPastItsWave { open = min(open, wave) }
      return open == 0
    }
    self.open = open
    var parties = 0
    var failed = 0
    var failing: [GroupID] = []
    _ = pulje.groups.contains { place, group in
      guard waveByPlace[place] == open else { return false }
      parties += group.members.count
      if group.failsItsWave {
        failed += group.members.count
        failing.append(group.id)
      }
      return false
    }
    guard failed * 50 > parties else {
      self.spent = nil
      return
    }
    let names = failing.map(\.description).sorted().joined(separator: ", ")
    self.spent = "\(failed) of the wave's \(parties) parties do not answer: \(names)"
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

  /// It is held because its party does not answer where it was moved to: on the way back nothing is held for that.
  var failsItsWave: Bool { self.quarantine == nil && self.hold?.code == .pingFailed }
}
