// SPDX-License-Identifier: Apache-2.0

import Migration

/// When groups may all be where somebody can decide on them, as far as that can be known. Never a guess: what a person or nobody ends has no
/// estimate, and without a measured pace there is no later end.
struct WatchOutlook: Codable, Sendable, Hashable {
  enum Kind: String, Codable, Sendable, Hashable, CaseIterable {
    /// Something lasts until somebody acts. The worst first.
    case person
    /// Something does not end by itself, as far as can be seen.
    case never
    /// It ends by itself, and nobody can say when.
    case notKnown = "not-known"
    /// Between two times, or not before one.
    case time
    /// All await a decision, or have it.
    case ready
    /// All are decided on, back, or out.
    case over
  }

  /// Of the worst among the groups.
  var kind: Kind
  /// Groups that wait for a person.
  var waitForPersons: Int
  /// Of the groups that have an estimate, the last one: not before this, in milliseconds since 1970.
  var from: Instant?
  /// By then at the pace that was measured, and if nothing comes between; nil where no pace was measured.
  var to: Instant?

  /// What policy and measurement say.
  struct Pace: Sendable, Hashable {
    var quietPeriod: TimeSpan
    var watchPeriod: TimeSpan
    var lookInterval: TimeSpan
    /// Groups are cut over in windows only: they may add to any time.
    var hasWindows: Bool
    /// From one group that was moved and answered to the next, as seen; nil: not seen yet.
    var perGroup: TimeSpan?
  }

  init(of groups: [WatchPicture.Group], pace: Pace, now: Instant) {
    self.waitForPersons = groups.count { Self.waitsForPerson($0.glance) }
    self.kind = .over
    // Whoever is cut over later waits for those before him.
    let ahead = groups.count { $0.glance.phase.isBeforeCut && $0.glance.turn != .done }
    var hasNoEnd = false
    for group in groups {
      switch Self.outlook(group.glance, pace: pace, ahead: ahead, now: now) {
      case (.time, let from?, let to):
        self.from = max(self.from ?? from, from)
        if let to { self.to = max(self.to ?? to, to) } else { hasNoEnd = true }
        self.kind = Self.worse(self.kind, .time)
      case (let kind, _, _): self.kind = Self.worse(self.kind, kind)
      }
    }
    if hasNoEnd { self.to = nil }
  }

  static func waitsForPerson(_ glance: GroupGlance) -> Bool { glance.turn == .person && glance.wait != .tail }

  /// Whether nothing but time goes on in this phase.
  private static func isWaited(_ phase: GroupPhase) -> Bool {
    [.draining, .drained, .observing, .backDraining, .backDrained].contains(phase)
  }

  private static func worse(_ one: Kind, _ other: Kind) -> Kind {
    let order = Kind.allCases
    return (order.firstIndex(of: one) ?? 0) < (order.firstIndex(of: other) ?? 0) ? one : other
  }

  private static func outlook(
    _ glance: GroupGlance, pace: Pace, ahead: Int, now: Instant
  ) -> (Kind, from: Instant?, to: Instant?) {
    if glance.turn == .done || glance.phase.isClosed { return (.over, nil, nil) }
    if glance.wait == .decision { return (.ready, nil, nil) }
    switch glance.estimate {
    case .person: return (.person, nil, nil)
    case .never: return (.never, nil, nil)
    case .notKnown where glance.turn != .other: return (.notKnown, nil, nil)
    default: break
    }
    let wait = max(glance.earliest ?? now, now)
    // Somebody looks just now, and how it stood before was not told here.
    if glance.earliest == nil, glance.turn == .work, Self.isWaited(glance.phase) { return (.time, now, nil) }
    // A look may come that much later; an arrival may begin the quiet period once more where there has been one.
    let slack = pace.lookInterval
    let again = glance.lateArrivals > 0 || (glance.left ?? 0) > 0 ? pace.quietPeriod : .seconds(0)
    switch glance.phase {
    case .known, .planned, .ready, .armed, .cutIntent, .cutUnknown, .cutApplied, .verified, .conflict:
      let after = TimeSpan.milliseconds(pace.quietPeriod.milliseconds + pace.watchPeriod.milliseconds)
      let to = pace.hasWindows ? nil : pace.perGroup.map { wait + $0 * Int64(max(1, ahead)) + after + again + slack * 2 }
      return (.time, wait + after, to)
    case .draining where glance.wait == .messagesLeft || glance.wait == .forwarding:
      let after = TimeSpan.milliseconds(pace.quietPeriod.milliseconds + pace.watchPeriod.milliseconds)
      return (.time, wait + after, wait + after + again + slack * 2)
    case .draining: return (.time, wait + pace.watchPeriod, wait + pace.watchPeriod + again + slack * 2)
    case .drained: return (.time, wait + pace.watchPeriod, wait + pace.watchPeriod + slack * 2)
    case .observing: return (.time, wait, wait + slack)
    // Back: emptied once more, and then over.
    case .backIntent, .backUnknown, .backApplied, .backVerified:
      return (.time, wait + pace.quietPeriod, pace.perGroup.map { wait + $0 + pace.quietPeriod + again + slack * 2 })
    case .backDraining, .backDrained: return (.time, wait, wait + again + slack * 2)
    case .accepted, .retired, .removed, .restored, .withdrawn: return (.over, nil, nil)
    }
  }
}

/// How fast groups are moved, as seen since somebody began to watch.
struct MovingPace: Sendable, Hashable {
  private var began: Instant?
  private var atFirst = 0
  private var lastAt: Instant?
  private var last = 0

  /// - Parameter moved: groups that are moved and answer.
  mutating func take(moved: Int, now: Instant) {
    guard self.began != nil, moved >= self.last else {
      (self.began, self.atFirst, self.last, self.lastAt) = (now, moved, moved, nil)
      return
    }
    if moved > self.last { (self.last, self.lastAt) = (moved, now) }
  }

  /// Nil until one was seen to be moved.
  var perGroup: TimeSpan? {
    guard let began, let lastAt, self.last > self.atFirst else { return nil }
    return .milliseconds(max(1, lastAt.since(began).milliseconds / Int64(self.last - self.atFirst)))
  }
}
