// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import BusProbe
import Foundation
import TjenestebussTesting

extension SeededFault {
  /// Steps 29 and 30.
  static let ofMessages: [SeededFault] =
    Self.ofUnboundExchanges + Self.ofFullQueues + Self.ofQueuesThatDrop + Self.ofDeadLetters + Self.ofOutcomes

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

  private static var refuses: [String: Any] { ["x-max-length": 1, "x-overflow": "reject-publish"] }

  /// RabbitMQ 3.10 gives no outcome then: with the management it is known why, without it both guesses are named.
  private static let ofSilentQueues: [SeededFault] = [
    .init(29, .party, .queueFullSilent, "the queue is full and refuses", on: RealBroker.rabbitMQ3, sees: "i køen lå 1") {
      broker in
      try await Self.full(Self.refuses, broker)
    },
    .init(
      29, .nhn, .outcomeTimedOut, "the queue is full and refuses, and there is no management", on: RealBroker.rabbitMQ3,
      sees: "2 s"
    ) { broker in
      try await FaultStage.withQueue(broker, arguments: Self.refuses) { queue in
        try await Self.fill(queue, of: broker)
        return try await FaultStage.climb(try FaultStage.real(broker), queue: queue, settings: { $0.timeout = .seconds(2) })
      }
    },
  ]

  private static let ofQueuesThatDrop: [SeededFault] =
    Self.ofSilentQueues
    + [RealBroker.rabbitMQ3, RealBroker.rabbitMQ4, RealBroker.rabbitMQ43].map { broker in
      SeededFault(29, .party, .queueFullDrops, "the queue is full and drops its oldest", on: broker, sees: "kaster den eldste") {
        try await Self.full(["x-max-length": 1, "x-overflow": "drop-head"], $0)
      }
    }

  private static let ofDeadLetters: [SeededFault] = [RealBroker.rabbitMQ3, RealBroker.rabbitMQ4, RealBroker.rabbitMQ43].map {
    broker in
    SeededFault(
      29, nil, .sendingWouldStay, "nobody listens, and the queue has a dead-letter exchange", on: broker, sees: "(default)"
    ) {
      broker in
      try await FaultStage.counted(broker) { counting in
        try await FaultStage.withQueue(broker) { dead in
          let arguments: [String: Any] = ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead]
          return try await FaultStage.withQueue(broker, arguments: arguments) { queue in
            try await FaultStage.untilCounted(queue, messages: 0, of: broker, by: counting)
            return try await FaultStage.climb(try FaultStage.real(broker), queue: queue, counting: counting)
          }
        }
      }
    }
  }

  /// A queue with a message in it and no place for another, and a way to see that.
  private static func full(_ arguments: [String: Any], _ broker: RealBroker) async throws -> ProbeReport {
    try await FaultStage.counted(broker) { counting in
      try await FaultStage.withQueue(broker, arguments: arguments) { queue in
        try await Self.fill(queue, of: broker)
        try await FaultStage.untilCounted(queue, messages: 1, of: broker, by: counting)
        return try await FaultStage.climb(try FaultStage.real(broker), queue: queue, counting: counting)
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
