// SPDX-License-Identifier: Apache-2.0

/// What a pulje as a whole lets each of its groups do: worked out once, asked for every group.
struct GroupContexts {
  private let common: GroupContext
  /// Groups in open conflict, lowest first; two are enough to find one that is another's.
  private let conflicts: [GroupID]
  private let waves: PuljeWaves?

  init(_ pulje: PuljeState, stop: Note?, now: Instant?) {
    self.conflicts = pulje.groups.values.filter(\.hasOpenConflict).map(\.id).sorted()
    self.waves = PuljeWaves(pulje)
    var common = GroupContext(
      pulje: pulje.name, policy: pulje.policy, isStarted: pulje.startedAt != nil, pause: pulje.pause)
    common.stop = stop
    if let now, let calendar = pulje.policy.calendar {
      common.standing = CalendarStanding(at: now, standing: calendar.standing(at: now))
    }
    self.common = common
  }

  func context(for group: GroupID) -> GroupContext {
    var context = self.common
    context.conflictElsewhere = self.conflicts.first { $0 != group }
    if let waves, let wave = waves.wave(of: group) {
      context.waveAhead = waves.open < wave ? waves.open + 1 : nil
      context.budgetSpent = wave == waves.open ? waves.spent : nil
    }
    return context
  }
}

/// The waves of a started pulje: one is open at a time, and the next opens when the one before is verified.
struct PuljeWaves {
  /// The wave whose groups may be cut over, from 0; the number of waves when all have been.
  let open: Int
  /// Why the open wave is halted: more than 2 % of its parties do not answer (one, in a small wave).
  let spent: String?
  private let waveByGroup: [GroupID: Int]

  /// - Returns: nil for a pulje without waves.
  init?(_ pulje: PuljeState) {
    guard let waves = pulje.plan.waves else { return nil }
    var waveByGroup: [GroupID: Int] = [:]
    for (index, groups) in waves.enumerated() { for group in groups { waveByGroup[group] = index } }
    self.waveByGroup = waveByGroup
    let open = waves.firstIndex { $0.contains { id in pulje.groups[id].map { !$0.isPastItsWave } ?? false } } ?? waves.count
    self.open = open
    self.spent = open < waves.count ? Self.spent(waves[open].compactMap { pulje.groups[$0] }) : nil
  }

  func wave(of group: GroupID) -> Int? { self.waveByGroup[group] }

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
