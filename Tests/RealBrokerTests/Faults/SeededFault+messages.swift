// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import BusProbe
import Foundation
import TjenestebussTesting

extension SeededFault {
  /// Steps 29 and 30.
  static let ofMessages: [SeededFault] = Self.ofUnboundExchanges + Self.ofFullQueues + Self.ofOutcomes

  private static let ofUnboundExchanges: [SeededFault] = [RealBroker.rabbitMQ4, RealBroker.rabbitMQ43].map { broker in
    SeededFault(29, .nhn, .released, "no queue is bound to the exchange", on: broker, sees: "released") { broker in
      let exchange = "fault-\(UUID().uuidString.prefix(8))"
      try await broker.management("PUT", "/api/exchanges/%2F/\(exchange)", ["type": "direct"])
      let report = try await FaultStage.climb(try FaultStage.real(broker, path: exchange))
      try await broker.management("DELETE", "/api/exchanges/%2F/\(exchange)")
      return report
    }
  }

  private static let ofFullQueues: [SeededFault] = [RealBroker.rabbitMQ4, RealBroker.rabbitMQ43].map { broker in
    SeededFault(29, .party, .queueFull, "the queue is full and refuses", on: broker, sees: "i køen lå 1") { broker in
      try await FaultStage.withQueue(broker, arguments: ["x-max-length": 1, "x-overflow": "reject-publish"]) { queue in
        try await Self.fill(queue, of: broker)
        return try await FaultStage.climb(try FaultStage.real(broker), queue: queue)
      }
    }
  }

  private static let ofOutcomes: [SeededFault] = [
    .init(29, .nhn, .outcomeTimedOut, "the bus has an alarm", on: "RabbitMQ 4 in memory", sees: "8 s") {
      try await FaultStage.memory(.rabbitMQ4AddressV2, spoil: { try await $0.holdOutcomes() })
    },
    .init(29, .network, .outcomeLost, "the connection falls after the ping", on: "scripted peer", sees: "AMQP-107") {
      try await FaultStage.scripted([
        .opening(), .session(), .expect(.attach()), .respond(.attach()), .respond(.flow(credit: 10)), .expect(.transfer()),
        .drop(),
      ])
    },
    .init(29, .nhn, .rejected, "the bus refuses the message", on: "scripted peer", sees: "amqp:not-allowed") {
      try await FaultStage.scripted([
        .opening(), .session(), .expect(.attach()), .respond(.attach()), .respond(.flow(credit: 10)), .expect(.transfer()),
        .respond(.disposition(.rejected(AMQPCondition(AMQPCondition.notAllowed, text: "not today")))),
      ])
    },
    .init(29, .nhn, .modified, "the bus gives the message back, changed", on: "scripted peer", sees: "modified") {
      try await FaultStage.scripted([
        .opening(), .session(), .expect(.attach()), .respond(.attach()), .respond(.flow(credit: 10)), .expect(.transfer()),
        .respond(.disposition(.modified(deliveryFailed: true, undeliverableHere: false))),
      ])
    },
    .init(30, .nhn, .controlAccepted, "the bus accepts what it loses", on: RealBroker.rabbitMQ3, sees: "rabbitmq-3") { broker in
      try await FaultStage.withQueue(broker) { try await FaultStage.climb(try FaultStage.real(broker), queue: $0) }
    },
    .init(29, .nhn, .acceptedProvesNothing, "the bus accepts what it loses", on: RealBroker.rabbitMQ3, sees: "rabbitmq-3") {
      broker in
      try await FaultStage.withQueue(broker) { try await FaultStage.climb(try FaultStage.real(broker), queue: $0) }
    },
    .init(30, nil, .controlNotPossible, "the bus makes what is not there", on: "ActiveMQ in memory", sees: "activemq") {
      try await FaultStage.memory(.activeMQ)
    },
  ]

  static func fill(_ queue: String, of broker: RealBroker) async throws {
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await connection.withSender(to: broker.sending(to: queue)) { sender in
        _ = try await sender.send(AMQPMessage(header: AMQPHeader(durable: true), body: .data([1])))
      }
    }
  }
}
