// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import AsyncHTTPClient
import BusModel
import BusProbe
import Disclosure
import Foundation
import Testing
import TjenestebussClient

@Suite("Probe against real brokers", .serialized, .timeLimit(.minutes(10)))
struct ProbeTests {
  private func counting(
    _ broker: RealBroker, _ http: HTTPClient, dialect: Dialect? = nil
  ) throws -> ManagementHTTPCounting {
    try ManagementHTTPCounting(
      http: http, url: try broker.variable("MANAGEMENT_URL"), user: "guest", password: Secret("guest"),
      dialect: dialect ?? broker.dialect)
  }

  private func settings(_ buses: ClientBuses, waits: Bool = true) -> ProbeSettings {
    ProbeSettings(ownHerID: buses.me, timeout: .seconds(60), echoTimeout: .seconds(60), waitsForLateCounts: waits)
  }

  /// A register with one party, whose queue lies on `broker`.
  struct OneParty: AddressRegisterReading {
    var herID: HerID
    var address: String
    func party(_ herID: HerID) async throws -> PartyRecord {
      guard herID == self.herID else { throw AddressRegistryError.partyUnknown(herID, askedRegister: true) }
      return PartyRecord(
        herID: herID, name: "Legekontoret", kind: .service, parent: nil, active: true, valid: true,
        addresses: [.init(typeCode: "E_SB_ASYNC", text: self.address, inherited: false)])
    }
  }

  private func party(_ buses: ClientBuses, _ endpoint: BusEndpoint) throws -> OneParty {
    OneParty(herID: buses.peer, address: "\(try #require(endpoint.bus.hosts.first))/NHN/\(buses.queue)")
  }

  @Test("Ping, echo, control and count, with the party's system running", arguments: RealBroker.all)
  func ping(_ broker: RealBroker) async throws {
    let buses = try ClientBuses()
    let replyQueue = buses.queue + "_pingreply"
    for name in [buses.queue, replyQueue] { try await buses.declare(on: broker, name) }
    let endpoint = try ClientBuses.endpoint(broker)
    buses.lay(buses.peer, cached: endpoint.name)
    let client = try TjenestebussClient(ClientBuses.configuration([endpoint]), routes: buses.routes)
    try await HTTPClient.withHTTPClient(configuration: RegisterHTTP.configuration()) { http in
      let counting = broker.dialect == .rabbitMQ3 ? try self.counting(broker, http) : nil
      let probe = BusProbe(endpoint, replyQueue: replyQueue, counting: counting, settings: self.settings(buses))
      try await client.withClient { client in
        try await client.whileReceiving(for: buses.peer, handler: { _ in Issue.record("a ping reached the EPJ") }) {
          await client.wait { $0[endpoint.name, buses.queue] == .receiving }
          try await probe.withProbe { probe in
            let verdict = try await probe.ping(buses.peer, queue: buses.queue)
            #expect(verdict.judgement.isAccepted)
            #expect(verdict.judgement.acceptanceProves == (broker.dialect != .rabbitMQ3))
            #expect(verdict.judgement.echo?.originalMessageID == verdict.observation.messageID)
            #expect(verdict.judgement.provesTheWay)
            let control = verdict.judgement.steps.first { $0.code == .negativeControl }
            #expect(control?.verdict == (broker.dialect == .rabbitMQ3 ? .warning : .ok))
          }
        }
      }
    }
  }

  @Test("Nobody listens: counted exactly by AMQP on RabbitMQ 4, by HTTP on both; a queue that is not there is missing")
  func counts() async throws {
    let buses = try ClientBuses()
    for broker in RealBroker.all {
      try await buses.declare(on: broker)
      let endpoint = try ClientBuses.endpoint(broker)
      try await HTTPClient.withHTTPClient(configuration: RegisterHTTP.configuration()) { http in
        let byHTTP = try self.counting(broker, http)
        let probe = BusProbe(
          endpoint, replyQueue: nil, counting: broker.dialect == .rabbitMQ3 ? byHTTP : nil, settings: self.settings(buses))
        try await probe.withProbe { probe in
          let ready = try await probe.preflight([buses.queue, "not_there_async"])
          #expect(ready.map(\.existence) == [.exists, .missing])
          let verdict = try await probe.ping(buses.peer, queue: buses.queue)
          #expect(verdict.observation.ping == .outcome(.accepted))
          #expect(!verdict.judgement.provesTheWay)
          #expect(await probe.depth("not_there_async").value == .missing)
          if broker.dialect != .rabbitMQ3 {
            #expect(
              verdict.observation.before?.count
                == QueueCount(messages: 0, includesUnsettled: false, consumers: 0, figures: QueueFigures(active: 0)))
            #expect(
              verdict.observation.after?.count
                == QueueCount(messages: 1, includesUnsettled: false, consumers: 0, figures: QueueFigures(active: 1)))
            #expect(verdict.judgement.steps.first { $0.code == .arrival }?.verdict == .failed)
          }
        }
        #expect(await byHTTP.read("not_there_async").value == .missing)
      }
    }
  }

  @Test("What came is counted on RabbitMQ 3, though it was taken again; RabbitMQ 4 leaves AMQP 1.0 out, so nothing is said")
  func arrivals() async throws {
    let buses = try ClientBuses()
    for broker in RealBroker.all {
      try await buses.declare(on: broker)
      try await AMQPConnection.withConnection(try broker.configuration()) { connection in
        let address = broker.receiving(from: buses.queue)
        try await connection.withSender(to: address) { sender in
          for _ in 0..<3 {
            let outcome = try await sender.send(AMQPMessage(body: .data([1])))
            #expect(outcome == .accepted)
          }
        }
        try await connection.withReceiver(from: address) { receiver in
          var taken = 0
          while taken < 3, let batch = try await receiver.nextBatch() {
            for delivery in batch { try delivery.accept() }
            taken += batch.count
          }
        }
        // While the connection is there: what one that has gone sent since the last sample is in no figure, or in the next.
        try await self.expectArrivals(in: buses.queue, on: broker)
      }
    }
  }

  private func expectArrivals(in queue: String, on broker: RealBroker) async throws {
    try await HTTPClient.withHTTPClient(configuration: RegisterHTTP.configuration()) { http in
      if broker.dialect != .rabbitMQ3 {
        let believed = await (try self.counting(broker, http)).read(queue)
        #expect(believed.count?.arrivals == nil)
      }
      // The figure itself, whether it is believed or not: RabbitMQ 4's does not have what came by AMQP 1.0.
      let counting = try self.counting(broker, http, dialect: .rabbitMQ3)
      let wanted = broker.dialect == .rabbitMQ3 ? 3 : 0
      let deadline = ContinuousClock.now + .seconds(60)
      var count: QueueCount?
      // The interface is seconds late and tells nobody when it is not any more: asking again is the only way.
      repeat { count = await counting.read(queue).count } while (count?.arrivals ?? -1) < wanted && ContinuousClock.now < deadline
      #expect(count?.arrivals == wanted, "\(broker)")
    }
  }

  @Test("What is handed out and not settled is not in AMQP's count: the reading says so")
  func unsettled() async throws {
    let buses = try ClientBuses()
    try await buses.declare(on: .rabbitMQ4)
    let address = RealBroker.rabbitMQ4.receiving(from: buses.queue)
    try await AMQPConnection.withConnection(try RealBroker.rabbitMQ4.configuration()) { connection in
      try await connection.withSender(to: address) { sender in
        let outcome = try await sender.send(AMQPMessage(body: .data([1])))
        #expect(outcome == .accepted)
      }
      let counting = ManagementAMQPCounting { connection }
      #expect(
        await counting.read(buses.queue).count
          == QueueCount(messages: 1, includesUnsettled: false, consumers: 0, figures: QueueFigures(active: 1)))
      try await connection.withReceiver(from: address) { receiver in
        let delivery = try #require(try await receiver.nextBatch()?.first)
        #expect(
          await counting.read(buses.queue).count
            == QueueCount(messages: 0, includesUnsettled: false, consumers: 1, figures: QueueFigures(active: 0)))
        try delivery.accept()
      }
    }
  }

  @Test("Links opened and closed a hundred times in a row on one connection: each attach is answered")
  func linksInARow() async throws {
    let buses = try ClientBuses()
    try await buses.declare(on: .rabbitMQ4)
    let address = RealBroker.rabbitMQ4.receiving(from: buses.queue)
    try await AMQPConnection.withConnection(try RealBroker.rabbitMQ4.configuration()) { connection in
      let counting = ManagementAMQPCounting { connection }
      for round in 0..<100 {
        #expect(await counting.read(buses.queue).count?.messages == 0, "round \(round)")
        let sender = try await connection.openSender(to: address, within: .seconds(60))
        await sender.close()
        let receiver = try await connection.openReceiver(from: address, within: .seconds(60))
        await receiver.close()
      }
    }
  }

  @Test("The whole ladder over TLS, with the broker's own authority", arguments: RealBroker.all)
  func overTLS(_ broker: RealBroker) async throws {
    let buses = try ClientBuses()
    try await buses.declare(on: broker)
    let good = try self.secureEndpoint(broker, trusting: true)
    let probe = PartyProbe(
      buses: [.init(endpoint: good)], cache: nil, register: try self.party(buses, good),
      settings: self.settings(buses, waits: false))
    let report = await probe.run(buses.peer.description)
    #expect(report[.encryption]?.verdict == .ok, "\(report.text(language: .en))")
    #expect(report[.encryption]?.seen(.en).contains("days") == true)
    #expect(report[.open]?.seen(.en).contains("RabbitMQ") == true)
    #expect(report[.transfer]?.verdict == .ok)

    let untrusted = try self.secureEndpoint(broker, trusting: false)
    let refused = await PartyProbe(
      buses: [.init(endpoint: untrusted)], cache: nil, register: try self.party(buses, untrusted),
      settings: self.settings(buses)
    ).run(buses.peer.description)
    #expect(refused.firstFailure?.code == .encryption)
    #expect(refused.firstFailure?.finding == .certificateUnknownAuthority)

    var byAddress = good
    byAddress.connection.host = "127.0.0.1"
    let wrongName = await PartyProbe(
      buses: [.init(endpoint: byAddress)], cache: nil, register: try self.party(buses, byAddress), settings: self.settings(buses)
    ).run(buses.peer.description, through: .encryption)
    // Whether the certificate names the address too is the broker script's business: then it is good, else it says why.
    #expect(wrongName[.encryption]?.verdict == .ok || wrongName[.encryption]?.finding == .certificateWrongName)
  }

  private func secureEndpoint(_ broker: RealBroker, trusting: Bool) throws -> BusEndpoint {
    let configuration = try broker.secureConfiguration(trusting: trusting)
    var endpoint = try ClientBuses.endpoint(broker)
    endpoint.connection = BusConnectionString(
      host: configuration.host, port: configuration.port, user: "app", password: Secret("app"))
    endpoint.authorities = trusting ? [try broker.variable("CA")] : []
    return endpoint
  }

  @Test("Wrong password, unknown host, closed port, no TLS on the port, missing queue: each its own rung")
  func failures() async throws {
    let buses = try ClientBuses()
    let broker = RealBroker.rabbitMQ4
    func report(_ change: (inout BusEndpoint) -> Void) async throws -> ProbeReport {
      var endpoint = try ClientBuses.endpoint(broker)
      change(&endpoint)
      return await PartyProbe(
        buses: [.init(endpoint: endpoint)], cache: nil, register: try self.party(buses, endpoint),
        settings: self.settings(buses)
      ).run(buses.peer.description)
    }
    let password = try await report { $0.connection.password = Secret("Sup3rS3cret") }
    #expect(password.firstFailure?.code == .login)
    #expect(!password.text(language: .nb).contains("Sup3rS3cret"))
    #expect(try await report { $0.connection.host = "no-such-host.invalid" }.firstFailure?.code == .names)
    #expect(try await report { $0.connection.port = 1 }.firstFailure?.code == .reach)
    #expect(try await report { $0.connection.encrypted = true }.firstFailure?.code == .encryption)
    let missing = try await report { _ in }
    #expect(missing.firstFailure?.code == .attach)
    #expect(missing[.arrival]?.seen(.en).contains("not there") == true)
  }
}
