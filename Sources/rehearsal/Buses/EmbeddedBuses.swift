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

  /// The same with drawn passwords: whoever practises, and a test that looks for them, is to find each in one place.
  static func startWithOwnLogins() async throws -> (EmbeddedBuses, PracticeBuses) {
    func start(_ dialect: Dialect, _ name: BusName, _ host: String) async throws -> (InMemoryBroker, BusSite) {
      let password = PracticeBuses.drawnPassword()
      let counterPassword = PracticeBuses.drawnPassword()
      let broker = try await Self.broker(
        dialect,
        [BrokerUser(PracticeBuses.user, password: password), BrokerUser(PracticeBuses.counter, password: counterPassword)])
      let site = try await Self.site(broker, name, host)
      return (broker, PracticeBuses.site(site, password: password, counterPassword: counterPassword))
    }
    let (source, sourceSite) = try await start(.serviceBusWindowsServer, "servicebus", "sb.test.nhn.no")
    let (target, targetSite) = try await start(.rabbitMQ4AddressV2, "tjenestebuss", "tb.test.nhn.no")
    let buses = EmbeddedBuses(source: sourceSite, target: targetSite, brokers: [source, target])
    return (buses, PracticeBuses(buses, source: sourceSite, target: targetSite))
  }

  private static func broker(
    _ dialect: Dialect, _ users: [BrokerUser] = [BrokerUser("app", password: Secret("app"))]
  ) async throws -> InMemoryBroker {
    let broker = InMemoryBroker(
      InMemoryBroker.Configuration(dialect: dialect, path: Self.path, users: users, managementPort: 0))
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
