// SPDX-License-Identifier: Apache-2.0

/// What is done with the deliveries of one address, where a closure for each of them is not enough: deliveries are read in the
/// order in which they come before any is handled, some need no place among the handlers, and the handler returns a verdict.
///
/// See ``AMQPClient/process(from:maxConcurrent:policy:with:)``.
public protocol AMQPDeliveryHandler<Item>: Sendable {
  /// What a delivery turns out to be.
  associatedtype Item: Sendable
  /// By what the order is kept.
  associatedtype Key: Hashable & Sendable

  /// Reads a delivery: called for one after the other, in the order in which they come. Must be quick.
  func read(_ delivery: AMQPDelivery) -> Item

  /// What must be handled one after the other; nil for no order.
  func key(of item: Item) -> Key?

  /// Whether it waits for one of the places. What needs none is begun at once, however many handlers are at work: for what is
  /// answered without the application.
  func needsPlace(_ item: Item) -> Bool

  /// Decides what becomes of it. It does not settle. Its task is cancelled when the bus takes the delivery back, and when a stop
  /// has lasted too long.
  func handle(_ item: Item, _ delivery: AMQPDelivery, _ place: AMQPHandlerPlace) async -> AMQPVerdict

  /// Told once how each delivery that was read has ended. Must be quick.
  func ended(_ item: Item, _ ending: AMQPProcessEnding)
}

extension AMQPDeliveryHandler {
  public func ended(_ item: Item, _ ending: AMQPProcessEnding) {}
}

/// One delivery's place among the handlers.
public struct AMQPHandlerPlace: Sendable {
  private let ask: @Sendable () async -> Bool

  init(_ ask: @escaping @Sendable () async -> Bool) { self.ask = ask }

  /// Waits for a place; at once where the delivery has one. It is given back when its handler ends.
  ///
  /// - Returns: false when there will be none: everything stops, or the task was cancelled.
  public func take() async -> Bool { await self.ask() }
}
