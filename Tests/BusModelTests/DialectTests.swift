// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@Suite("What each dialect can and cannot do is stated")
struct DialectTests {
  @Test("names in configuration are stable")
  func names() {
    #expect(
      Dialect.allCases.map(\.rawValue) == [
        "servicebus-windows-server", "azure-servicebus", "rabbitmq-3", "rabbitmq-4-v1", "rabbitmq-4-v2", "activemq",
      ])
  }

  @Test("on RabbitMQ 3 accepted proves nothing, modified ends the session, a link is not closed by its Detach")
  func rabbitMQ3() {
    let can = Dialect.rabbitMQ3.capabilities
    #expect(can.missingQueueForSender == .acceptsAndLoses)
    #expect(can.unroutableMessage == .acceptsAndLoses)
    #expect(!can.knowsModified)
    #expect(!can.answersCloseOfLink)
  }

  @Test("dead letters are a sub-queue on Service Bus and a queue of their own elsewhere")
  func deadLetters() {
    #expect(Dialect.serviceBusWindowsServer.capabilities.deadLetter == .subqueue("$DeadLetterQueue"))
    #expect(Dialect.azureServiceBus.capabilities.deadLetter == .subqueue("$DeadLetterQueue"))
    for dialect in [Dialect.rabbitMQ3, .rabbitMQ4AddressV1, .rabbitMQ4AddressV2, .activeMQ] {
      #expect(dialect.capabilities.deadLetter == .ownQueue(suffix: "_dl"))
    }
  }

  @Test("RabbitMQ 4 releases what it cannot route; only address v2 attaches without declaring")
  func rabbitMQ4() {
    #expect(Dialect.rabbitMQ4AddressV1.capabilities.unroutableMessage == .releases)
    #expect(Dialect.rabbitMQ4AddressV2.capabilities.unroutableMessage == .releases)
    #expect(Dialect.rabbitMQ4AddressV1.capabilities.declaresQueueOnAttach)
    #expect(!Dialect.rabbitMQ4AddressV2.capabilities.declaresQueueOnAttach)
    #expect(Dialect.rabbitMQ4AddressV2.capabilities.countsBy == [.managementAMQP, .managementHTTP])
  }
}
