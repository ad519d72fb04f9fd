// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What forwarding would carry, carries or has carried for groups that leave a bus: what `drain forward` shows before anybody approves.
/// The schema is stable.
public struct ForwardingView: Codable, Sendable {
  public struct Route: Codable, Sendable {
    public var kind: QueueKind
    public var from: QueueAddress
    public var to: QueueAddress
    /// Messages there at the last look; nil when not known.
    public var lying: Int64?
    /// Whether the order, or the usual one where there is none, carries this kind.
    public var isCarried: Bool
    public var total: ForwardingCount
    public var stop: ForwardingLedger.Stop?
  }

  public struct Group: Codable, Sendable {
    public var pulje: PuljeName
    public var group: GroupID
    public var herIDs: [HerID]
    public var phase: GroupPhase
    public var policy: Policy.Leftovers
    public var from: BusName
    public var to: BusName
    /// nil: nobody has ordered anything in this direction.
    public var order: ForwardingOrder?
    public var approvedAt: Instant?
    public var pause: Note?
    public var ended: Note?
    /// Whether it is carried out now.
    public var isAtWork: Bool
    /// Why it is not, though the order stands.
    public var keptBack: Refusal?
    public var lookedAt: Instant?
    public var routes: [Route]
    /// Queues from which nothing can be carried, since it cannot be told where their messages belong.
    public var withoutRoute: [QueueAddress]
  }

  /// A message that may have arrived twice.
  public struct Duplicate: Codable, Sendable, Hashable {
    public var queue: QueueAddress
    public var messageID: String
    public var reason: String
    public var at: Instant

    public init(queue: QueueAddress, messageID: String, reason: String, at: Instant) {
      self.queue = queue
      self.messageID = messageID
      self.reason = reason
      self.at = at
    }
  }

  /// A message that was not carried, and why.
  public struct SetAside: Codable, Sendable, Hashable {
    public var queue: QueueAddress
    public var messageID: String
    public var reason: String
    public var seen: String
    public var at: Instant

    public init(queue: QueueAddress, messageID: String, reason: String, seen: String, at: Instant) {
      self.queue = queue
      self.messageID = messageID
      self.reason = reason
      self.seen = seen
      self.at = at
    }
  }

  public var schema = "bus-migrator/drain-forward/1"
  public var now: Instant
  public var groups: [Group]
  /// From the forwarder's journal; nil where nobody could read it.
  public var possibleDuplicates: [Duplicate]?
  public var setAside: [SetAside]?

  /// - Parameter herIDs: groups with one of these; empty for every group that leaves a bus and has an order.
  public init(_ state: MigrationState, pulje: PuljeName?, herIDs: Set<HerID>, now: Instant) {
    self.now = now
    let atWork = state.forwardingErrands(now: now).values.map { Roster.Key(pulje: $0.pulje, group: $0.group) }
    self.groups = state.ordered.filter { pulje == nil || $0.name == pulje }.flatMap { pulje in
      pulje.groups.compactMap { group -> Group? in
        let isAsked = herIDs.isEmpty ? group.forwarding != nil : group.members.contains { herIDs.contains($0.herID) }
        guard isAsked else { return nil }
        let key = Roster.Key(pulje: pulje.name, group: group.id)
        return Group(
          pulje, group, isAtWork: atWork.contains(key),
          keptBack: group.forwardingKeptBack(in: state.context(pulje, group.id, now: now)))
      }
    }
  }

  /// What an order would carry now.
  public var lying: Int64 { self.groups.flatMap(\.routes).filter(\.isCarried).reduce(0) { $0 + ($1.lying ?? 0) } }
}

extension ForwardingView.Group {
  init(_ pulje: PuljeState, _ group: GroupState, isAtWork: Bool, keptBack: Refusal?) {
    let isForward = group.direction == .forward
    self.pulje = pulje.name
    self.group = group.id
    self.herIDs = group.members.map(\.herID)
    self.phase = group.phase
    self.policy = pulje.policy.leftovers
    self.from = isForward ? pulje.plan.source : pulje.plan.target
    self.to = isForward ? pulje.plan.target : pulje.plan.source
    self.order = group.forwarding?.order
    self.approvedAt = group.forwarding?.approvedAt
    self.pause = group.forwarding?.pause
    self.ended = group.forwarding?.ended
    self.isAtWork = isAtWork
    self.keptBack = keptBack
    self.lookedAt = group.drain.lastLookAt
    let kinds = group.forwarding?.order.queues ?? ForwardingOrder(approvals: []).queues
    self.routes = group.routes.map { route in
      let reading = group.drain.last.first { $0.address == route.from }
      return ForwardingView.Route(
        kind: route.kind, from: route.from, to: route.to, lying: reading?.lying, isCarried: kinds.contains(route.kind),
        total: group.forwarding?.total(of: route.from) ?? ForwardingCount(run: ""),
        stop: group.forwarding?.stops.first { $0.queue == route.from })
    }
    let routed = Set(self.routes.map(\.from))
    self.withoutRoute = group.drain.last.map(\.address).filter { !routed.contains($0) }
  }
}
