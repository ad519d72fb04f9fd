// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel
import BusProbe
import Disclosure
import Migration
import Testing
import TjenestebussClient
import TjenestebussTesting

@testable import AddressRegistry
@testable import bus_migrator

@Suite("A look at a whole bus before it is closed", .timeLimit(.minutes(2)))
struct BusSurveyTests {
  @Test("A Service Bus with management says which queues hold anything, and that nobody is told who is connected")
  func serviceBus() async throws {
    let configuration = InMemoryBroker.Configuration(
      dialect: .serviceBusWindowsServer, path: "NHN", users: [BrokerUser("app", password: Secret("app"))],
      queues: ["200_async", "300_async"], managementPort: 0)
    try await InMemoryBroker.withBroker(configuration) { broker in
      let bus = Bus(name: "sb", dialect: .serviceBusWindowsServer, hosts: ["sb.example"], path: "NHN")
      let endpoint = BusEndpoint(
        bus: bus,
        connection: BusConnectionString(
          host: "127.0.0.1", port: broker.port ?? 0, encrypted: false, user: "app", password: Secret("app"), path: "NHN"))
      let port: Int = try #require(broker.managementPort)
      try await HTTPClient.withHTTPClient(configuration: RegisterHTTP.configuration()) { http in
        let counting = try OwnWays.overHTTP(
          bus.dialect, http: http, url: "http://127.0.0.1:\(port)", user: "app", password: Secret("app"), virtualHost: "/",
          namespace: "NHN")
        let probe = BusProbe(
          endpoint, replyQueue: nil, counting: counting,
          settings: ProbeSettings(ownHerID: try HerID(text: "100"), timeout: .seconds(30), echoTimeout: .seconds(30)))
        try await probe.withProbe { probe in
          let survey = BusSurvey(
            cache: nil, probes: ["sb": probe], connections: [:], buses: [bus], ownUsers: [:], managed: ["sb"])
          let closing = await survey.look(at: bus)
          #expect(closing.filledQueues == .counted(0, names: []), "\(closing.text)")
          #expect(closing.text.contains("servicebus-windows-server tells nobody who is connected to it"), "\(closing.text)")
        }
      }
    }
    let bus = Bus(name: "sb", dialect: .serviceBusWindowsServer, hosts: ["sb.example"], path: "NHN")
    let without = BusSurvey(cache: nil, probes: [:], connections: [:], buses: [bus], ownUsers: [:])
    #expect(await without.look(at: bus).text.contains("no management interface is configured"))
  }
}
