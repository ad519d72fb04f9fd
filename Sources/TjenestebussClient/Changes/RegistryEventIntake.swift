// SPDX-License-Identifier: Apache-2.0

import AMQP
import Logging

/// What is done with the register's events: the party is dropped from the cache, then the event is accepted.
struct RegistryEventIntake: DeliveryIntake {
  let client: TjenestebussClient

  func read(_ delivery: AMQPDelivery) -> RegistryEvent {
    (try? delivery.message()).map { RegistryEvent($0) } ?? .unreadable
  }

  func needsPlace(_ item: RegistryEvent) -> Bool { false }
  func conversation(of item: RegistryEvent) -> String? { nil }
  func abandon(_ item: RegistryEvent) {}

  func judge(_ item: RegistryEvent, _ delivery: AMQPDelivery, _ place: AMQPHandlerPlace) async -> DeliveryVerdict {
    switch item {
    case .addressChanged(let change): await self.client.drop(change)
    case .other: break
    case .unreadable:
      // Accepted: it can never be read, and a cache that ages is the worst that comes of it.
      self.client.logger.warning(
        "an event of the register does not say which party changed", metadata: [LogKey.error.rawValue: "TB-510"])
    }
    return .accept()
  }
}

extension TjenestebussClient {
  /// Drops what is remembered of where the party is.
  func drop(_ change: AddressChange) async {
    await self.routes.forget(change.herID)
    self.board.change { $0.counters.addressesDropped += 1 }
    self.logger.info(
      "a party's entry in the register has changed; its cached address is dropped",
      metadata: [LogKey.herID.rawValue: "\(change.herID)"])
  }

  /// Reads the register's events until cancelled; returns at once where none are configured.
  func receiveRegistryEvents() async {
    guard let events = self.configuration.serve.registryEvents, let endpoint = self.configuration.endpoint(events.bus) else {
      return
    }
    // The register's events have no kind of their own; the queue is nobody's asynchronous queue all the same.
    await self.receive([
      Reception(endpoint, OwnQueue(name: events.queue, kind: .asynchronous)) { client, _ in RegistryEventIntake(client: client) }
    ])
  }
}
