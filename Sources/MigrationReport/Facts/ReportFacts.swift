// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Everything that a pilot report says of a pulje, as figures: computed from the events alone, up to the one that ``head`` names, and from what
/// is handed in as ``given``. The same events and the same given values give the same facts, so that whoever has the history can check them.
///
/// Nothing in it comes from a message's body. Sentences are kept as names with figures (``Statement``), since a report has several languages.
public struct ReportFacts: Sendable, Hashable, Codable {
  /// What no event tells.
  public struct Given: Sendable, Hashable, Codable {
    public var madeAt: Instant
    /// The world the report is about, as the configuration names it; nil where it names none.
    public var environment: String?
    /// The version of the program that made it.
    public var program: String

    public init(madeAt: Instant, environment: String?, program: String) {
      self.madeAt = madeAt
      self.environment = environment
      self.program = program
    }

    /// Whether the environment's name says production, in any of the usual spellings.
    public var isProduction: Bool {
      ["production", "prod", "produksjon"].contains(self.environment?.lowercased() ?? "")
    }
  }

  /// The last event that went into the report, in the chain.
  public struct Head: Sendable, Hashable, Codable {
    public var sequence: Int64
    public var hash: String

    public init(sequence: Int64, hash: String) {
      self.sequence = sequence
      self.hash = hash
    }
  }

  public struct Pulje: Sendable, Hashable, Codable {
    public var name: PuljeName
    public var phase: PuljePhase
    public var source: BusName
    public var target: BusName
    public var sourceDialect: Dialect?
    public var targetDialect: Dialect?
    public var planHash: String
    public var sealedBy: String
    public var sealedAt: Instant
    public var approvals: [String]
    public var startedAt: Instant?
    public var paused: Note?
    public var lineStopped: Note?
    public var waves: Int?
    public var quietPeriod: TimeSpan
    public var watchPeriod: TimeSpan
    public var approvalsNeeded: Int
    public var echoRequired: Bool
    public var leftovers: Policy.Leftovers
    public var hasGates: Bool
    public var hasTestProtocol: Bool
    /// Events of the whole history, of this pulje, and when its first and last were.
    public var eventsInAll: Int64
    public var events: Int64
    public var firstAt: Instant?
    public var lastAt: Instant?
    /// How often the daemon has started since the pulje was sealed.
    public var starts: Int
  }

  public struct Counts: Sendable, Hashable, Codable {
    public var parties: Int
    public var groups: Int
    /// How many groups stand in each phase, by the phase's name.
    public var groupsByPhase: [String: Int]
    /// Parties whose register entry was read back as planned, and that are not on their way back.
    public var moved: Int
    public var restored: Int
    public var quarantined: Int
    public var withdrawn: Int
    public var writes: Int
    public var unknownOutcomes: Int
    public var refusedWrites: Int
    public var pings: Int
    public var failedPings: Int
    public var looks: Int
    public var unreadableLooks: Int
    /// Messages that came to the queues being left after the entries were moved, at least.
    public var lateMessages: Int64
    /// Events whose time lies before the time of the event before them: the machine's clock was set back.
    public var clockSteppedBack: Int
  }

  public struct Party: Sendable, Hashable, Codable {
    public var herID: HerID
    public var name: String
    public var vendor: String
    /// The HER-ID that it stands below in the register.
    public var parent: HerID?
    public var organisationNumber: Int32?
    public var isWritten: Bool
    /// Its place in ``ReportFacts/groups``.
    public var group: Int
    /// `untouched`, `intent`, `unknown`, `at-goal` or `conflict`.
    public var writing: String
    public var lastReadAt: Instant?
    /// The place in ``ReportFacts/pingPatterns`` of what its last ping showed.
    public var ping: Int?
    /// What the last ping took until the bus had accepted it, in milliseconds.
    public var acceptedAfter: Int64?
    public var library: String?
  }

  /// Who said so, why, when.
  public typealias Said = Note

  public struct Drain: Sendable, Hashable, Codable {
    public var result: DrainVerdict.Result
    public var code: String?
    public var watermark: Instant?
    public var looks: Int
    public var unreadableLooks: Int
    public var quietSince: Instant?
    public var lastCountedAt: Instant?
    public var quietLooks: Int
    public var longestGap: TimeSpan?
    public var lateArrivals: Int
    public var arrived: Int64
    public var fetched: Int64
    public var leftovers: Int64
    public var newDeadLetters: Int64
    public var countsArrivals: Bool
    /// Places in ``ReportFacts/claims``.
    public var proven: [Int]
    public var notProven: [Int]
  }

  public struct Group: Sendable, Hashable, Codable {
    public var id: GroupID
    /// The first wave is 1.
    public var wave: Int?
    public var phase: GroupPhase
    public var since: Instant
    public var direction: Direction
    public var cutOverStartedAt: Instant?
    /// When every entry of it had been read back as planned.
    public var appliedAt: Instant?
    public var verifiedAt: Instant?
    public var drainedAt: Instant?
    public var watchSince: Instant?
    public var watchUntil: Instant?
    public var acceptedAt: Instant?
    public var acceptedBy: [String]?
    public var retiredAt: Instant?
    public var retiredBy: [String]?
    public var rollBack: Said?
    public var restoredAt: Instant?
    public var quarantine: Said?
    public var withdrawal: Said?
    public var hold: Hold?
    public var drain: Drain?
    /// Of the source bus, when the group has turned back since.
    public var forwardDrain: Drain?
    public var times: Times
  }

  /// How long the daemon worked, waited for time to pass, and waited for a person.
  public struct Times: Sendable, Hashable, Codable {
    public var working: Int64 = 0
    public var waiting: Int64 = 0
    public var person: Int64 = 0
  }

  /// What the last ping of so many parties showed.
  public struct PingPattern: Sendable, Hashable, Codable {
    public struct Shown: Sendable, Hashable, Codable {
      public var check: PingCheck
      public var result: Finding<PingCheck>.Result
    }
    public var bus: BusName
    public var shown: [Shown]
    /// Whether it proves that somebody receives, by the policy's own rules.
    public var isProof: Bool
    public var parties: Int
    /// The words of one of them, check by check, as the daemon noted them.
    public var example: [String]
  }

  public struct Exception: Sendable, Hashable, Codable {
    public var group: GroupID
    /// A sender or a queue; nil for a waiver of the whole group's drain.
    public var what: String?
    public var by: [String]
    public var why: String
    public var until: Instant
    public var exceeded: String?
  }

  public struct Forwarding: Sendable, Hashable, Codable {
    public var group: GroupID
    public var direction: Direction
    public var carrier: ForwardingOrder.Carrier
    public var mode: ForwardingOrder.Mode
    public var approvedBy: [String]
    public var approvedAt: Instant
    public var endedAt: Instant?
    public var endedBy: String?
    public var received: Int64
    public var accepted: Int64
    public var setAside: Int64
    public var expired: Int64
    public var notReturned: Int64
    public var possibleDuplicates: Int64
    public var open: Int64
  }

  public struct Test: Sendable, Hashable, Codable {
    public var herID: HerID
    public var item: String
    public var passed: Bool
    public var by: String
    public var at: Instant
    public var seen: String
  }

  public struct Gate: Sendable, Hashable, Codable {
    public var gate: GateFinding.Gate
    public var verdict: GateFinding.Verdict
    public var groups: Int
    public var example: String
  }

  /// A person's command that was carried out, as the history has it.
  public struct Command: Sendable, Hashable, Codable {
    public var at: Instant
    public var verb: String
    public var by: [String]
    /// Who gave it, as the machine knows it.
    public var giver: String
    public var role: String
    public var reason: String
    public var status: String
    /// How many parties it named; zero for the whole pulje, or for everything.
    public var parties: Int
  }

  public struct Recommendation: Sendable, Hashable, Codable {
    public var verdict: PuljeReport.Recommendation
    public var reasons: [Statement]
    public var doubts: [Statement]
  }

  public var schema = "bus-migrator/pilot-report/1"
  public var given: Given
  public var head: Head
  public var pulje: Pulje
  public var recommendation: Recommendation
  public var counts: Counts
  public var times: Times
  public var parties: [Party]
  public var groups: [Group]
  public var pingPatterns: [PingPattern]
  public var claims: [DrainClaim]
  public var gates: [Gate]
  public var incidents: [Incident]
  public var exceptions: [Exception]
  public var forwarding: [Forwarding]
  public var late: LateArrivals
  public var service: ServiceFigures
  public var plots: ReportPlots
  public var tests: [Test]
  /// Histories of earlier versions hold none.
  public var commands: [Command]
  /// What people must do by hand, per vendor.
  public var manualSteps: [Plan.ManualStep]
}

/// A sentence by its name, with what it speaks of: how many, which groups, which figures.
public struct Statement: Sendable, Hashable, Codable {
  public enum Name: String, Sendable, Hashable, Codable, CaseIterable {
    // for it
    case entriesRead = "entries-read"
    case pingsProve = "pings-prove"
    case drainsShown = "drains-shown"
    case watchesDone = "watches-done"
    case gatesPass = "gates-pass"
    case stillGoing = "still-going"
    case nothingToDecide = "nothing-to-decide"
    // against it
    case conflicts
    case held
    case gatesFail = "gates-fail"
    // doubts
    case gatesInconclusive = "gates-inconclusive"
    case noGates = "no-gates"
    case quarantined
    case rolledBack = "rolled-back"
    case withdrawn
    case exceptions
    case carriedOver = "carried-over"
    case possiblyTwice = "possibly-twice"
    case forwarderStopped = "forwarder-stopped"
    case shovelsStand = "shovels-stand"
    case staleSenders = "stale-senders"
    case lateArrivals = "late-arrivals"
    case arrivalsNotCounted = "arrivals-not-counted"
    case unreadableLooks = "unreadable-looks"
    case pingsProveNothing = "pings-prove-nothing"
    case noEcho = "no-echo"
    case noNegativeControl = "no-negative-control"
    case latencyNotMeasured = "latency-not-measured"
    case trafficNotMeasured = "traffic-not-measured"
    case unknownOutcomes = "unknown-outcomes"
    case byHand = "by-hand"
    case restarts
    case clockSteppedBack = "clock-stepped-back"
    case noEnvironment = "no-environment"
    case dialectUnknown = "dialect-unknown"
    case replyQueues = "reply-queues"
    case counters
  }

  public var name: Name
  /// What its words count.
  public var figures: [Int64]
  /// The first of the groups that it speaks of.
  public var groups: [GroupID]
  /// What somebody or something said, as it stands in the events; shown as a quotation.
  public var seen: String?

  static let groupsNamed = 8

  init(_ name: Name, _ figures: [Int64] = [], groups: [GroupID] = [], seen: String? = nil) {
    self.name = name
    self.figures = figures
    self.groups = Array(groups.prefix(Self.groupsNamed))
    self.seen = seen
  }
}
