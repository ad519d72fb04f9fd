// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussClient

@Suite("Forms of addresses, by real brokers")
struct AddressFormTests {
  @Test("the dialect is found where it is not configured", arguments: RealBroker.all)
  func probe(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let dialect = try await Dialect.probe(connection, queue: queue)
      #expect(dialect == broker.dialect)
    }
    try await broker.management("DELETE", "/api/queues/%2F/\(queue)")
  }

  @Test(
    "address v1: taken by 3.10 and 4.0, refused by 4.3 with a code that says what to configure",
    arguments: RealBroker.all)
  func v1(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let address = LinkAddress.receiving(from: queue, path: "", dialect: .rabbitMQ4AddressV1).text
      if broker.name.contains("4.3") {
        for isSender in [false, true] {
          let error = await #expect(throws: AMQPError.self) {
            if isSender {
              _ = try await connection.openSender(to: address)
            } else {
              _ = try await connection.openReceiver(from: address)
            }
          }
          #expect(error?.code == .addressFormRefused, "\(String(describing: error))")
          #expect(error?.explanation.next.contains("rabbitmq-4-v2") == true)
          #expect(error?.isRetriable == false)
        }
      } else {
        try await connection.withReceiver(from: address) { _ in }
      }
    }
    try await broker.management("DELETE", "/api/queues/%2F/\(queue)")
  }

  @Test("names with everything that has a meaning in an address, there and back (address v2)", arguments: RealBroker.fours)
  func names(_ broker: RealBroker) async throws {
    for part in ["a b", "a/b", "50%", "blåbær", "a?b#c", "a+b"] {
      let queue = "test_\(UInt32.random(in: 0...(.max)))_\(part)"
      let encoded = LinkAddress.receiving(from: queue, path: "", dialect: .rabbitMQ4AddressV2).text.dropFirst("/queues/".count)
      try await broker.management("PUT", "/api/queues/%2F/\(encoded)", ["durable": true])
      try await AMQPConnection.withConnection(try broker.configuration()) { connection in
        let address = try #require(LinkAddress(.queue(queue), form: .v2)).text
        let sender = try await connection.openSender(to: address)
        let outcome = try await sender.send(AMQPMessage(body: .data([1])))
        #expect(outcome == .accepted)
        try await connection.withReceiver(from: address) { receiver in
          var iterator = receiver.makeAsyncIterator()
          let delivery = try #require(try await iterator.next(isolation: #isolation))
          let key = try delivery.message().messageAnnotations["x-routing-key"]?.text
          #expect(key == queue)
          try delivery.accept()
        }
      }
      try await broker.management("DELETE", "/api/queues/%2F/\(encoded)")
    }
  }
}
