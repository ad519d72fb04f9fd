// SPDX-License-Identifier: Apache-2.0

/// When a pulje could be where, if it were started at ``start`` and nothing failed: the earliest times, not promises.
///
/// What people must do is not in it: approvals, vendors' restarts, a register that is written by hand.
public struct PlanEstimate: Sendable, Hashable, Codable {
  /// How fast the world is taken to be.
  public struct Pace: Sendable, Hashable, Codable {
    /// One register entry: read, written, read back.
    public var write: TimeSpan = .seconds(5)
    /// Entries written at once.
    public var concurrentWrites: Int = 4
    /// From the last read-back of a group until its pings have been looked at.
    public var verification: TimeSpan = .minutes(1)
    /// What the register may be asked; nil for no bound. Above so many entries it is this that a wave's time comes from.
    public var registerRate: TokenBucket.Rate?

    /// An entry is read for the snapshot, before the intent, right before and after the write, and read back; and written.
    static let callsPerEntry: Int64 = 6

    /// How long `writes` entries take.
    func time(writes: Int) -> TimeSpan {
      let rounds = (writes + max(1, self.concurrentWrites) - 1) / max(1, self.concurrentWrites)
      let ours = self.write * Int64(rounds)
      guard let registerRate else { return ours }
      return max(ours, .milliseconds(Int64(writes) * Self.callsPerEntry * registerRate.span.milliseconds / registerRate.calls))
    }

    public init() {}
  }

  public struct Wave: Sendable, Hashable, Codable {
    /// From 1.
    public var number: Int
    public var groups: Int
    public var writes: Int
    public var begins: Instant
    public var ends: Instant
  }

  public var start: Instant
  public var pace: Pace
  /// Wave by wave; one when all go at once. Those for which no window opens within two years are not in it.
  public var waves: [Wave]
  /// When every group has been cut over and answers; nil when that never comes, for want of a window.
  public var moved: Instant?
  /// When the last group's quiet period could be over.
  public var drained: Instant?
  /// When somebody may decide.
  public var decision: Instant?

  public init(_ plan: Plan, start: Instant, pace: Pace = Pace()) {
    self.start = start
    self.pace = pace
    self.waves = []
    let writesByGroup = Dictionary(
      plan.groups.map { ($0.id, $0.members.count(where: \.isWritten)) }, uniquingKeysWith: { first, _ in first })
    var now: Instant? = start
    for (index, groups) in (plan.waves ?? [plan.groups.map(\.id)]).enumerated() {
      guard let earliest = now, let begins = Self.opening(at: earliest, plan.policy.calendar) else { return }
      let writes = groups.reduce(0) { $0 + (writesByGroup[$1] ?? 0) }
      guard let written = Self.pass(pace.time(writes: writes), from: begins, plan.policy.calendar) else { return }
      let ends = written + pace.verification
      self.waves.append(Wave(number: index + 1, groups: groups.count, writes: writes, begins: begins, ends: ends))
      now = ends
    }
    guard let moved = now, !self.waves.isEmpty else { return }
    self.moved = moved
    let drained = plan.policy.quietEnd(since: moved)
    self.drained = drained
    self.decision = drained + plan.policy.watchPeriod
  }

  /// `instant`, or when the calendar opens next.
  private static func opening(at instant: Instant, _ calendar: CutoverCalendar?) -> Instant? {
    switch calendar?.standing(at: instant) {
    case nil, .open: instant
    case .outsideWindows(let opens), .frozen(_, let opens): opens
    }
  }

  /// When `work` is done that only goes on while the calendar is open.
  private static func pass(_ work: TimeSpan, from start: Instant, _ calendar: CutoverCalendar?) -> Instant? {
    guard let calendar else { return start + work }
    var left = work
    var now = start
    // Each turn is one window; ten years of nights are enough to say "never".
    for _ in 0..<3_660 {
      guard let opens = Self.opening(at: now, calendar) else { return nil }
      guard case .open(let until) = calendar.standing(at: opens) else { return nil }
      guard let until, until.since(opens) < left else { return opens + left }
      left = .milliseconds(left.milliseconds - until.since(opens).milliseconds)
      now = until
    }
    return nil
  }
}
