// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Works out a plan from a request and what the register says. Pure: reads nothing, asks nobody.
public struct Planner: Sendable {
  public var buses: [Bus]
  /// Everybody known who could share a queue with the parties, the parties and their parents included.
  public var records: [HerID: PartyRecord]
  /// Parties of puljer that are still open, and which pulje.
  public var open: [HerID: PuljeName]
  /// What can be written, and by whom.
  public var offer: RegisterOffer

  public init(
    buses: [Bus], records: [PartyRecord], open: [HerID: PuljeName] = [:], offer: RegisterOffer = RegisterOffer()
  ) {
    self.offer = offer
    self.buses = buses
    self.records = Dictionary(records.map { ($0.herID, $0) }, uniquingKeysWith: { first, _ in first })
    self.open = open
  }

  public func plan(_ asked: PuljeRequest) -> Plan {
    let (request, leftOut) = asked.expanded(
      by: self.records.values, source: self.buses.first { $0.name == asked.source })
    var plan = Plan(
      name: request.name, source: request.source, target: request.target, policy: request.policy, groups: [], obstacles: [],
      manualSteps: [])
    plan.obstacles += self.obstacles(inPolicyOf: request)
    for nobody in leftOut where nobody.herID == nil {
      plan.obstacles.append(Obstacle(.organisationUnknown, seen: "organisation \(nobody.organisation): \(nobody.why)"))
    }
    guard let source = self.buses.first(where: { $0.name == request.source }),
      let target = self.buses.first(where: { $0.name == request.target }), source.name != target.name, !target.hosts.isEmpty
    else {
      plan.obstacles.append(Obstacle(.busUnknown, seen: "source \(request.source), target \(request.target)"))
      return plan
    }
    var requested: [HerID: PuljeRequest.Party] = [:]
    for party in request.parties {
      if requested.updateValue(party, forKey: party.herID) != nil {
        plan.obstacles.append(Obstacle(.partyTwice, herID: party.herID, seen: "HER-ID \(party.herID) is named twice"))
      }
    }
    if requested.isEmpty { plan.obstacles.append(Obstacle(.noParties, seen: "no party is named")) }

    for party in requested.values.sorted(by: { $0.herID < $1.herID }) {
      plan.obstacles += self.obstacles(of: party, source: source, target: target, policy: request.policy)
    }
    let reach = WriteReach(request, requested: requested, records: self.records, target: target, offer: self.offer)
    plan.obstacles += reach.obstacles
    plan.writer = self.offer.writer
    plan.sourceDialect = source.dialect
    plan.targetDialect = target.dialect
    var sharing = QueueSharing(records: self.records)
    for (one, other) in reach.together { sharing.join(one, other) }
    for (lowest, members) in sharing.groups().sorted(by: { $0.key < $1.key }) {
      let present = members.filter { requested[$0] != nil }
      guard let first = present.first else { continue }
      let missing = members.filter { requested[$0] == nil }
      if !missing.isEmpty {
        let names = missing.map(\.description).joined(separator: ", ")
        plan.obstacles.append(
          Obstacle(.groupNotClosed, herID: first, others: missing, seen: "moves together with \(names), not in the pulje"))
      }
      let planned = members.compactMap { self.member($0, party: requested[$0], target: target, reach) }
      plan.groups.append(Plan.Group(id: GroupID(lowest), members: self.parentsFirst(planned)))
    }
    plan.manualSteps = self.manualSteps(request, source: source, target: target)
    plan.waves = request.waves.map { $0.split(plan.groups, parties: request.parties) }
    return plan
  }

  private func obstacles(inPolicyOf request: PuljeRequest) -> [Obstacle] {
    let policy = request.policy
    var found: [Obstacle] = []
    let spans: [(String, TimeSpan)] = [
      ("quiet period", policy.quietPeriod), ("look interval", policy.lookInterval), ("watch period", policy.watchPeriod),
      ("watch look interval", policy.watchLookInterval), ("ping interval", policy.pingInterval),
      ("ready life", policy.readyLife), ("verified life", policy.verifiedLife), ("drained life", policy.drainedLife),
    ]
    for (name, span) in spans where span.milliseconds <= 0 {
      found.append(Obstacle(.policyUnsound, seen: "\(name) is \(span)"))
    }
    let counts = [("ping tries", policy.pingTries), ("write tries", policy.writeTries), ("looks", policy.minimumLooks)]
    for (name, count) in counts where count < 1 { found.append(Obstacle(.policyUnsound, seen: "\(name) is \(count)")) }
    for fault in (request.waves?.faults(request.parties) ?? []) + (policy.libraries?.faults ?? []) {
      found.append(Obstacle(.policyUnsound, seen: fault))
    }
    if let caches = policy.declaredCaches, caches.isEmpty || caches.contains(where: { $0.life.milliseconds <= 0 }) {
      found.append(Obstacle(.policyUnsound, seen: "an address cache lives longer than nothing, and one is named"))
    }
    if let kept = policy.sourceKept, kept.milliseconds < 0 {
      found.append(Obstacle(.policyUnsound, seen: "source kept is \(kept)"))
    }
    for fault in policy.calendar?.faults ?? [] { found.append(Obstacle(.policyUnsound, seen: fault)) }
    if policy.blocks?.contains(.preflightFails) == true {
      // What a check finds now may be mended before its window; the group's own pre-flight holds it then.
      found.append(Obstacle(.policyUnsound, seen: "MIG-611 cannot block a plan"))
    }
    if let hooks = policy.hooks, hooks.isEmpty || hooks.contains("") || Set(hooks).count != hooks.count {
      found.append(Obstacle(.policyUnsound, seen: "hooks must be names, each once"))
    }
    if let steps = policy.stepHooks,
      steps.isEmpty || Set(steps).count != steps.count || steps.contains(where: { $0.hook.isEmpty || $0.point == .cut })
    {
      found.append(Obstacle(.policyUnsound, seen: "hooks must be names, each once at a point"))
    }
    if let gates = policy.gates {
      let isTimely = gates.measureInterval.milliseconds > 0 && gates.pingAfterQuiet.milliseconds > 0
      let isCounted =
        (0...100).contains(gates.pingLossPercent) && gates.depth >= 0 && gates.deadLetters >= 0 && gates.traffic >= 0
      if !isTimely || !isCounted {
        found.append(Obstacle(.policyUnsound, seen: "a gate has a time of nothing, or a figure below it"))
      }
    }
    if let items = policy.testProtocol?.items, items.isEmpty || Set(items).count != items.count {
      found.append(Obstacle(.policyUnsound, seen: "a test protocol names something, and each thing once"))
    }
    if policy.approvals < 1 { found.append(Obstacle(.policyUnsound, seen: "approvals is \(policy.approvals)")) }
    return found
  }

  private func obstacles(of party: PuljeRequest.Party, source: Bus, target: Bus, policy: Policy) -> [Obstacle] {
    let herID = party.herID
    guard let record = self.records[herID] else {
      return [Obstacle(.unknownParty, herID: herID, seen: "HER-ID \(herID) is not in the register")]
    }
    var found: [Obstacle] = []
    if !record.active || !record.valid {
      found.append(Obstacle(.inactiveParty, herID: herID, seen: "active \(record.active), valid \(record.valid)"))
    }
    if let other = self.open[herID] { found.append(Obstacle(.inOpenPulje, herID: herID, seen: "pulje \(other) is open")) }
    if party.listens == .one, policy.leftovers == .report {
      found.append(Obstacle(.listensOnOneBus, herID: herID, seen: "listens: one, or not stated"))
    }
    if record.queues.isEmpty {
      found.append(Obstacle(.noQueues, herID: herID, seen: Self.noQueues(record)))
      return found
    }
    return found + self.obstacles(inAddressesOf: record, source: source, target: target)
  }

  private static func noQueues(_ record: PartyRecord) -> String {
    let others = record.otherTransports
    return "no AMQP queue address in its entry"
      + (others.isEmpty ? "" : ", but \(others.joined(separator: ", ")): another transport")
  }

  private func obstacles(inAddressesOf record: PartyRecord, source: Bus, target: Bus) -> [Obstacle] {
    var found: [Obstacle] = []
    var names: Set<BusName> = []
    for address in record.queues {
      guard let queue = try? QueueAddress(text: address.text) else {
        found.append(Obstacle(.addressMalformed, herID: record.herID, seen: "\"\(address.text.prefix(200))\""))
        continue
      }
      guard let bus = self.buses.first(where: { $0.holds(queue) }) else {
        found.append(Obstacle(.noConfiguredBus, herID: record.herID, seen: "\(queue)"))
        continue
      }
      names.insert(bus.name)
      if address.inherited, !self.isExplained(address, of: record) {
        found.append(
          Obstacle(
            .inheritanceUnexplained, herID: record.herID,
            seen: "inherits \(queue); parent \(record.parent?.description ?? "none")"))
      }
    }
    if names.count > 1 {
      let list = names.sorted().map(\.text).joined(separator: " and ")
      found.append(Obstacle(.halfMoved, herID: record.herID, seen: "queues on \(list)"))
    } else if names == [target.name] {
      found.append(Obstacle(.alreadyOnTarget, herID: record.herID, seen: "all its queues are on \(target.name)"))
    } else if let name = names.first, name != source.name {
      found.append(Obstacle(.onOtherBus, herID: record.herID, seen: "all its queues are on \(name)"))
    }
    return found
  }

  /// Whether some ancestor holds the inherited address as its own. Bounded: a register may hold a ring of parents.
  private func isExplained(_ address: PartyRecord.Address, of record: PartyRecord) -> Bool {
    var next = record.parent
    for _ in 0..<16 {
      guard let herID = next, let ancestor = self.records[herID] else { return false }
      guard let match = ancestor.addresses.first(where: { $0.typeCode == address.typeCode && $0.text == address.text }) else {
        return false
      }
      if !match.inherited { return true }
      next = ancestor.parent
    }
    return false
  }

  private func member(_ herID: HerID, party: PuljeRequest.Party?, target: Bus, _ reach: WriteReach) -> Plan.Member? {
    guard let before = self.records[herID] else { return nil }
    // What cannot be moved is an obstacle already; its record then stands as it was.
    let after = reach.joined[herID] ?? (try? before.moved(to: target)) ?? before
    let isWritten = before.queues.contains { !$0.inherited }
    return Plan.Member(
      herID: herID, vendor: party?.vendor ?? "", startConfirmed: party?.startConfirmed ?? false, before: before, after: after,
      isWritten: isWritten, movedBy: reach.movedBy[herID], joinsOrganisation: reach.joined[herID].map { _ in true })
  }

  /// Parents before children, else ascending: a child's inherited queue can only read back as moved when the parent has.
  private func parentsFirst(_ members: [Plan.Member]) -> [Plan.Member] {
    let inGroup = Set(members.map(\.herID))
    func depth(_ member: Plan.Member) -> Int {
      var next = member.before.parent
      var steps = 0
      while let herID = next, inGroup.contains(herID), steps < 16 {
        steps += 1
        next = self.records[herID]?.parent
      }
      return steps
    }
    return members.map { (depth($0), $0) }.sorted { ($0.0, $0.1.herID) < ($1.0, $1.1.herID) }.map(\.1)
  }

  private func manualSteps(_ request: PuljeRequest, source: Bus, target: Bus) -> [Plan.ManualStep] {
    let byVendor = Dictionary(grouping: request.parties, by: \.vendor)
    return byVendor.sorted { $0.key < $1.key }.flatMap { vendor, parties -> [Plan.ManualStep] in
      let herIDs = parties.map(\.herID).sorted()
      let host = target.hosts.first ?? ""
      let path = target.path.isEmpty ? "" : "/\(target.path)"
      var texts = [
        // The configuration itself is made by VendorConfiguration.
        "add a connection to bus \(target.name): amqps://USER:PASSWORD@\(host):5671\(path), beside the one to \(source.name)",
        "set the dialect of that connection to \(target.dialect.rawValue)",
        "point the syncreply queue at bus \(target.name) together with the sync queue: the register does not hold it",
        "restart the receiver if it reads its queue addresses only at start",
      ]
      if parties.contains(where: { $0.listens == .both }) {
        texts.append("keep listening on bus \(source.name) until the pulje's watch period is over")
      }
      return texts.map { Plan.ManualStep(vendor: vendor, herIDs: herIDs, what: $0) }
    }
  }
}
