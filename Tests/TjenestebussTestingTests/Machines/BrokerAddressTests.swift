// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import TjenestebussTesting

@Suite("Addresses, names and routes")
struct BrokerAddressTests {
  @Test(
    "each broker's addresses mean what they mean there",
    arguments: [
      ("ns/93238_async", BrokerProduct.serviceBusWindowsServer, BrokerAddress.queue("93238_async")),
      ("ns/93238_async/$DeadLetterQueue", .serviceBusWindowsServer, .deadLetterSubqueue(of: "93238_async")),
      ("NS/93238_async", .serviceBusWindowsServer, .queue("NS/93238_async")),
      ("93238_async", .serviceBusWindowsServer, .queue("93238_async")),
      ("93238_async", .azureServiceBus, .queue("93238_async")),
      ("93238_async/$deadletterqueue", .azureServiceBus, .deadLetterSubqueue(of: "93238_async")),
      ("/exchange/ns/93238_async", .rabbitMQ310, .exchange("ns", key: "93238_async")),
      ("/amq/queue/93238_async", .rabbitMQ310, .queue("93238_async")),
      ("/queue/93238_async", .rabbitMQ310, .queue("93238_async", declares: true)),
      ("93238_async", .rabbitMQ310, .queue("93238_async", declares: true)),
      ("/queues/93238_async", .rabbitMQ310, .invalid("{unknown_address,\"/queues/93238_async\"}")),
      ("/management", .rabbitMQ310, .invalid("{unknown_address,\"/management\"}")),
      ("/management", .rabbitMQ40, .management),
      ("/amq/queue/q", .rabbitMQ40, .queue("q")),
      ("/queues/q", .rabbitMQ40, .queue("q")),
      ("/exchanges/ns/k", .rabbitMQ40, .exchange("ns", key: "k")),
      ("/queues/a%2Fb%20%C3%A6", .rabbitMQ43, .queue("a/b æ")),
      ("/exchanges/ns/a%2Fb", .rabbitMQ43, .exchange("ns", key: "a/b")),
      ("/exchanges/ns", .rabbitMQ43, .exchange("ns", key: "")),
      ("/exchange/ns/k", .rabbitMQ43, .invalid("amqp_address_v1_not_permitted")),
      ("q", .rabbitMQ43, .invalid("amqp_address_v1_not_permitted")),
      ("/queues/%4", .rabbitMQ43, .invalid("bad percent-encoding")),
      ("/queues/%+1", .rabbitMQ43, .invalid("bad percent-encoding")),
      ("/queues/%ff", .rabbitMQ43, .invalid("bad percent-encoding")),
      ("/queues/a/b", .rabbitMQ43, .invalid("{bad_address,\"/queues/a/b\"}")),
      ("/management", .rabbitMQ43, .management),
      ("$cbs", .azureServiceBus, .claims), ("$CBS", .serviceBusWindowsServer, .queue("$CBS")),
      ("q/$management", .azureServiceBus, .entityManagement("q")),
      ("amqps://ns.servicebus.windows.net/q", .azureServiceBus, .queue("q")),
      ("q/$deadletterqueue/$management", .azureServiceBus, .entityManagement("q/$DeadLetterQueue")),
      ("/topic/k", .rabbitMQ310, .exchange("amq.topic", key: "k")),
      ("queue://q", .activeMQ, .queue("q", declares: true)),
    ])
  func meaning(_ text: String, _ product: BrokerProduct, _ expected: BrokerAddress) {
    #expect(BrokerAddress(text, product: product, path: "ns") == expected)
  }

  @Test("the addresses our client builds reach their queue", arguments: Dialect.allCases, ["93238_async", "a/b c%æ"])
  func ours(_ dialect: Dialect, _ queue: String) {
    // Address v1 has no way to write a slash, and Service Bus names know none.
    guard queue == "93238_async" || dialect == .rabbitMQ4AddressV2 else { return }
    for path in ["NHNTESTServiceBus", ""] {
      let sending = LinkAddress.sending(to: queue, path: path, dialect: dialect).text
      let receiving = LinkAddress.receiving(from: queue, path: path, dialect: dialect).text
      let reached = [sending, receiving].map { BrokerAddress($0, product: BrokerProduct(for: dialect), path: path) }
      for address in reached {
        switch address {
        case .queue(queue, _), .exchange(path, key: queue): break
        default: Issue.record("\(address) is not \(queue)")
        }
      }
    }
  }

  @Test(
    "patterns of names",
    arguments: [
      ("*", "anything", true), ("*", "", true), ("a", "a", true), ("a", "b", false), ("", "", true), ("", "a", false),
      ("93238_*", "93238_async", true), ("93238_*", "93239_async", false), ("*_async", "1_async", true),
      ("*_async", "1_sync", false), ("a*b*c", "axxbyyc", true), ("a*b*c", "axxc", false), ("a*a", "a", false),
      ("a*a", "aa", true), ("*b*", "abc", true), ("*b*", "ac", false), ("**", "x", true),
    ])
  func patterns(_ pattern: String, _ name: String, _ matches: Bool) {
    #expect(NamePattern(pattern).matches(name) == matches)
    #expect(NamePattern(pattern).description == pattern)
  }

  @Test("the bus's own exchange routes by queue name, others by their bindings")
  func routes() {
    var table = RoutingTable(ownExchange: "bus")
    #expect(table.has("bus") && !table.has("other") && !table.has(""))
    #expect(table.queues(exchange: "bus", key: "q") == ["q"])
    #expect(table.queues(exchange: "other", key: "q") == [])
    table.declare("other")
    table.bind("a", to: "other", key: "k")
    table.bind("b", to: "other", key: "k")
    table.declare("other")
    #expect(table.queues(exchange: "other", key: "k") == ["a", "b"])
    #expect(table.queues(exchange: "other", key: "q") == [])
    table.delete("other")
    #expect(!table.has("other"))
    #expect(!RoutingTable(ownExchange: "").has(""))
  }

  @Test(
    "where dead letters go",
    arguments: [
      ("93238_async", Dialect.rabbitMQ4AddressV2, "93238_dl" as String?), ("93238_syncreply", .rabbitMQ3, "93238_dl"),
      ("orders", .rabbitMQ4AddressV1, "orders_dl"), ("93238_dl", .rabbitMQ3, nil),
      ("93238_async", .serviceBusWindowsServer, "93238_async/$DeadLetterQueue"),
      ("93238_async/$DeadLetterQueue", .azureServiceBus, nil),
    ])
  func deadLetters(_ queue: String, _ dialect: Dialect, _ expected: String?) {
    #expect(BrokerQueue(queue).deadLetterQueue(dialect) == expected)
  }
}
