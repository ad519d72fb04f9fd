// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A pulje as status and report show it: everything derived, stable in JSON, without secrets or health data.
public struct PuljeSummary: Sendable, Hashable, Codable {
  public var name: PuljeName
  public var phase: PuljePhase
  public var source: BusName
  public var target: BusName
  public var planHash: String
  public var sealedBy: String
  public var sealedAt: Instant
  public var approvals: [String]
  public var startedAt: Instant?
  public var paused: Note?
  public var policy: Policy
  /// How many groups stand in each phase, by the phase's name.
  public var groupsByPhase: [String: Int]
  public var groups: [GroupSummary]
  public var manualSteps: [Plan.ManualStep]

  /// - Parameter stop: stop-the-line, from ``MigrationState/stop``.
  public init(_ pulje: PuljeState, stop: Note?, now: Instant) {
    self.name = pulje.name
    self.phase = pulje.phase(now: now)
    self.source = pulje.plan.source
    self.target = pulje.plan.target
    self.planHash = pulje.planHash
    self.sealedBy = pulje.sealedBy
    self.sealedAt = pulje.sealedAt
    self.approvals = pulje.approvals
    self.startedAt = pulje.startedAt
    self.paused = pulje.pause
    self.policy = pulje.policy
    self.groupsByPhase = pulje.groups.reduce(into: [:]) { $0[$1.phase.rawValue, default: 0] += 1 }
    let contexts = pulje.contexts(stop: stop, now: now)
    self.groups = pulje.groups.indices.map {
      GroupSummary(pulje.groups[$0], context: contexts.context(at: $0), now: now)
    }
    self.manualSteps = pulje.plan.manualSteps
  }

  /// One of its groups alone; nil when it has no such group.
  public static func group(_ id: GroupID, in pulje: PuljeState, stop: Note?, now: Instant) -> GroupSummary? {
    guard let group = pulje.groups[id] else { return nil }
    return GroupSummary(group, context: pulje.contexts(stop: stop, now: now).context(for: id), now: now)
  }
}

/// A group as status and report show it.
public struct GroupSummary: Sendable, Hashable, Codable {
  public struct MissingTest: Sendable, Hashable, Codable {
    public var herID: HerID
    public var item: TestItem
  }

  public var id: GroupID
  public var phase: GroupPhase
  public var since: Instant
  public var direction: Direction
  public var members: [MemberSummary]
  /// What the daemon does next, in a word; nil while it waits or is done.
  public var doing: String?
  public var wait: WaitReason?
  /// When the wait may be over; there with every wait.
  public var waitEnds: WaitEstimate?
  public var hold: Hold?
  public var heldSince: Instant?
  public var quarantine: Note?
  public var rollBack: Note?
  public var withdrawal: Note?
  public var acceptedBy: [String]
  public var lastFailure: String?
  /// Whether going back would work now, and if not why.
  public var wayBack: WayBack
  /// What the pulje's test protocol still asks for, party by party; and what was signed.
  public var testsMissing: [MissingTest]
  public var tests: [TestSignature]
  /// What the operator's programs said of the present attestation, by name; at other points than the cut with the point before it
  /// (`accept/change-board`).
  public var hooks: [String: HookAnswer]
  /// What the gates say on the figures of the watch; empty where the pulje has none.
  public var gates: [GateFinding]
  public var preflight: [Finding<PreflightCheck>]
  public var pings: [PingReport]
  public var pingedAt: Instant?
  public var pingFailures: Int
  public var drain: DrainSummary
  /// The verdict on it, without its evidence.
  public var judgement: DrainJudgement
  /// Of the source bus, when the group has turned back since.
  public var forwardDrain: DrainSummary?
  /// Shovels that were declared for it and are not known to be gone.
  public var shovels: [StandingShovel]
  public var watchSince: Instant?
  public var watchUntil: Instant?
  public var history: [GroupState.Step]

  init(_ group: GroupState, context: GroupContext, now: Instant) {
    self.id = group.id
    self.phase = group.phase
    self.since = group.since
    self.direction = group.direction
    self.members = group.members.map { MemberSummary($0, direction: group.direction) }
    switch group.next(in: context, now: now) {
    case .act(let action): self.doing = action.word
    case .wait(let reason):
      self.wait = reason
      self.waitEnds = WaitEstimate(reason, group: group, context: context, now: now)
    case .done: break
    }
    self.hold = group.hold
    self.heldSince = group.heldSince
    self.quarantine = group.quarantine
    self.rollBack = group.rollBack
    self.withdrawal = group.withdrawal
    self.acceptedBy = group.acceptedBy
    self.lastFailure = group.lastFailure
    self.wayBack = WayBack(group, context: context, now: now)
    let missing = group.phase.isBeforeCut ? group.missingTests(context.policy) : []
    self.testsMissing = missing.map { MissingTest(herID: $0.herID, item: $0.item) }
    self.tests = group.tests
    self.hooks = group.allHookAnswers
    self.gates = group.phase == .observing ? group.gateFindings(context.policy, now: now) : []
    self.preflight = group.preflight?.findings ?? []
    self.pings = group.pings
    self.pingedAt = group.pingedAt
    self.pingFailures = group.pingFailures
    self.drain = DrainSummary(group.drain, policy: context.policy)
    self.judgement = group.drainJudgement(context.policy, now: now)
    self.forwardDrain = group.forwardDrain.map { DrainSummary($0, policy: context.policy) }
    self.shovels = group.shovels
    self.watchSince = group.watchSince
    self.watchUntil = group.watchSince.map { $0 + context.policy.watchPeriod }
    self.history = group.history
  }
}

extension GroupAction {
  /// The action in a word, for logs and status.
  public var word: String {
    switch self {
    case .snapshot: "snapshot"
    case .preflight: "preflight"
    case .advance: "advance"
    case .write: "write"
    case .readBack: "read-back"
    case .ping: "ping"
    case .look: "look"
    case .hook, .stepHook: "hook"
    case .measure: "measure"
    case .peek: "peek"
    }
  }
}

/// A party as status and report show it.
public struct MemberSummary: Sendable, Hashable, Codable {
  /// One address as it was, as it should be, and as it was found: what a person needs to settle a conflict.
  public struct Difference: Sendable, Hashable, Codable {
    public var field: String
    public var before: String?
    public var after: String?
    public var found: String?
  }

  public var herID: HerID
  public var name: String
  public var vendor: String
  public var isWritten: Bool
  /// `untouched`, `intent`, `unknown`, `at-goal` or `conflict`.
  public var writing: String
  public var openOperation: OperationID?
  public var writes: Int
  public var lastOutcome: WriteOutcome?
  public var before: RecordHash
  public var after: RecordHash
  public var lastRead: RecordHash?
  public var lastReadAt: Instant?
  public var recordProven: Bool
  /// Empty unless in conflict.
  public var conflict: [Difference]

  init(_ member: Member, direction: Direction) {
    self.herID = member.herID
    self.name = member.plan.before.name
    self.vendor = member.plan.vendor
    self.isWritten = member.plan.isWritten
    self.conflict = []
    switch member.writing {
    case .untouched: self.writing = "untouched"
    case .intent(let operation):
      self.writing = "intent"
      self.openOperation = operation
    case .unknown(let operation):
      self.writing = "unknown"
      self.openOperation = operation
    case .atGoal: self.writing = "at-goal"
    case .conflict(let found):
      self.writing = "conflict"
      self.conflict = Self.differences(before: member.plan.before, after: member.plan.after, found: found)
    }
    self.writes = member.intents
    self.lastOutcome = member.lastOutcome
    self.before = member.beforeHash
    self.after = member.afterHash
    self.lastRead = member.lastReadHash
    self.lastReadAt = member.lastReadAt
    self.recordProven = member.recordProven
  }

  private static func differences(before: PartyRecord, after: PartyRecord, found: PartyRecord) -> [Difference] {
    let lines = [before, after, found].map(EntryDifference.fields)
    let names = Set(lines.flatMap(\.keys)).sorted()
    return names.compactMap { name in
      let values = lines.map { $0[name] }
      guard values[2] != values[0] || values[2] != values[1] else { return nil }
      return Difference(field: name, before: values[0], after: values[1], found: values[2])
    }
  }
}

/// A drain ledger as status and report show it.
public struct DrainSummary: Sendable, Hashable, Codable {
  public struct Queue: Sendable, Hashable, Codable {
    public var address: String
    public var kind: QueueKind
    public var depth: Int64?
    public var arrivals: Int64?
    public var consumers: Int64?
    public var figures: QueueFigures?
    /// `counted`, `absent` or `unreadable`.
    public var state: String
    public var seen: String?
    public var deadLettersBefore: Int64?
  }

  public var watermark: Instant?
  public var lastLookAt: Instant?
  public var quietSince: Instant?
  public var quietUntil: Instant?
  public var quietLooks: Int
  public var looks: Int
  public var unreadableLooks: Int
  public var lateArrivals: Int
  public var leftovers: Int64
  public var newDeadLetters: Int64
  /// Whether every queue's arrivals were counted; else a message taken between two looks was not seen.
  public var countsArrivals: Bool
  public var queues: [Queue]
  public var exceptions: [DrainLedger.Exception]
  /// People answer for single senders and queues.
  public var namedExceptions: [DrainException]
  public var forwarding: ForwardingLedger?
  /// A sender that does not follow the register, as far as arrivals show.
  public var staleSender: StaleSender?

  init(_ ledger: DrainLedger, policy: Policy) {
    self.watermark = ledger.watermark
    self.lastLookAt = ledger.lastLookAt
    self.quietSince = ledger.quietSince
    self.quietUntil = ledger.quietSince.map { policy.quietEnd(since: $0, seen: ledger.longestCacheSeen) }
    self.quietLooks = ledger.quietLooks
    self.looks = ledger.looks
    self.unreadableLooks = ledger.unreadableLooks
    self.lateArrivals = ledger.lateArrivals
    self.leftovers = ledger.leftovers
    self.newDeadLetters = ledger.newDeadLetters
    let counted = ledger.last.filter { $0.kind != .deadLetter && $0.count != .absent }
    self.countsArrivals = !counted.isEmpty && counted.allSatisfy { $0.arrivals != nil }
    self.exceptions = ledger.exceptions
    self.namedExceptions = ledger.namedExceptions
    self.forwarding = ledger.forwarding
    self.staleSender = ledger.staleSender
    self.queues = ledger.last.map { reading in
      var queue = Queue(address: reading.address.description, kind: reading.kind, state: "counted")
      switch reading.count {
      case .counted(let depth, let arrivals, let consumers, let figures):
        queue.depth = depth
        queue.arrivals = arrivals
        queue.consumers = consumers
        queue.figures = figures
      case .absent: queue.state = "absent"
      case .unreadable(let why):
        queue.state = "unreadable"
        queue.seen = why
      }
      queue.deadLettersBefore = ledger.deadLettersBefore(reading)
      return queue
    }
  }
}
