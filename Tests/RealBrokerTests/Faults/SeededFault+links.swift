// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import BusProbe
import TjenestebussTesting

extension SeededFault {
  /// Steps 26 to 28.
  static let ofLinks: [SeededFault] = [
    .init(26, .nhn, .queueMissing, "the queue does not exist", on: RealBroker.rabbitMQ4, sees: "amqp:not-found") { broker in
      try await FaultStage.climb(try FaultStage.real(broker), queue: "not_there_async")
    },
    .init(26, .nhn, .queueMissing, "the queue does not exist", on: RealBroker.rabbitMQ43, sees: "amqp:not-found") { broker in
      try await FaultStage.climb(try FaultStage.real(broker), queue: "not_there_async")
    },
    .init(26, .nhn, .sendingForbidden, "the user may not send there", on: RealBroker.rabbitMQ4, sees: "amqp:unauthorized-access")
    { broker in
      try await FaultStage.withQueue(broker) {
        try await FaultStage.climb(try FaultStage.real(broker, user: "limited"), queue: $0)
      }
    },
    .init(26, .us, .addressFormRefused, "address v1", on: RealBroker.rabbitMQ43, sees: "amqp_address_v1_not_permitted") {
      broker in
      try await FaultStage.withQueue(broker) {
        try await FaultStage.climb(try FaultStage.real(broker) { $0.bus.dialect = .rabbitMQ4AddressV1 }, queue: $0)
      }
    },
    .init(26, .nhn, .entityDisabled, "the queue is closed for sends", on: "Service Bus in memory", sees: "entity-disabled") {
      try await FaultStage.memory(
        .serviceBusWindowsServer, spoil: { try await $0.setDisabled(true, FaultStage.queue) })
    },
    .init(26, .nhn, .attachSilent, "the bus does not answer the attach", on: "scripted peer", sees: "3 s") {
      try await FaultStage.scripted([.opening(), .session(), .expect(.attach()), .silence()])
    },
    .init(26, .us, .linkLimit, "as many links as there may be", on: "scripted peer", sees: "amqp:resource-limit-exceeded") {
      try await FaultStage.scripted([
        .opening(), .session(), .expect(.attach()), .respond(.attach(refused: true)),
        .respond(.detach(AMQPCondition(AMQPCondition.resourceLimitExceeded, text: "256 links"))),
      ])
    },
    .init(26, .network, .attachCut, "the connection falls at the attach", on: "scripted peer", sees: "AMQP-107") {
      try await FaultStage.scripted([.opening(), .session(), .expect(.attach()), .drop()])
    },
    .init(27, .nhn, .noCredit, "the bus grants no credit", on: "Service Bus in memory", sees: "8 s") {
      try await FaultStage.memory(.serviceBusWindowsServer, spoil: { try await $0.stopGrantingCredit() })
    },
    .init(27, .network, .creditCut, "the connection falls before there is credit", on: "scripted peer", sees: "AMQP-107") {
      try await FaultStage.scripted([
        .opening(), .session(), .expect(.attach()), .respond(.attach()), .pause(.milliseconds(500)), .drop(),
      ])
    },
    .init(28, .nhn, .tooLarge, "the bus takes 100 bytes at most", on: "Service Bus in memory", sees: "AMQP-402") {
      try await FaultStage.memory(.serviceBusWindowsServer, configure: { $0.maximumMessageSize = 100 })
    },
    .init(28, .nhn, .transferForbidden, "the user may not send there", on: RealBroker.rabbitMQ3, sees: "amqp:unauthorized-access")
    { broker in
      try await FaultStage.withQueue(broker) {
        try await FaultStage.climb(try FaultStage.real(broker, user: "limited"), queue: $0)
      }
    },
  ]
}
