// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Why a party's group counts as drained, or why not: the verdict with its evidence and what it can and cannot prove on this dialect, what
/// lies there and whose it is, and what to do next. Worked out from the history alone, so the same comes out with and without a daemon. The
/// schema is stable.
public struct DrainExplanation: Codable, Sendable {
  public struct Step: Codable, Sendable, Hashable {
    public var what: String
    /// Whose it is.
    public var whose: String
  }

  public var schema = "bus-migrator/drain-explain/1"
  public var now: Instant
  /// The last event that it rests on.
  public var sequence: Int64
  public var herID: HerID
  public var members: [HerID]
  public var vendors: [String]
  public var phase: GroupPhase
  public var standing: DrainStatus.Standing
  public var wait: WaitReason?
  public var verdict: DrainVerdict
  /// Declared for it, and not known to be gone.
  public var shovels: [StandingShovel]
  public var outlook: DrainOutlook
  /// Why nothing is carried just now though an order stands; nil when it is carried, or when none stands.
  public var keptBack: Refusal?
  public var next: [Step]

  /// - Throws: ``Refusal`` `unknownParty` when no pulje has the party, `notInThisPhase` when its group has not left a bus yet.
  public init(
    _ state: MigrationState, of herID: HerID, pulje name: PuljeName?, sequence: Int64, trails: [Roster.Key: DepthTrail] = [:],
    now: Instant
  ) throws(Refusal) {
    let tried = "explain the drain of HER-ID \(herID)"
    guard let (pulje, group) = state.groups(of: herID, in: name).last else {
      throw Refusal(.unknownParty, tried: tried, seen: "no pulje has it")
    }
    let all = PuljeSummary(pulje, stop: state.stop, now: now)
    guard let summary = all.groups.first(where: { $0.id == group.id }), let verdict = pulje.drainVerdict(of: group.id, now: now),
      group.drain.watermark != nil || group.phase.isGoingBack
    else { throw Refusal(.notInThisPhase, tried: tried, seen: "its group is \(group.phase.rawValue) and has left no bus yet") }
    let trail = trails[Roster.Key(pulje: pulje.name, group: group.id)] ?? DepthTrail(group.drain.points)
    let row = DrainStatus.Row(all, summary, trail: trail, now: now)
    self.now = now
    self.sequence = sequence
    self.herID = herID
    self.members = row.herIDs
    self.vendors = row.vendors
    self.phase = group.phase
    self.standing = row.standing
    self.wait = summary.wait
    self.verdict = verdict
    self.shovels = row.shovels
    self.outlook = row.outlook
    self.keptBack = group.forwardingKeptBack(in: state.context(pulje, group.id, now: now))
    self.next = Self.next(row, verdict, pulje.policy, self.keptBack)
  }

  private static func next(_ row: DrainStatus.Row, _ verdict: DrainVerdict, _ policy: Policy, _ keptBack: Refusal?) -> [Step] {
    var steps: [Step] = []
    func add(_ what: String, _ whose: String) {
      if !steps.contains(where: { $0.what == what }) { steps.append(Step(what: what, whose: whose)) }
    }
    // What single messages ask for, worst first.
    for finding in verdict.stranded where finding.healing == .never {
      add(finding.next, Self.whose(finding, row))
    }
    if let keptBack, row.standing < .excepted {
      add(
        "The order to carry it over stands and is kept back, so nothing is carried: [\(keptBack.stableCode)] \(keptBack.seen). "
          + (keptBack.code == .paused && row.drain.forwarding?.pause != nil
            ? "Resume it: bus-migrator drain forward --her-id \(row.herIDs.first.map(\.description) ?? "") --resume."
            : keptBack.explanation.next),
        "the operator")
    }
    switch row.standing {
    case .shovelStays:
      for shovel in row.shovels where shovel.staying != nil {
        add(
          "See that the management interface of bus \(shovel.node) answers; the daemon then takes the shovel away. By hand: rabbitmqctl "
            + "delete_shovel -p \(shovel.virtualHost) \(shovel.name).", "those who run the bus")
      }
    case .drained: break
    case .excepted: add("See to the cause before the exception ends.", "the operator")
    case .quiet: add("Nothing: it ends by itself when nothing comes.", "nobody")
    case .notKnown:
      add(
        "Make the counters readable: \(row.unreadable.first ?? row.judgement.because).",
        "those who run the bus")
    case .deadLetters:
      add("Deal with the dead letters, or answer for them (bus-migrator drain except).", "the party and its vendor")
    case .forwardingStopped:
      let stop = row.drain.forwarding?.stops.first.map { "[\($0.code)] \($0.seen)" } ?? ""
      add("Mend what stopped the forwarder (\(stop)), then bus-migrator drain forward --resume.", "the operator")
    case .messagesLeft, .senderStays: self.left(row, policy, keptBack, add)
    }
    return steps
  }

  private static func left(
    _ row: DrainStatus.Row, _ policy: Policy, _ keptBack: Refusal?, _ add: (String, String) -> Void
  ) {
    let party = row.herIDs.first.map(\.description) ?? ""
    let filled = row.drain.queues.filter { ($0.depth ?? 0) > 0 && $0.kind != .deadLetter }
    let order = row.drain.forwarding.flatMap { $0.stands ? $0.order : nil }
    if keptBack != nil {
      // Said above, whatever else there is.
    } else if let order, filled.contains(where: { order.queues.contains($0.kind) }) {
      add("Wait: \(order.carrier == .own ? "the forwarder carries" : "shovels carry") it over.", "nobody")
    } else if order != nil {
      let kinds = Set(filled.map(\.kind.rawValue)).sorted().joined(separator: " and ")
      add(
        "The order does not carry \(kinds) messages: they wait for the party's system, or for their time to live to end.",
        "the party and its vendor")
    } else if filled.contains(where: { ($0.consumers ?? 0) == 0 }) {
      if policy.leftovers == .forward {
        add(
          "Nobody fetches there: carry it over (bus-migrator drain forward --her-id \(party)).", "the operator, and who approves")
      } else {
        add("Nobody fetches there: have the system listen on \(row.leaves) until it is empty.", "the party and its vendor")
      }
    } else {
      add("Wait: somebody listens there and fetches.", "nobody")
    }
  }

  private static func whose(_ finding: StrandedFinding, _ row: DrainStatus.Row) -> String {
    switch finding.strandedClass {
    case .neverLeaves:
      guard let sender = finding.sender else { return "the sender's vendor" }
      return "the vendor of HER-ID \(sender.herID)\(sender.vendor.map { " (\($0))" } ?? "")"
    case .alien: return "those who run the bus"
    case .ping: return finding.healing == .never ? "those who run the bus" : "nobody"
    default: return "the party and its vendor (\(row.vendors.joined(separator: ", ")))"
    }
  }
}

extension MigrationState {
  /// The groups that this party is in, the newest pulje last.
  package func groups(of herID: HerID, in name: PuljeName?) -> [(pulje: PuljeState, group: GroupState)] {
    self.ordered.filter { name == nil || $0.name == name }.flatMap { pulje in
      pulje.groups.filter { $0.member(herID) != nil }.map { (pulje, $0) }
    }
  }
}
