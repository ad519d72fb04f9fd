// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationStore

/// How the buses that are being left empty, group by group, worst first: what `drain status` answers. The schema is stable; times are
/// milliseconds since 1970 UTC.
public struct DrainStatus: Codable, Sendable {
  /// What keeps a group from counting as drained, worst first.
  public enum Standing: String, Codable, Sendable, CaseIterable, Comparable {
    /// A shovel that ought to be gone is not known to be: it may carry by itself.
    case shovelStays = "shovel-stays"
    /// A queue that is being left is gone, a counter cannot be read or leaves something out, or nobody has looked for long: nothing is known.
    case notKnown = "not-known"
    /// A sender never leaves this bus: it does not heal by itself.
    case senderStays = "sender-stays"
    case deadLetters = "dead-letters"
    /// The forwarder stopped and waits for a person.
    case forwardingStopped = "forwarding-stopped"
    case messagesLeft = "messages-left"
    /// Nothing lies there, and not yet for long enough.
    case quiet
    /// Drained, and somebody answers for something.
    case excepted
    case drained

    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rank < rhs.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  public struct Row: Codable, Sendable {
    public var pulje: PuljeName
    public var group: GroupID
    public var herIDs: [HerID]
    public var names: [String]
    public var vendors: [String]
    public var phase: GroupPhase
    /// The bus that is being left: the source, and on the way back the target.
    public var leaves: BusName
    public var standing: Standing
    /// What the standing rests on.
    public var judgement: DrainJudgement
    /// What is waited for, as in `status`.
    public var wait: WaitReason?
    public var drain: DrainSummary
    /// Queues that could not be read at the last look, with why.
    public var unreadable: [String]
    /// Shovels that were declared for it and are not known to be gone.
    public var shovels: [StandingShovel]
    public var trail: DepthTrail
    public var outlook: DrainOutlook
  }

  public var schema = "bus-migrator/drain-status/1"
  public var now: Instant
  /// nil: read from the database, no daemon answered.
  public var daemon: MigrationStatus.Daemon?
  /// The last event: what `after` takes, to wait for the next.
  public var sequence: Int64
  public var stop: Note?
  /// Worst first.
  public var rows: [Row]

  /// - Parameters:
  ///   - trails: looks from before the last, where somebody has them.
  ///   - herIDs: only groups with one of these; nil for all.
  public init(_ status: MigrationStatus, trails: [Roster.Key: DepthTrail] = [:], herIDs: Set<HerID>? = nil) {
    self.now = status.now
    self.daemon = status.daemon
    self.sequence = status.head.sequence
    self.stop = status.stop
    self.rows = status.puljer.flatMap { pulje in
      pulje.groups.compactMap { group -> Row? in
        guard group.drain.watermark != nil || group.phase.isGoingBack else { return nil }
        if let herIDs, !group.members.contains(where: { herIDs.contains($0.herID) }) { return nil }
        let key = Roster.Key(pulje: pulje.name, group: group.id)
        return Row(pulje, group, trail: trails[key] ?? DepthTrail(group.drain.points), now: status.now)
      }
    }.sorted {
      ($0.standing, -$0.drain.leftovers, $0.group.description) < ($1.standing, -$1.drain.leftovers, $1.group.description)
    }
  }

  /// Whether everything that is watched counts as drained.
  public var isDrained: Bool { self.rows.allSatisfy { $0.standing >= .excepted } }
}

extension DrainStatus.Row {
  init(_ pulje: PuljeSummary, _ group: GroupSummary, trail: DepthTrail, now: Instant) {
    self.pulje = pulje.name
    self.group = group.id
    self.herIDs = group.members.map(\.herID)
    self.names = group.members.map(\.name)
    self.vendors = Set(group.members.map(\.vendor)).sorted()
    self.phase = group.phase
    self.leaves = group.direction == .forward ? pulje.source : pulje.target
    self.wait = group.wait
    self.drain = group.drain
    self.unreadable = group.drain.queues.compactMap { queue in
      queue.state == "unreadable" ? "\(queue.address): \(queue.seen ?? "")" : nil
    }
    self.shovels = group.shovels
    self.trail = trail
    self.outlook = DrainOutlook(trail, now: now)
    self.judgement = group.judgement
    self.standing = Self.standing(group)
  }

  /// By the verdict. Of what is not drained it says what is worst, a sender that stays before all that follows from it.
  private static func standing(_ group: GroupSummary) -> DrainStatus.Standing {
    let drain = group.drain
    if group.shovels.contains(where: { $0.staying != nil }) { return .shovelStays }
    let isMissing = drain.queues.contains { $0.state == "absent" && QueueKind.inRegister.contains($0.kind) }
    if isMissing || group.judgement.isDark { return .notKnown }
    switch group.judgement.result {
    case .drained: return .drained
    case .drainedWithExceptions: return .excepted
    case .notDrained, .notBegun: break
    }
    if let stale = drain.staleSender, stale.endedAt == nil { return .senderStays }
    if drain.newDeadLetters > 0 { return .deadLetters }
    if let forwarding = drain.forwarding, forwarding.stands, !forwarding.stops.isEmpty { return .forwardingStopped }
    return drain.leftovers > 0 ? .messagesLeft : .quiet
  }
}

extension DrainSummary {
  /// The looks that it tells of.
  var points: [DepthTrail.Point] {
    guard let at = self.lastLookAt else { return [] }
    let isReadable = !self.queues.contains { $0.state == "unreadable" }
    return [DepthTrail.Point(at: at, count: isReadable ? self.leftovers : nil)]
  }
}
