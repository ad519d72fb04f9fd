// SPDX-License-Identifier: Apache-2.0

import AMQP

/// What is done with the deliveries of one queue.
protocol DeliveryIntake: Sendable {
  associatedtype Item: Sendable

  /// Reads a delivery and decides, in the order of arrival, what it is.
  func read(_ delivery: AMQPDelivery) -> Item
  /// Whether it is for a handler of the vendor's, and so waits for a place.
  func needsPlace(_ item: Item) -> Bool
  /// What must be handled one after the other; nil for no order.
  func conversation(of item: Item) -> String?
  /// Deals with it to the end. What needed no place at first may ask for one.
  func judge(_ item: Item, _ delivery: AMQPDelivery, _ place: AMQPHandlerPlace) async -> DeliveryVerdict
  /// It is given back without having been judged.
  func abandon(_ item: Item)
}

/// How a delivery ends.
struct DeliveryVerdict: Sendable {
  enum End: Sendable {
    case accept
    case reject(AMQPCondition)
    /// Given back after a wait. `failed`: it was tried in vain, and the bus shall count that where it can.
    case handBack(after: Duration, failed: Bool)
  }

  var end: End
  /// What is counted once the bus has been told.
  var count: (@Sendable (inout ClientStatus.Counters) -> Void)?

  static func accept(_ count: (@Sendable (inout ClientStatus.Counters) -> Void)? = nil) -> DeliveryVerdict {
    DeliveryVerdict(end: .accept, count: count)
  }

  static func reject(
    _ condition: AMQPCondition, _ count: (@Sendable (inout ClientStatus.Counters) -> Void)? = nil
  ) -> DeliveryVerdict {
    DeliveryVerdict(end: .reject(condition), count: count)
  }

  /// Not begun, or not to be counted against it.
  static let untouched = DeliveryVerdict(end: .handBack(after: .zero, failed: false))
}
