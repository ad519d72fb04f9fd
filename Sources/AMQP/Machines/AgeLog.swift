// SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore

/// When what is not yet finished began, oldest first. Pure.
///
/// Finishing marks only; what is finished is dropped from the front, and from within once it outweighs the rest.
struct AgeLog {
  private var order: Deque<(id: DeliveryID, since: NIODeadline)> = []
  private var open = DeliveryTable<Void>()

  var count: Int { self.open.count }

  mutating func began(_ id: DeliveryID, at now: NIODeadline) {
    self.open.insert((), for: id)
    self.order.append((id, now))
  }

  /// - Returns: whether it was there.
  @discardableResult
  mutating func finished(_ id: DeliveryID) -> Bool {
    guard self.open.remove(id) != nil else { return false }
    while let first = self.order.first, !self.open.contains(first.id) { self.order.removeFirst() }
    if self.order.count > 64, self.order.count > 2 * self.open.count {
      self.order.removeAll { !self.open.contains($0.id) }
    }
    return true
  }

  func contains(_ id: DeliveryID) -> Bool { self.open.contains(id) }

  var oldest: NIODeadline? { self.order.first?.since }
}
