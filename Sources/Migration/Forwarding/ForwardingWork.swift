// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a forwarder is to do for one group now. While it is given, the forwarder works; when it is not any more, it ends what is on
/// its way and stops.
public struct ForwardingWork: Sendable, Hashable, Codable {
  /// From a queue of the bus being left to the same party's queue of the same kind on the other bus.
  public struct Route: Sendable, Hashable, Codable {
    public var kind: QueueKind
    public var from: QueueAddress
    public var to: QueueAddress
  }

  public var from: BusName
  public var to: BusName
  public var order: ForwardingOrder
  public var routes: [Route]
}

extension PuljeState {
  /// What is to be carried for each of its groups now.
  public func forwarding(stop: Note?, now: Instant) -> [(group: GroupID, work: ForwardingWork)] {
    guard self.policy.leftovers == .forward else { return [] }
    let contexts = self.contexts(stop: stop, now: now)
    return self.groups.indices.compactMap { place in
      let group = self.groups[place]
      return group.forwardingWork(self.plan, in: contexts.context(at: place)).map { (group.id, $0) }
    }
  }
}

extension MigrationState {
  /// What is to be carried for all groups of all puljer now.
  public func forwarding(now: Instant) -> [(pulje: PuljeName, group: GroupID, work: ForwardingWork)] {
    let shovels = self.shovels
    return self.ordered.flatMap { pulje in
      pulje.forwarding(stop: self.stop, now: now).compactMap { group, work in
        var work = work
        // A shovel that another pulje's group has left behind takes from the same queue, or brings to it.
        work.routes.removeAll { route in
          shovels.contains { recorded in
            (recorded.pulje, recorded.group) != (pulje.name, group)
              && !Set([recorded.shovel.from, recorded.shovel.to]).isDisjoint(with: [route.from, route.to])
          }
        }
        return work.routes.isEmpty ? nil : (pulje.name, group, work)
      }
    }
  }
}

extension GroupState {
  /// The newest order in the present direction and what came of it; nil when there never was one.
  public var forwarding: ForwardingLedger? { self.drain.forwarding }

  /// Why nothing is carried just now though an order stands; nil when it is carried, or when none stands.
  public func forwardingKeptBack(in context: GroupContext) -> Refusal? {
    guard let forwarding, forwarding.stands else { return nil }
    return self.forwardingRefusal("carry over what strands", context).refusal
      ?? forwarding.pause.map {
        Refusal(.paused, tried: "carry over what strands of \(self.id)", seen: "paused by \($0.by): \($0.why)")
      }
      // Two that take from one queue, or one that carries against the other, would change the order of messages, or send them around.
      ?? self.lingeringShovel.map {
        Refusal(.shovelStands, tried: "carry over what strands of \(self.id)", seen: $0.words)
      }
      // Where mail belongs is not known while an entry is to be read again.
      ?? (self.allRecordsProven
        ? nil
        : Refusal(.recordNotProven, tried: "carry over what strands of \(self.id)", seen: "not every entry is read back"))
  }

  func forwardingWork(_ plan: Plan, in context: GroupContext) -> ForwardingWork? {
    guard let forwarding, forwarding.stands, self.forwardingKeptBack(in: context) == nil else { return nil }
    let stopped = Set(forwarding.stops.map(\.queue))
    let routes = self.routes.filter { forwarding.order.queues.contains($0.kind) && !stopped.contains($0.from) }
    guard !routes.isEmpty else { return nil }
    let isForward = self.direction == .forward
    return ForwardingWork(
      from: isForward ? plan.source : plan.target, to: isForward ? plan.target : plan.source, order: forwarding.order,
      routes: routes)
  }

  /// From every queue that is being left to where its messages belong now. A queue of which that cannot be told, since its parties
  /// part ways, has no route: its messages lie there and are reported.
  public var routes: [ForwardingWork.Route] {
    var routes: [ForwardingWork.Route] = []
    var parted: Set<QueueAddress> = []
    for member in self.members {
      let left = [member.plan].queues(after: self.direction == .back)
      let taken = [member.plan].queues(after: self.direction == .forward)
      for queue in left {
        guard let goal = taken.first(where: { $0.kind == queue.kind }) else { continue }
        let route = ForwardingWork.Route(kind: queue.kind, from: queue.address, to: goal.address)
        if let known = routes.first(where: { $0.from == queue.address }) {
          if known.to != goal.address { parted.insert(queue.address) }
        } else {
          routes.append(route)
        }
      }
    }
    return routes.filter { !parted.contains($0.from) }
  }
}
