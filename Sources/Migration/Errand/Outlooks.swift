// SPDX-License-Identifier: Apache-2.0

/// Whether each group of a pulje has something to do, waits or is done, as it was when it was last worked out: while one group
/// moves thousands wait, and what they wait for is not worked out anew at every turn.
///
/// A standing holds until something happens to the group, to what the pulje lets it do, until the end that its wait names, or until
/// the clock is set back.
struct Outlooks: Sendable {
  enum Outlook: Sendable {
    case act
    case wait(until: Instant?)
    case done

    init(_ next: GroupNext) {
      self =
        switch next {
        case .act: .act
        case .wait(let reason): .wait(until: reason.until)
        case .done: .done
        }
    }

    func holds(at now: Instant) -> Bool {
      if case .wait(let until?) = self { now < until } else { true }
    }
  }

  private var entries: [(revision: Int, outlook: Outlook)] = []
  private var standing: PuljeStanding?
  private var workedOutAt = Instant(milliseconds: .min)

  /// - Parameter place: the group's in ``PuljeState/groups``.
  subscript(place: Int) -> Outlook { self.entries[place].outlook }

  mutating func refresh(_ groups: GroupList, _ contexts: GroupContexts, now: Instant) {
    if self.standing != contexts.standing || self.entries.count != groups.count || now < self.workedOutAt {
      self.standing = contexts.standing
      self.entries = groups.indices.map { place in
        let group = groups[place]
        return (group.revision, Outlook(group.next(in: contexts.context(at: place), now: now)))
      }
    } else {
      for place in groups.indices {
        let entry = self.entries[place]
        if entry.revision == groups[place].revision, entry.outlook.holds(at: now) { continue }
        let group = groups[place]
        self.entries[place] = (group.revision, Outlook(group.next(in: contexts.context(at: place), now: now)))
      }
    }
    self.workedOutAt = now
  }
}
