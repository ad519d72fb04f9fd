// SPDX-License-Identifier: Apache-2.0

import AMQP
import AsyncHTTPClient
import BusModel
import BusProbe
import Disclosure
import Forwarding
import Foundation
import Logging
import Migration
import MigrationEngine
import NIOCore
import Testing
import TjenestebussClient

@testable import bus_migrator

/// Users and rights are RabbitMQ's own: the 4.0 that `make test` starts.
@Suite("Logins of organisations, where they are needed", .serialized, .timeLimit(.minutes(5)))
struct OrganisationLoginTests {
  private static let organisation: Int32 = 987_654_325

  private struct Broker {
    var url: URL
    var management: URL
    let dialect: Dialect

    init(_ name: String, _ dialect: Dialect) throws {
      let environment = ProcessInfo.processInfo.environment
      self.url = try #require(environment["TJENESTEBUSS_\(name)_URL"].flatMap { URL(string: $0) }, "make test starts the brokers")
      self.management = try #require(environment["TJENESTEBUSS_\(name)_MANAGEMENT_URL"].flatMap { URL(string: $0) })
      self.dialect = dialect
    }

    func ask(_ method: String, _ path: String, _ body: String? = nil, _ http: HTTPClient) async throws {
      var request = HTTPClientRequest(url: "\(self.management)/api/\(path)")
      request.method = .init(rawValue: method)
      request.headers.add(name: "Authorization", value: "Basic " + Data("guest:guest".utf8).base64EncodedString())
      request.headers.add(name: "content-type", value: "application/json")
      if let body { request.body = .bytes(ByteBuffer(string: body)) }
      let response = try await http.execute(request, timeout: .seconds(60))
      #expect((200..<300).contains(response.status.code), "\(method) \(path): \(response.status)")
    }

    func connection(_ user: String, password: String = "word") -> BusConnectionString {
      BusConnectionString(
        host: self.url.host ?? "", port: self.url.port ?? 0, encrypted: false, user: user, password: Secret(password))
    }

    func counting(_ http: HTTPClient) throws -> ManagementHTTPCounting {
      try ManagementHTTPCounting(
        http: http, url: "\(self.management)", user: "guest", password: Secret("guest"), dialect: self.dialect)
    }
  }

  /// A bus on which our own user may send everywhere and read nothing, and an organisation's user may read its own queue.
  private struct Stage {
    let broker: Broker
    let http: HTTPClient
    let id = String(UUID().uuidString.prefix(8).lowercased())
    var queue: String { "org_\(self.id)_async" }
    var own: String { "service_\(self.id)" }
    var lent: String { "OrgUsr_\(self.id)" }

    func with(_ body: (MigratorConfiguration.BusEntry) async throws -> Void) async throws {
      try await self.broker.ask("PUT", "queues/%2F/\(self.queue)", #"{"durable":true}"#, self.http)
      for (user, read) in [(self.own, "^$"), (self.lent, "^\(self.queue)$")] {
        try await self.broker.ask("PUT", "users/\(user)", #"{"password":"word","tags":""}"#, self.http)
        try await self.broker.ask(
          "PUT", "permissions/%2F/\(user)", #"{"configure":"^$","write":".*","read":"\#(read)"}"#, self.http)
      }
      let entry = MigratorConfiguration.BusEntry(
        endpoint: BusEndpoint(
          bus: Bus(name: "a", dialect: self.broker.dialect, hosts: ["a.example"], path: "NHN"),
          connection: self.broker.connection(self.own)),
        organisations: [OrganisationLoginTests.organisation: self.broker.connection(self.lent)])
      let result: Result<Void, any Error>
      do { result = .success(try await body(entry)) } catch { result = .failure(error) }
      for path in ["queues/%2F/\(self.queue)", "users/\(self.own)", "users/\(self.lent)"] {
        try await self.broker.ask("DELETE", path, nil, self.http)
      }
      try result.get()
    }
  }

  private func owners(of queue: String) throws -> QueueOrganisations {
    func record(_ host: String) throws -> PartyRecord {
      PartyRecord(
        herID: try #require(HerID(200)), name: "Legekontoret", kind: .service, parent: nil, active: true, valid: true,
        addresses: [.init(typeCode: "E_SB_ASYNC", text: "\(host)/NHN/\(queue)", inherited: false)],
        organisationNumber: Self.organisation)
    }
    let owners = QueueOrganisations()
    owners.take([
      Plan.Member(
        herID: try #require(HerID(200)), vendor: "Alfa", startConfirmed: true, before: try record("a.example"),
        after: try record("b.example"), isWritten: true)
    ])
    return owners
  }

  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  private let settings: ProbeSettings

  init() throws {
    self.settings = ProbeSettings(ownHerID: try #require(HerID(100)), timeout: .seconds(60), echoTimeout: .seconds(60))
  }

  private func probes(
    _ entry: MigratorConfiguration.BusEntry, _ owners: QueueOrganisations, _ counting: ManagementHTTPCounting
  ) -> OrganisationProbes {
    let (settings, logger, endpoint) = (self.settings, self.logger, entry.endpoint(for: Self.organisation))
    return OrganisationProbes(
      [
        .init(bus: "a", organisation: Self.organisation): {
          BusProbe(
            endpoint, replyQueue: nil, counting: counting, settings: settings, product: OrganisationProbes.product, logger: logger
          )
        }
      ], owners: owners)
  }

  // MARK: pre-flight

  @Test("Pre-flight tries the organisation's login beside ours, and holds the party back with whose it is when it is refused")
  func preflight() async throws {
    try await HTTPClient.withHTTPClient { http in
      let broker = try Broker("RABBITMQ4", .rabbitMQ4AddressV2)
      let stage = Stage(broker: broker, http: http)
      try await stage.with { entry in
        let owners = try self.owners(of: stage.queue)
        let queues = [
          GroupQueue(address: try QueueAddress(text: "a.example/NHN/\(stage.queue)"), kind: .asynchronous)
        ]
        let counting = try broker.counting(http)
        let probe = BusProbe(entry.endpoint, replyQueue: nil, counting: counting, settings: self.settings)
        @Sendable func sourceBus(_ organisations: OrganisationProbes) async -> Finding<PreflightCheck>? {
          let buses = ProbedBuses([probe], organisations: organisations)
          return await buses.preflight(source: "a", sourceQueues: queues, target: "b", targetQueues: [])
            .first { $0.check == .sourceBus }
        }
        try await probe.withProbe { _ in
          let organisations = self.probes(entry, owners, counting)
          let admitted = await sourceBus(organisations)
          #expect(admitted?.result == .passed, "\(admitted?.seen ?? "")")
          await organisations.close()

          var wrong = entry
          wrong.organisations[Self.organisation] = broker.connection(stage.lent, password: "another")
          let refusing = self.probes(wrong, owners, counting)
          let refused = await sourceBus(refusing)
          #expect(refused?.result == .failed)
          #expect(refused?.seen.hasPrefix("as organisation 987654325: [AMQP-") == true, "\(refused?.seen ?? "")")
          #expect(refused?.seen.contains("another") == false)
          await refusing.close()

          // It gets in, and may not read its own queue: what strands there could not be taken.
          try await broker.ask(
            "PUT", "permissions/%2F/\(stage.lent)", #"{"configure":"^$","write":".*","read":"^$"}"#, http)
          let blind = self.probes(entry, owners, counting)
          let unread = await sourceBus(blind)
          #expect(unread?.result == .failed)
          #expect(
            unread?.seen.hasPrefix("as organisation 987654325: \(stage.queue): [AMQP-") == true, "\(unread?.seen ?? "")")
          // Where the bus is the one that is moved to, nothing is attached that could be taken for a listener.
          let asTarget = await ProbedBuses([probe], organisations: blind).preflight(
            source: "b", sourceQueues: [], target: "a", targetQueues: queues)
          #expect(asTarget.first { $0.check == .targetBus }?.result == .passed)
          await blind.close()
          let closed = await ProbedBuses([probe], organisations: blind).depth(of: queues[0].address, on: "a")
          guard case .unreadable(let error)? = closed?.value else {
            Issue.record("asked with another login: \(String(describing: closed))")
            return
          }
          #expect(error.explanation.seen.contains("connections are being closed"), "\(error)")
        }
      }
    }
  }

  // MARK: who is connected

  @Test("A queue is looked into as its organisation, by a connection that is known for ours and not taken for the party's system")
  func connected() async throws {
    try await HTTPClient.withHTTPClient { http in
      let broker = try Broker("RABBITMQ4", .rabbitMQ4AddressV2)
      let stage = Stage(broker: broker, http: http)
      try await stage.with { entry in
        let owners = try self.owners(of: stage.queue)
        let organisations = self.probes(entry, owners, try broker.counting(http))
        let address = try QueueAddress(text: "a.example/NHN/\(stage.queue)")
        let login = try #require(organisations.login(for: address, on: "a"))
        #expect(organisations.login(for: address, on: "b") == nil, "it has no login there")
        #expect(await organisations.refusal(login) == nil)
        // The management interface tells connections seconds late. The test's time limit bounds it.
        let management = ManagementConnections(try broker.counting(http))
        var seen: [ManagementConnections.Connection] = []
        while seen.isEmpty {
          seen = try await management.connections().filter { $0.user == stage.lent && $0.product != nil }
          try await Task.sleep(for: .milliseconds(50))
        }
        #expect(seen.map(\.product) == ["bus-migrator"])
        let survey = BusSurvey(
          cache: nil, probes: [:], connections: [:], buses: [], ownUsers: ["a": stage.own], lentUsers: ["a": [stage.lent]])
        #expect(survey.isOurs(seen[0], "a"))
        var partys = seen[0]
        partys.product = "tjenestebuss"
        #expect(!survey.isOurs(partys, "a"), "the organisation's own system")
        await organisations.close()
        #expect(await organisations.refusal(login) == "connections are being closed")
      }
    }
  }

  // MARK: forwarding

  @Test("What is stranded is taken with the organisation's login: ours may not read the queue")
  func forwarded() async throws {
    try await HTTPClient.withHTTPClient { http in
      // Two buses to the daemon; that one node is both changes nothing of who may read which queue.
      let target = try Broker("RABBITMQ4", .rabbitMQ4AddressV2)
      let stage = Stage(broker: target, http: http)
      let goal = "to_\(stage.id)_async"
      try await target.ask("PUT", "queues/%2F/\(goal)", #"{"durable":true}"#, http)
      try await stage.with { entry in
        let other = MigratorConfiguration.BusEntry(
          endpoint: BusEndpoint(
            bus: Bus(name: "b", dialect: target.dialect, hosts: ["b.example"], path: "NHN"),
            connection: target.connection("app", password: "app")))
        let ids = (0..<5).map { "m-\($0)" }
        try await AMQPConnection.withConnection(entry.endpoint.amqpConfiguration(role: "test")) { connection in
          try await connection.withSender(to: "/queues/\(stage.queue)") { sender in
            for id in ids {
              let outcome = try await sender.send(
                AMQPMessage(
                  header: AMQPHeader(durable: true), properties: AMQPProperties(messageID: .string(id)), body: .data([1])))
              #expect(outcome == .accepted)
            }
          }
        }
        let route = try JSONDecoder().decode(
          ForwardingWork.Route.self,
          from: Data(#"{"kind":"async","from":"a.example/NHN/\#(stage.queue)","to":"b.example/NHN/\#(goal)"}"#.utf8))
        let errand = ForwardingErrand(
          pulje: try #require(PuljeName("p")), group: GroupID(try #require(HerID(200))), from: "a", to: "b", route: route,
          order: ForwardingOrder(approvals: ["Kari", "Ola"]))
        let owners = try self.owners(of: stage.queue)
        let probe = BusProbe(
          other.endpoint, replyQueue: nil, settings: self.settings)

        @Sendable func carriers(_ entry: MigratorConfiguration.BusEntry, _ folder: URL) -> ForwardingCarriers {
          ForwardingCarriers(
            buses: [entry, other], counting: ProbedBuses([probe]), owners: owners,
            journalPath: folder.appendingPathComponent("journal").path,
            shovels: ShovelCarriers(
              sides: [:], owner: "t", history: StagedShovelHistory(ShovelDeeds()), logger: self.logger), logger: self.logger)
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("organisations-\(stage.id)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await probe.withProbe { _ in
          var without = entry
          without.organisations = [:]
          let ours = carriers(without, folder)
          let refused = await ours.carry(errand, retriesSetAside: false) { _ in }
          guard case .stopped(_, let seen) = refused else {
            Issue.record("our own login read the queue: \(refused)")
            return
          }
          #expect(seen.contains("unauthorized") || seen.contains("access"), "\(seen)")
          await ours.close()

          let lent = carriers(entry, folder)
          let counts = AsyncStream.makeStream(of: ForwardingCount.self)
          let carrying = Task {
            defer { counts.continuation.finish() }
            return await lent.carry(errand, retriesSetAside: false) { counts.continuation.yield($0) }
          }
          for await count in counts.stream where count.accepted == Int64(ids.count) { break }
          carrying.cancel()
          #expect(await carrying.value == .cancelled)
          await lent.close()
        }
        let arrived = try await AMQPConnection.withConnection(other.endpoint.amqpConfiguration(role: "test")) { connection in
          try await connection.withReceiver(from: "/queues/\(goal)") { receiver in
            var arrived: [String] = []
            while arrived.count < ids.count, let batch = try await receiver.nextBatch() {
              for delivery in batch {
                arrived.append(try delivery.message().properties.messageID?.description ?? "")
                try delivery.accept()
              }
            }
            return arrived
          }
        }
        #expect(arrived == ids)
      }
      try await target.ask("DELETE", "queues/%2F/\(goal)", nil, http)
    }
  }
}
