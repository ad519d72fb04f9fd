// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// One queue that is to be carried now: from where, to where, how, and for whom.
public struct ForwardingErrand: Sendable, Hashable {
  /// A queue is carried by one at a time: the buses and the queue that is left tell errands apart.
  public struct Key: Sendable, Hashable, CustomStringConvertible {
    public var from: BusName
    public var queue: QueueAddress

    public var description: String { "\(self.from): \(self.queue)" }
  }

  public var pulje: PuljeName
  public var group: GroupID
  public var from: BusName
  public var to: BusName
  public var route: ForwardingWork.Route
  public var order: ForwardingOrder

  public init(
    pulje: PuljeName, group: GroupID, from: BusName, to: BusName, route: ForwardingWork.Route, order: ForwardingOrder
  ) {
    self.pulje = pulje
    self.group = group
    self.from = from
    self.to = to
    self.route = route
    self.order = order
  }

  public var key: Key { Key(from: self.from, queue: self.route.from) }
}

extension MigrationState {
  /// What is to be carried now, queue by queue; each queue once.
  public func forwardingErrands(now: Instant) -> [ForwardingErrand.Key: ForwardingErrand] {
    var errands: [ForwardingErrand.Key: ForwardingErrand] = [:]
    for (pulje, group, work) in self.forwarding(now: now) {
      for route in work.routes {
        let errand = ForwardingErrand(
          pulje: pulje, group: group, from: work.from, to: work.to, route: route, order: work.order)
        // Two puljer never hold one party open; if they did, the first one's is carried and the other's waits.
        if errands[errand.key] == nil { errands[errand.key] = errand }
      }
    }
    return errands
  }
}
