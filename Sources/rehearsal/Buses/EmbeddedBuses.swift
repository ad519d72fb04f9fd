// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import TjenestebussClient
import TjenestebussTesting

/// Two in-memory brokers in this process, spoken to over loopback like any other: one with Service Bus's manners, one with
/// RabbitMQ 4's.
struct EmbeddedBuses: RehearsalBuses {
  let source: BusSite
  let target: BusSite
  private let brokers: [InMemoryBroker]

  private static let path = "NHNTESTServiceBus"

  static func start() async throws -> EmbeddedBuses {
    let source = try await Self.broker(.serviceBusWindowsServer)
    let target = try await Self.broker(.rabbitMQ4AddressV2)
    return EmbeddedBuses(
      source: try await Self.site(source, "servicebus", "sb.test.nhn.no"),
      target: try await Self.site(target, "tjenestebuss", "tb.test.nhn.no"), brokers: [source, target])
  }

  private static func broker(_ dialect: Dialect) async throws -> InMemoryBroker {
    let broker = InMemoryBroker(
      InMemoryBroker.Configuration(
        dialect: dialect, path: Self.path, users: [BrokerUser("app", password: Secret("app"))], managementPort: 0))
    try await broker.start()
    return broker
  }

  private static func site(_ broker: InMemoryBroker, _ name: BusName, _ host: String) async throws -> BusSite {
    guard let port = broker.port, let managementPort = broker.managementPort else {
      throw RehearsalError.brokersMissing("the ports of the embedded broker \(name)")
    }
    return BusSite(
      endpoint: BusEndpoint(
        bus: Bus(name: name, dialect: broker.configuration.dialect, hosts: [host], path: Self.path),
        connection: BusConnectionString(
          host: "127.0.0.1", port: port, encrypted: false, user: "app", password: Secret("app"), path: Self.path)),
      managementURL: "http://127.0.0.1:\(managementPort)", managementUser: "app", managementPassword: "app")
  }

  func declare(queues: [String]) async throws {
    for broker in self.brokers {
      for queue in queues { try await broker.declare(BrokerQueue(queue)) }
    }
  }

  func stop() async { for broker in self.brokers { await broker.stop() } }
}
