// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// One party that has been moved, and what is seen of the bus it left: looks, messages, people's words, one after the other, each with its
/// verdict. The looks may be made up, or come from a real bus.
public struct DrainCourse {
  /// A second between looks, ten seconds of quiet: short enough for a real bus.
  public static var policy: Policy {
    var policy = Policy()
    policy.quietPeriod = .seconds(10)
    policy.lookInterval = .seconds(1)
    policy.watchLookInterval = .seconds(1)
    policy.minimumLooks = 3
    policy.workdayInQuiet = false
    policy.leftovers = .forward
    return policy
  }

  public static let begin = Instant(milliseconds: 1_770_000_000_000)
  static let people = ["Kari", "Ola"]

  public private(set) var state = MigrationState()
  public private(set) var now: Instant
  /// What was kept, in order: the verdict can be worked out anew from it.
  public private(set) var history: [(event: MigrationEvent, at: Instant)] = []
  public let pulje: PuljeName
  public let group: GroupID
  public let herID: HerID
  let dialect: Dialect
  /// Of the party, on the bus that it left.
  public let queues: [GroupQueue]
  /// What the bus shows of its messages whenever somebody looks, from the last time it was told; nothing where it was not.
  public private(set) var shown: [QueueAddress: QueueSightings] = [:]
  /// The last refusal, if the last input was refused.
  public private(set) var refusal: Refusal?

  /// - Parameters:
  ///   - dialect: of the bus that was left.
  ///   - baseline: what its queues showed before the move.
  ///   - name: what its queues' names begin with.
  /// - Returns: nil only when the party cannot be made.
  public init?(
    dialect: Dialect, baseline: [QueueKind: QueueReading.Count] = [:], policy: Policy = Self.policy, party name: String = "200"
  ) {
    guard let herID = HerID(200), let pulje = PuljeName("course") else { return nil }
    let source = Bus(name: "left", dialect: dialect, hosts: ["left.example"], path: "NHN")
    let target = Bus(name: "taken", dialect: .rabbitMQ4AddressV2, hosts: ["taken.example"], path: "NHN")
    let addresses = QueueKind.inRegister.map {
      PartyRecord.Address(typeCode: $0.registerCode ?? "", text: "left.example/NHN/\(name)_\($0.rawValue)", inherited: false)
    }
    let record = PartyRecord(
      herID: herID, name: "Party", kind: .organisation, parent: nil, active: true, valid: true, addresses: addresses)
    let request = PuljeRequest(
      name: pulje, source: source.name, target: target.name,
      parties: [PuljeRequest.Party(herID: herID, vendor: "Alfa", listens: .both)], policy: policy)
    let plan = Planner(buses: [source, target], records: [record]).plan(request)
    guard plan.isClear, let group = plan.groups.first else { return nil }
    self.now = Self.begin
    self.dialect = dialect
    self.pulje = pulje
    self.group = group.id
    self.herID = herID
    self.queues = group.members.queues(after: false)
    self.keep(.puljeSealed(plan: plan, by: "Kari"))
    self.keep(.puljeStarted(pulje: pulje, approvals: Self.people))
    let report = PreflightReport(findings: [], baseline: self.readings(baseline))
    let verified: [GroupEvent] = [
      .planned, .preflightPassed(report: report), .armed, .readAsGoal(herID: herID, found: group.members[0].after.hash),
      .pinged(reports: []), .drainBegan,
    ]
    for event in verified { self.keep(.group(pulje: pulje, group: group.id, event: event)) }
  }

  private mutating func keep(_ event: MigrationEvent) {
    guard self.state.apply(event, at: self.now) else { return }
    self.history.append((event, self.now))
  }

  /// Readings of all five queues; those not named are empty, with somebody attached; queues that the register does not name are not there.
  public func readings(_ counts: [QueueKind: QueueReading.Count]) -> [QueueReading] {
    self.queues.map { queue in
      let usual: QueueReading.Count =
        QueueKind.inRegister.contains(queue.kind) ? .counted(depth: 0, arrivals: nil, consumers: 1) : .absent
      return QueueReading(address: queue.address, kind: queue.kind, count: counts[queue.kind] ?? usual)
    }
  }

  public func address(_ kind: QueueKind) -> QueueAddress? { self.queues.first { $0.kind == kind }?.address }

  public mutating func wait(_ span: TimeSpan) { self.now = self.now + span }

  /// As the daemon would bring it; what is due of itself follows.
  public mutating func bring(_ input: GroupInput) {
    self.refusal = nil
    switch self.state.decide(.group(self.pulje, self.group, input), now: self.now) {
    case .events(let events): for event in events { self.keep(event) }
    case .refused(let refusal): self.refusal = refusal
    }
    if self.phase == .drained,
      case .events(let events) = self.state.decide(.group(self.pulje, self.group, .advance), now: self.now)
    {
      for event in events { self.keep(event) }
    }
  }

  /// One look, so long after what was before.
  public mutating func look(_ readings: [QueueReading], after span: TimeSpan = .seconds(1)) {
    self.wait(span)
    self.bring(.looked(readings))
    self.peek()
    self.readBack()
  }

  /// What lies on a queue from now on, for those who look at the messages.
  public mutating func show(_ sightings: QueueSightings) { self.shown[sightings.queue] = sightings }

  /// When people answer for a sender the daemon looks whose messages they are, after each look that counted any.
  private mutating func peek() {
    guard let group = self.groupState, group.awaitsSighting(self.now, on: self.dialect) else {
      return
    }
    let filled = group.drain.last.filter { ($0.lying ?? 0) > 0 }.map(\.address)
    let found = filled.compactMap { self.shown[$0] }
    if !found.isEmpty { self.bring(.sighted(found)) }
  }

  /// The register still says what it should, whenever somebody asks.
  private mutating func readBack() {
    guard let member = self.groupState?.members.first, !member.recordProven else { return }
    self.bring(.readBack(member.goal(.forward), retryAt: self.now))
  }

  /// The daemon was away for `span` and is there again.
  public mutating func restart(after span: TimeSpan) {
    self.wait(span)
    self.keep(.daemonStarted)
    self.readBack()
  }

  public var groupState: GroupState? { self.state.puljer[self.pulje]?.groups[self.group] }
  public var phase: GroupPhase? { self.groupState?.phase }
  public var verdict: DrainVerdict? { self.state.puljer[self.pulje]?.drainVerdict(of: self.group, now: self.now) }
  public var recomputedVerdict: DrainVerdict? {
    DrainVerdict.recomputed(pulje: self.pulje, group: self.group, from: self.history, now: self.now)
  }
}
