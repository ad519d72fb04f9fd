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

    public var subject: Subject { Subject(code: self.code, pulje: self.pulje) }

    private var order: (String, String, String) { (self.pulje?.text ?? "", self.code, self.group.map(\.description) ?? "") }
    public static func < (one: Self, other: Self) -> Bool { one.order < other.order }
  }

  /// What people are told as one: a code of a pulje, however many of its groups it is about; or of the whole line.
  public struct Subject: Sendable, Hashable, Comparable {
    public var code: String
    public var pulje: PuljeName?

    public init(code: String, pulje: PuljeName? = nil) {
      self.code = code
      self.pulje = pulje
    }

    /// The same wherever it is spoken of: in a message's link, on the dashboard.
    public var id: String { "\(self.pulje?.text ?? "")/\(self.code)" }

    private var order: (String, String) { (self.pulje?.text ?? "", self.code) }
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

  /// All that stands, each subject once, in the order in which people are told and shown: the heaviest first, and of those what concerns
  /// everybody.
  public var subjects: [Standing] {
    var found: [StandingCondition.Subject: Standing] = [:]
    for condition in self.conditions {
      let subject = condition.key.subject
      found[subject, default: Standing(subject: subject, first: condition)].take(condition)
    }
    return found.values.sorted { ($1.weight, $0.subject) < ($0.weight, $1.subject) }
  }

  /// A subject with all that stands of it.
  public struct Standing: Sendable, Hashable {
    public var subject: StandingCondition.Subject
    /// The heaviest of them.
    public private(set) var weight: StandingCondition.Weight
    /// Since when the first of them stands.
    public private(set) var since: Instant
    /// Which groups, in the order of their keys; empty where it is the pulje's or everybody's.
    public private(set) var groups: [GroupID] = []
    private var firstSeen: String
    private var count = 0

    fileprivate init(subject: StandingCondition.Subject, first: StandingCondition) {
      self.subject = subject
      self.weight = first.weight
      self.since = first.since
      self.firstSeen = first.seen
    }

    /// The first one's words, and how many more there are.
    public var seen: String { StandingConditions.seen(self.firstSeen, of: self.count) }

    fileprivate mutating func take(_ condition: StandingCondition) {
      self.weight = max(self.weight, condition.weight)
      self.since = min(self.since, condition.since)
      self.count += 1
      if let group = condition.key.group { self.groups.append(group) }
    }
  }

  static func seen(_ first: String, of count: Int) -> String {
    count > 1 ? "\(first) (and \(count - 1) more groups)" : first
  }
}

extension MigrationState {
  /// All that is wrong or waits for a person now.
  public func standingConditions(now: Instant) -> StandingConditions {
    self.standingConditions { pulje in
      let contexts = pulje.contexts(stop: self.stop, now: now)
      return pulje.groups.indices.map { place in
        let (group, context) = (pulje.groups[place], contexts.context(at: place))
        return GroupStanding(
          group, of: pulje.name, next: group.next(in: context, now: now), wayBack: WayBack(group, context: context, now: now),
          context: context, now: now)
      }
    }
  }

  /// The same, of what was worked out of each group before.
  ///
  /// - Parameter groups: what stands with each group of a pulje.
  func standingConditions(_ groups: (PuljeState) -> [GroupStanding]) -> StandingConditions {
    var standing = StandingConditions()
    if let stop = self.stop {
      standing.conditions.append(
        StandingCondition(
          .init(code: WaitReason.Code.lineStopped.rawValue), weight: .alarm, since: stop.at,
          seen: "stopped by \(stop.by): \(stop.why)"))
    }
    for pulje in self.ordered { pulje.addConditions(of: groups(pulje), to: &standing) }
    standing.conditions.sort { $0.key < $1.key }
    return standing
  }
}

extension PuljeState {
  fileprivate func addConditions(of groups: [GroupStanding], to standing: inout StandingConditions) {
    if let pause = self.pause, self.isOpen {
      standing.conditions.append(
        StandingCondition(
          .init(code: WaitReason.Code.paused.rawValue, pulje: self.name), weight: .person, since: pause.at,
          seen: "paused by \(pause.by): \(pause.why)"))
    }
    // What keeps a whole pulje is told once, not for each of its groups.
    var ofPulje: [WaitReason.Code: WaitReason] = [:]
    for (place, group) in groups.enumerated() {
      if group.isActing {
        standing.acting.insert(StandingCondition.Key(code: "", pulje: self.name, group: self.groups[place].id))
      }
      standing.conditions += group.conditions
      if let wait = group.ofPulje {
        ofPulje[wait.code] = ofPulje[wait.code].map { $0.since <= wait.since ? $0 : wait } ?? wait
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
