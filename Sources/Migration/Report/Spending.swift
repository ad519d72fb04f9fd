// SPDX-License-Identifier: Apache-2.0

/// What a group's time goes into. This is the one definition: metrics count by it while time passes, and the pilot report by it from events, long
/// after.
public enum Spending: String, Sendable, Hashable, CaseIterable {
  /// The next step is the daemon's, and has been for no longer than ``longestStep``.
  case working
  /// It waits for a time, for another group, or for a daemon that does not come to it.
  case time
  case person

  /// No step of the daemon's takes longer: what does waits for its turn, or for a daemon that is away.
  public static let longestStep = TimeSpan.minutes(1)
}

extension WaitReason {
  public var spending: Spending { self.clears == .person ? .person : .time }
}

/// Milliseconds of groups' time.
public struct TimeSpent: Sendable, Hashable {
  public var working: Int64 = 0
  public var time: Int64 = 0
  public var person: Int64 = 0

  public init() {}

  public subscript(spending: Spending) -> Int64 {
    switch spending {
    case .working: self.working
    case .time: self.time
    case .person: self.person
    }
  }

  mutating func add(_ spending: Spending, _ milliseconds: Int64) {
    switch spending {
    case .working: self.working += milliseconds
    case .time: self.time += milliseconds
    case .person: self.person += milliseconds
    }
  }

  public static func += (lhs: inout TimeSpent, rhs: TimeSpent) {
    lhs.working += rhs.working
    lhs.time += rhs.time
    lhs.person += rhs.person
  }
}

/// One group's time, from look to look: what stood at one is taken to have stood until the next, or until the group was to be looked at by
/// itself. A closed group's time is nobody's.
struct SpendingCount: Sendable, Hashable {
  private(set) var spent = TimeSpent()
  private var standing: Spending?
  /// Since when the next step is the daemon's; nil while it is not.
  private var dueAt: Instant?
  private var revision: Int?
  private var at: Instant
  /// When what stands may end without an event.
  private var until: Instant?

  init(at now: Instant) { self.at = now }

  /// - Parameter next: what the group does or waits for at `now`.
  mutating func look(_ group: borrowing GroupState, next: GroupNext, at now: Instant) {
    self.credit(until: now)
    if self.revision != group.revision { self.dueAt = nil }
    self.revision = group.revision
    self.until = nil
    guard !group.phase.isClosed else {
      self.standing = nil
      return
    }
    switch next {
    case .act:
      self.dueAt = self.dueAt ?? now
      self.standing = .working
    case .wait(let reason):
      self.dueAt = nil
      self.standing = reason.spending
      self.until = reason.until
    case .done: self.standing = nil
    }
  }

  /// Goes on to `now` with a group to which nothing has happened since the last look.
  mutating func advance(_ group: borrowing GroupState, to now: Instant, next: (Instant) -> GroupNext) {
    // Each look is later than the one before.
    while let until, self.at < until, until < now { self.look(group, next: next(until), at: until) }
    self.credit(until: now)
  }

  private mutating func credit(until now: Instant) {
    // A clock that is set back counts for nothing.
    defer { self.at = now }
    guard let standing, now > self.at else { return }
    guard standing == .working, let dueAt else { return self.spent.add(standing, now.since(self.at).milliseconds) }
    let end = min(now, max(self.at, dueAt + Spending.longestStep))
    self.spent.add(.working, end.since(self.at).milliseconds)
    self.spent.add(.time, now.since(end).milliseconds)
  }
}

/// The time of a pulje's groups, each in the plan's order.
public struct SpendingBook: Sendable {
  private var counts: [SpendingCount]
  private var standing: PuljeStanding
  /// Which of the groups weigh on the others: in conflict, past their wave, failing it.
  private var weights: [UInt8]

  public init(_ pulje: PuljeState, stop: Note?, now: Instant) {
    self.counts = pulje.groups.map { _ in SpendingCount(at: now) }
    self.standing = PuljeStanding(pulje, stop: stop, now: now)
    self.weights = pulje.groups.map { $0.weightOnOthers }
    self.look(pulje, stop: stop, now: now)
  }

  /// All groups' together.
  public var spent: TimeSpent { self.counts.reduce(into: TimeSpent()) { $0 += $1.spent } }

  /// - Parameter place: the group's in ``PuljeState/groups``.
  public func spent(at place: Int) -> TimeSpent { self.counts[place].spent }

  /// Looks at all groups, whatever has happened to them since the last time.
  public mutating func look(_ pulje: PuljeState, stop: Note?, now: Instant) {
    self.standing = PuljeStanding(pulje, stop: stop, now: now)
    let contexts = GroupContexts(self.standing, of: pulje)
    for place in pulje.groups.indices {
      let next = pulje.groups[place].next(in: contexts.context(at: place), now: now)
      self.counts[place].look(pulje.groups[place], next: next, at: now)
    }
  }

  /// Goes on to `now`, when something is about to happen: to one group, or to all.
  public mutating func advance(_ pulje: PuljeState, only id: GroupID? = nil, to now: Instant) {
    let contexts = GroupContexts(self.standing, of: pulje)
    let places = id.map { pulje.groups.index(of: $0).map { $0..<$0 + 1 } ?? 0..<0 } ?? pulje.groups.indices
    for place in places {
      let context = contexts.context(at: place)
      // Its days and windows pass without an event.
      let calendar = pulje.groups[place].heedsCalendar ? pulje.policy.calendar : nil
      self.counts[place].advance(pulje.groups[place], to: now) { instant in
        var context = context
        if let calendar { context.calendar = calendar.standing(at: instant) }
        return pulje.groups[place].next(in: context, now: instant)
      }
    }
  }

  /// Something has happened at `now`, to one group or to all; ``advance(_:only:to:)`` went before it.
  public mutating func happened(_ pulje: PuljeState, only id: GroupID? = nil, stop: Note?, now: Instant) {
    guard let id, let place = pulje.groups.index(of: id) else { return self.look(pulje, stop: stop, now: now) }
    let weight = pulje.groups[place].weightOnOthers
    if weight != self.weights[place] {
      self.weights[place] = weight
      let standing = PuljeStanding(pulje, stop: stop, now: now)
      if standing != self.standing {
        // The others were left as they stood.
        self.advance(pulje, to: now)
        return self.look(pulje, stop: stop, now: now)
      }
    }
    var context = GroupContexts(self.standing, of: pulje).context(at: place)
    if let calendar = pulje.policy.calendar, pulje.groups[place].heedsCalendar { context.calendar = calendar.standing(at: now) }
    self.counts[place].look(pulje.groups[place], next: pulje.groups[place].next(in: context, now: now), at: now)
  }
}

extension GroupState {
  fileprivate var weightOnOthers: UInt8 {
    (self.hasOpenConflict ? 1 : 0) | (self.isPastItsWave ? 2 : 0) | (self.failsItsWave ? 4 : 0)
  }
}
