// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import AsyncHTTPClient
import BusModel
import Disclosure
import Synchronization
import Testing
import TjenestebussClient
import TjenestebussTesting

@testable import BusProbe

/// The probe against brokers in memory, with a simulated system of a party behind the queue.
@Suite("Probe against an in-memory broker", .timeLimit(.minutes(10)))
struct InMemoryProbeTests {
  static let queue = "200_async"
  static let replyQueue = "100_pingreply"

  /// A register that a test lays down.
  struct OneParty: AddressRegisterReading, RouteResolving {
    var record: PartyRecord
    func party(_ herID: HerID) async throws -> PartyRecord {
      guard herID == self.record.herID else { throw AddressRegistryError.partyUnknown(herID, askedRegister: true) }
      return self.record
    }
    func route(to herID: HerID, kind: QueueKind, buses: [Bus], lookUp: RouteLookUp) async throws -> Route {
      let entry = RegistryEntry(record: try await self.party(herID), source: .file, readAt: SystemRegistryClock().now, version: 1)
      let decision = try RouteDecision.decide(entry, kind: kind, buses: buses, now: SystemRegistryClock().now)
      return Route(herID: herID, kind: kind, bus: decision.bus.name, address: decision.address)
    }
    func forget(_ herID: HerID) async {}
  }

  private func endpoint(_ broker: InMemoryBroker, password: String = "guest") throws -> BusEndpoint {
    let dialect = broker.configuration.dialect
    let port: Int = try #require(broker.port)
    return BusEndpoint(
      bus: Bus(name: "tjenestebuss", dialect: dialect, hosts: ["tb.test"], path: "NHN"),
      connection: BusConnectionString(
        host: "127.0.0.1", port: port, encrypted: false, user: "guest", password: Secret(password),
        path: "NHN"))
  }

  private func withBroker(
    _ dialect: Dialect, queues: [BrokerQueue] = [BrokerQueue(queue), BrokerQueue(replyQueue)],
    _ body: @Sendable @escaping (InMemoryBroker) async throws -> Void
  ) async throws {
    try await InMemoryBroker.withBroker(.init(dialect: dialect, path: "NHN", queues: queues, managementPort: 0)) { broker in
      try await body(broker)
    }
  }

  /// Pings live as long as they may: tests that look for one afterwards must find it on a loaded machine, too.
  private func settings() throws -> ProbeSettings {
    ProbeSettings(
      ownHerID: try ProbeFixture.herID(100), timeToLive: .seconds(60), timeout: .seconds(60), echoTimeout: .seconds(60),
      waitsForLateCounts: false)
  }

  private func probe(
    _ endpoint: BusEndpoint, replyQueue: String? = nil, counting: (any QueueCounting)? = nil
  ) throws -> PartyProbe {
    PartyProbe(
      buses: [.init(endpoint: endpoint, replyQueue: replyQueue, counting: counting)], cache: nil,
      register: OneParty(record: try ProbeFixture.record()), settings: try self.settings())
  }

  /// Runs the party's system for the time of `body`: our own client, so it answers pings.
  private func whileSystemRuns(
    _ endpoint: BusEndpoint, _ body: @Sendable @escaping () async throws -> Void
  ) async throws {
    let party = OneParty(record: try ProbeFixture.record())
    let client = try TjenestebussClient(TjenestebussConfiguration(buses: [endpoint], product: "EPJ 4"), routes: party)
    try await client.withClient { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await client.receive(for: party.record.herID, kinds: [.asynchronous]) { _ in Issue.record("a ping reached the EPJ")
          }
        }
        for await status in client.statusChanges where status[endpoint.name, Self.queue] == .receiving { break }
        try await body()
        group.cancelAll()
        try await group.waitForAll()
      }
    }
  }

  @Test("The whole ladder, up to the answer of the party's system", arguments: [Dialect.rabbitMQ4AddressV2, .rabbitMQ4AddressV1])
  func whole(dialect: Dialect) async throws {
    try await self.withBroker(dialect) { broker in
      let endpoint = try self.endpoint(broker)
      try await self.whileSystemRuns(endpoint) {
        let report = await (try self.probe(endpoint, replyQueue: Self.replyQueue)).run("200")
        #expect(report.status == .ok, "\(report.text(language: .en))")
        #expect(
          report[.echo]?.seen(.en)
            == "EPJ 4, library \(TjenestebussVersion.current), read from 200_async; cache not told; hears tjenestebuss; we read the reply queue ourselves"
        )
        #expect(report.steps.map(\.code) == ProbeCode.allCases.filter { $0 != .otherBus })
      }
      #expect(try await broker.depth(of: Self.queue) == 0)
      #expect(try await broker.depth(of: Self.replyQueue) == 0)
    }
  }

  @Test("Nobody listens: step 31 fails, and the ping lies there, to die within a minute; the probe never takes it back")
  func nobodyListens() async throws {
    try await self.withBroker(.rabbitMQ4AddressV2) { broker in
      let report = await (try self.probe(try self.endpoint(broker))).run("200")
      #expect(report.firstFailure?.code == .arrival)
      #expect(report[.outcome]?.verdict == .ok)
      #expect(report[.arrival]?.seen(.en) == "messages 0 -> 1, consumers 0")
      #expect(report[.echo]?.verdict == .notPossible)
      #expect(try await broker.depth(of: Self.queue) == 1)
      #expect(try await broker.consumers(of: Self.queue) == 0)
    }
  }

  @Test("--no-send writes nothing to the queue")
  func noSend() async throws {
    try await self.withBroker(.rabbitMQ4AddressV2) { broker in
      let report = await (try self.probe(try self.endpoint(broker), replyQueue: Self.replyQueue)).run("200", sends: false)
      #expect(report[.outcome]?.verdict == .notRun)
      #expect(report[.attach]?.verdict == .ok)
      #expect(try await broker.depth(of: Self.queue) == 0)
    }
  }

  @Test("--quit-after stops there", arguments: ProbeCode.allCases)
  func quitAfter(code: ProbeCode) async throws {
    try await self.withBroker(.rabbitMQ4AddressV2) { broker in
      let report = await (try self.probe(try self.endpoint(broker))).run("200", through: code)
      #expect(report.steps.allSatisfy { $0.code <= code })
      #expect(try await broker.depth(of: Self.queue) == (code >= .credit ? 1 : 0))
    }
  }

  @Test("RabbitMQ 3 accepts for a queue that is not there: the control shows it, the count finds it out")
  func acceptsAndLoses() async throws {
    try await self.withBroker(.rabbitMQ3, queues: []) { broker in
      try await HTTPClient.withHTTPClient(configuration: RegisterHTTP.configuration()) { http in
        let counting = try ManagementHTTPCounting(
          http: http, url: "http://127.0.0.1:\(try #require(broker.managementPort))", user: "guest", password: Secret("guest"),
          dialect: .rabbitMQ3)
        let endpoint = try self.endpoint(broker)
        let report = await (try self.probe(endpoint, counting: counting)).run("200")
        #expect(report[.outcome]?.verdict == .warning)
        #expect(report[.negativeControl]?.verdict == .warning)
        #expect(report.firstFailure?.code == .arrival)
        // Without a way to count it is said that nobody knows.
        let blind = await (try self.probe(endpoint)).run("200")
        #expect(blind.status == .warning)
        #expect(blind[.arrival]?.verdict == .notPossible)
      }
    }
  }

  @Test("A wrong password is step 23, an unknown HER-ID 12, no HER-ID 10")
  func failures() async throws {
    try await self.withBroker(.rabbitMQ4AddressV2) { broker in
      let wrong = await (try self.probe(try self.endpoint(broker, password: "Sup3rS3cret"))).run("200")
      #expect(wrong.firstFailure?.code == .login)
      #expect(wrong.firstFailure?.finding == .loginRefused)
      #expect(
        !wrong.text(language: .nb).contains("Sup3rS3cret")
          && !ProbeLook(wrong, at: ProbeFixture.now, totalMilliseconds: 1).jsonLine(.nb).contains("Sup3rS3cret"))
      let probe = try self.probe(try self.endpoint(broker))
      #expect(await probe.run("201").firstFailure?.code == .register)
      #expect(await probe.run("2 00").firstFailure?.code == .input)
    }
  }

  @Test("For the daemon: pre-flight, pings at once with echoes over one reply queue, depth")
  func daemon() async throws {
    try await self.withBroker(.rabbitMQ4AddressV2) { broker in
      let endpoint = try self.endpoint(broker)
      let bus = BusProbe(endpoint, replyQueue: Self.replyQueue, settings: try self.settings())
      let herID = try ProbeFixture.herID()
      try await self.whileSystemRuns(endpoint) {
        try await bus.withProbe { bus in
          let ready = try await bus.preflight([Self.queue, "not_there"])
          #expect(ready.map(\.existence) == [.exists, .missing])
          #expect(ready.first?.consumers == 1)
          let verdicts = try await withThrowingTaskGroup(of: PingVerdict.self) { group in
            for _ in 0..<5 { group.addTask { try await bus.ping(herID, queue: Self.queue) } }
            return try await group.reduce(into: []) { $0.append($1) }
          }
          #expect(verdicts.count == 5)
          for verdict in verdicts {
            #expect(verdict.judgement.echo?.originalMessageID == verdict.observation.messageID)
            #expect(verdict.judgement.provesTheWay)
          }
          #expect(
            await bus.depth(Self.queue).count
              == QueueCount(messages: 0, includesUnsettled: false, consumers: 1, figures: QueueFigures(active: 0)))
          #expect(await bus.depth("not_there").value == .missing)
        }
      }
    }
  }

  @Test("A bus that cannot be counted says so, and that is not zero")
  func uncounted() async throws {
    try await self.withBroker(.serviceBusWindowsServer) { broker in
      let endpoint = try self.endpoint(broker)
      let bus = BusProbe(endpoint, replyQueue: nil, settings: try self.settings())
      try await bus.withProbe { bus in
        #expect(await bus.depth(Self.queue).value == .unreadable(.countingNotPossible("tjenestebuss", .serviceBusWindowsServer)))
        let ready = try await bus.preflight([Self.queue, "not_there"])
        guard case .notKnown = ready[0].existence else {
          Issue.record("\(ready[0])")
          return
        }
        #expect(ready[1].existence == .missing, "the attach was refused")
        let verdict = try await bus.ping(try ProbeFixture.herID(), queue: Self.queue)
        #expect(verdict.judgement.isAccepted && verdict.judgement.acceptanceProves)
        #expect(!verdict.judgement.provesTheWay, "whether anybody listens is not known")
      }
    }
  }
}
