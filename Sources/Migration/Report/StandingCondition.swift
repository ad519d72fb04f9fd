// SPDX-License-Identifier: Apache-2.0

/// Something that is wrong, or waits for a person, for as long as it lasts: people are told once when it begins and once when it ends.
public struct StandingCondition: Sendable, Hashable, Codable {
  public enum Weight: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// Somebody is asked for something; nothing is wrong.
    case person
    /// It may clear itself: people hear of it when it has not for long.
    case warning
    /// It does not clear itself, or something is not as anybody wants it.
    case alarm

    public static func < (one: Self, other: Self) -> Bool {
      Self.allCases.firstIndex(of: one).unsafelyUnwrapped < Self.allCases.firstIndex(of: other).unsafelyUnwrapped
    }
  }

  /// What makes it the same one, however its words change.
  public struct Key: Sendable, Hashable, Codable, Comparable {
    public var code: String
    public var pulje: PuljeName?
    public var group: GroupID?

    public init(code: String, pulje: PuljeName? = nil, group: GroupID? = nil) {
      self.code = code
      self.pulje = pulje
      self.group = group
    }

    private var order: (String, String, String) { (self.pulje?.text ?? "", self.code, self.group.map(\.description) ?? "") }
    public static func < (one: Self, other: Self) -> Bool { one.order < other.order }
  }

  public var key: Key
  public var weight: Weight
  public var since: Instant
  /// In words, without health data.
  public var seen: String

  public init(_ key: Key, weight: Weight, since: Instant, seen: String) {
    self.key = key
    self.weight = weight
    self.since = since
    self.seen = seen
  }
}

/// Everything that is wrong or waits for a person at one instant.
public struct StandingConditions: Sendable, Hashable {
  /// In order of their keys.
  public var conditions: [StandingCondition] = []
  /// Groups for which something is being done just now, a look among it: whether what stood with them stands still shows when it is done.
  public var acting: Set<StandingCondition.Key> = []

  public init(conditions: [StandingCondition] = [], acting: Set<StandingCondition.Key> = []) {
    self.conditions = conditions
    self.acting = acting
  }

  /// Whether it is not known now if `key` stands.
  func isOpen(_ key: StandingCondition.Key) -> Bool {
    !self.acting.isEmpty && self.acting.contains(StandingCondition.Key(code: "", pulje: key.pulje, group: key.group))
  }

  fileprivate mutating func act(_ pulje: PuljeName, _ group: GroupID) {
    self.acting.insert(StandingCondition.Key(code: "", pulje: pulje, group: group))
  }
}

extension MigrationState {
  /// All that is wrong or waits for a person now.
  public func standingConditions(now: Instant) -> StandingConditions {
    var standing = StandingConditions()
    if let stop = self.stop {
      standing.conditions.append(
        StandingCondition(
          .init(code: WaitReason.Code.lineStopped.rawValue), weight: .alarm, since: stop.at,
          seen: "stopped by \(stop.by): \(stop.why)"))
    }
    for pulje in self.ordered where pulje.isOpen { pulje.addConditions(to: &standing, stop: self.stop, now: now) }
    standing.conditions.sort { $0.key < $1.key }
    return standing
  }
}

extension PuljeState {
  fileprivate func addConditions(to standing: inout StandingConditions, stop: Note?, now: Instant) {
    if let pause = self.pause {
      standing.conditions.append(
        StandingCondition(
          .init(code: WaitReason.Code.paused.rawValue, pulje: self.name), weight: .person, since: pause.at,
          seen: "paused by \(pause.by): \(pause.why)"))
    }
    let contexts = self.contexts(stop: stop, now: now)
    // What keeps a whole pulje is told once, not for each of its groups.
    var ofPulje: [WaitReason.Code: WaitReason] = [:]
    for place in self.groups.indices {
      let group = self.groups[place]
      if group.phase.isClosed { continue }
      let context = contexts.context(at: place)
      let key = { (code: String) in StandingCondition.Key(code: code, pulje: self.name, group: group.id) }
      switch group.next(in: context, now: now) {
      case .act: standing.act(self.name, group.id)
      case .done: break
      case .wait(let wait):
        if wait.code.isOfPulje {
          if self.startedAt != nil, wait.code != .lineStopped, wait.code != .paused {
            ofPulje[wait.code] = ofPulje[wait.code].map { $0.since <= wait.since ? $0 : wait } ?? wait
          }
        } else if let weight = wait.weight(group: group, context: context, now: now) {
          // A hold is told by its own code: that says what to do.
          let code = wait.code == .held ? group.hold?.code.rawValue : nil
          standing.conditions.append(
            StandingCondition(key(code ?? wait.code.rawValue), weight: weight, since: wait.since, seen: wait.seen))
        }
      }
      if let stale = group.drain.staleSender, stale.endedAt == nil {
        let queues = stale.queues.map(\.description).joined(separator: ", ")
        standing.conditions.append(
          StandingCondition(key(StaleSender.code), weight: .alarm, since: stale.since, seen: "messages keep coming to \(queues)"))
      }
      let wayBack = WayBack(group, context: context, now: now)
      if wayBack.light == .red, group.phase != .removed, let reason = wayBack.reasons.first {
        standing.conditions.append(
          StandingCondition(
            key(reason.code.rawValue), weight: .alarm, since: group.since, seen: "there is no way back: \(reason.seen)"))
      }
    }
    for (code, wait) in ofPulje {
      standing.conditions.append(
        StandingCondition(
          .init(code: code.rawValue, pulje: self.name), weight: code == .errorBudget ? .alarm : .person, since: wait.since,
          seen: wait.seen))
    }
  }
}

extension WaitReason.Code {
  /// Of the pulje as a whole: its groups wait for the same, and one word from a person ends it for all.
  fileprivate var isOfPulje: Bool {
    switch self {
    case .notStarted, .paused, .lineStopped, .errorBudget, .decision: true
    default: false
    }
  }
}

extension WaitReason {
  /// What a group's wait is worth telling; nil for one that is as it should be.
  fileprivate func weight(group: GroupState, context: GroupContext, now: Instant) -> StandingCondition.Weight? {
    switch self.code {
    // The plan's own course, and no person of ours is asked.
    case .quietPeriod, .watchPeriod, .pingInterval, .nextLook, .outsideWindows, .frozen, .waveAhead, .forwarding,
      .conflictElsewhere,
      .notStarted, .paused, .lineStopped, .errorBudget, .decision, .hookNotAssented:
      return nil
    case .tail, .testsNotSigned, .quarantined: return self.clears == .person ? .person : nil
    case .byHand: return .person
    case .held: return self.clears == .itself ? .warning : .alarm
    case .conflict, .deadLettersGrow, .forwardingStopped: return .alarm
    case .messagesLeft:
      // What grows less heals itself; what does not, never.
      return WaitEstimate(self, group: group, context: context, now: now).kind == .never ? .warning : nil
    case .countersUnreadable, .retry, .shovelStands, .heldNotCounted, .sendersNotSeen:
      return self.clears == .person ? .alarm : .warning
    }
  }
}
