// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

extension BrokerMessage {
  /// Sets a message annotation; keys are symbols.
  package mutating func annotate(_ key: String, _ value: AMQPValue) {
    if self.messageAnnotations[key] != nil {
      self.messageAnnotations[key] = value
    } else {
      self.messageAnnotations.entries.append(AMQPMap.Entry(key: .symbol(key), value: value))
    }
  }

  /// Changes the bare message: what RabbitMQ 3 and Service Bus do where the spec says they must not.
  package mutating func rewrite(_ change: (inout AMQPMessage) -> Void) {
    // It was decoded when it came in, so this does not fail; if it did, it would stay as it is.
    guard var message = try? AMQPMessage(decoding: self.bare) else { return }
    let hadBody = message.body != .absent
    change(&message)
    message.header = nil
    self.properties = message.properties
    if hadBody { self.bare = message.encoded() }
  }

  /// What a broker of the dialect writes on a message that died in `queue`.
  package mutating func die(_ reason: DeathReason, in queue: String, exchange: String, dialect: Dialect) {
    // Else it would die again where it is to be looked at.
    self.header?.timeToLive = nil
    switch dialect {
    case .serviceBusWindowsServer, .azureServiceBus:
      self.annotate("x-opt-deadletter-source", .string(queue))
      self.rewrite { $0.applicationProperties["DeadLetterReason"] = .string(reason.serviceBusText) }
    case .rabbitMQ3, .rabbitMQ4AddressV1, .rabbitMQ4AddressV2, .activeMQ:
      let death: [(String, String)] = [("queue", queue), ("reason", reason.rabbitMQText), ("exchange", exchange)]
      let isFirst = self.messageAnnotations["x-first-death-queue"] == nil
      for (name, text) in death {
        if isFirst { self.annotate("x-first-death-\(name)", .string(text)) }
        self.annotate("x-last-death-\(name)", .string(text))
      }
    }
  }
}

extension DeathReason {
  /// RabbitMQ knows no reason of its own for the undeliverable.
  fileprivate var rabbitMQText: String { self == .undeliverable ? DeathReason.rejected.rawValue : self.rawValue }

  fileprivate var serviceBusText: String {
    switch self {
    case .rejected: "Rejected"
    case .undeliverable: "Undeliverable"
    case .expired: "TTLExpiredException"
    case .deliveryLimit: "MaxDeliveryCountExceeded"
    }
  }
}
