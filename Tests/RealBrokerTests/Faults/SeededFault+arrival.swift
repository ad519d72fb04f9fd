// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import BusProbe
import TjenestebussTesting

extension SeededFault {
  /// Steps 31 to 33.
  static let ofArrival: [SeededFault] = Self.ofDeafQueues + Self.ofStuckQueues + Self.ofLateStages

  private static let ofDeafQueues: [SeededFault] = [RealBroker.rabbitMQ4, RealBroker.rabbitMQ43].map { broker in
    SeededFault(31, .party, .arrivalNoConsumer, "nobody listens", on: broker, sees: "meldinger 0 -> 1, lyttere 0") { broker in
      try await FaultStage.withQueue(broker) { try await FaultStage.climb(try FaultStage.real(broker), queue: $0) }
    }
  }

  private static let ofStuckQueues: [SeededFault] = [RealBroker.rabbitMQ4, RealBroker.rabbitMQ43].map { broker in
    SeededFault(
      31, .vendor, .arrivalGrowsDeadLetters, "the system fetches nothing, and the queue has a dead-letter exchange", on: broker,
      sees: "exchange (default)"
    ) { broker in
      let (queue, dead) = try await broker.declareQueueWithDeadLetters()
      let report = try await Self.whileListening(queue, of: broker, credit: 0) {
        try await FaultStage.climb(try FaultStage.real(broker), queue: queue)
      }
      try await broker.deleteQueue(queue)
      try await broker.deleteQueue(dead)
      return report
    }
  }

  private static let ofLateStages: [SeededFault] = [
    .init(
      31, .vendor, .arrivalGrows, "the system listens and fetches nothing", on: RealBroker.rabbitMQ4, sees: "0 -> 1, lyttere 1"
    ) {
      broker in
      try await FaultStage.withQueue(broker) { queue in
        try await Self.whileListening(queue, of: broker, credit: 0) {
          try await FaultStage.climb(try FaultStage.real(broker), queue: queue)
        }
      }
    },
    .init(
      31, .nhn, .arrivalQueueMissing, "the queue does not exist, and the bus accepts", on: RealBroker.rabbitMQ3,
      sees: "not_there_async"
    ) {
      broker in
      try await FaultStage.counted(broker) {
        try await FaultStage.climb(try FaultStage.real(broker), queue: "not_there_async", counting: $0)
      }
    },
    .init(31, .us, .arrivalUnreadable, "a wrong password at the management", on: RealBroker.rabbitMQ3, sees: "PROBE-101") {
      broker in
      try await FaultStage.counted(broker, password: "wrong") { counting in
        try await FaultStage.withQueue(broker) {
          try await FaultStage.climb(try FaultStage.real(broker), queue: $0, counting: counting)
        }
      }
    },
    .init(32, .vendor, .echoNone, "the system takes the ping and does not answer", on: RealBroker.rabbitMQ4, sees: "1 s") {
      broker in
      try await FaultStage.withQueue(broker) { queue in
        try await FaultStage.withQueue(broker) { replies in
          try await Self.whileListening(queue, of: broker, credit: 10) {
            try await FaultStage.climb(try FaultStage.real(broker), queue: queue, replyQueue: replies)
          }
        }
      }
    },
    .init(32, .us, .echoNotListening, "our own reply queue is not there", on: RealBroker.rabbitMQ4, sees: "AMQP-301") { broker in
      try await FaultStage.withQueue(broker) { queue in
        try await Self.whileListening(queue, of: broker, credit: 10) {
          try await FaultStage.climb(try FaultStage.real(broker), queue: queue, replyQueue: "not_there_pingreply")
        }
      }
    },
    .init(33, .us, .otherBusMail, "mail lies on the bus that was left", on: RealBroker.rabbitMQ4, sees: "meldinger 1") { broker in
      // The party is on 3.10 now; its mail goes on coming to 4.0.
      try await FaultStage.withQueue(broker) { queue in
        try await Self.fill(queue, of: broker)
        return try await FaultStage.climb(
          try FaultStage.real(.rabbitMQ3), queue: queue, others: [.init(endpoint: try FaultStage.real(broker))],
          change: {
            $0.sending = .no
            $0.looksAtOtherBuses = true
          })
      }
    },
    .init(33, .us, .otherBusUnreadable, "the bus that was left lets us not in", on: RealBroker.rabbitMQ4, sees: "AMQP-105") {
      broker in
      try await FaultStage.climb(
        try FaultStage.real(.rabbitMQ3), others: [.init(endpoint: try FaultStage.real(broker, password: "wrong"))],
        change: {
          $0.sending = .no
          $0.looksAtOtherBuses = true
        })
    },
  ]

  /// A receiver as a party's system has it, which never answers a ping.
  static func whileListening(
    _ queue: String, of broker: RealBroker, credit: Int, _ body: () async throws -> ProbeReport
  ) async throws -> ProbeReport {
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue), credit: credit)
      return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          while let batch = try await receiver.nextBatch() { try receiver.settle(batch, as: .accepted) }
        }
        let report = try await body()
        group.cancelAll()
        return report
      }
    }
  }
}
