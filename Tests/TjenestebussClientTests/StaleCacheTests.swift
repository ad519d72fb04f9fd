// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import Disclosure
import Foundation
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

/// From the register over HTTP, by the cache file and the routes in memory, to the queue: nothing in between is played.
@Suite("A sender with an old row in memory, and a party that moves", .timeLimit(.minutes(10)))
struct StaleCacheTests {
  /// Moves only when the test says so: what is in memory stays there, however slow the machine.
  private final class Clock: RegistryClock {
    private let instant = NIOLockedValueBox(RegistryInstant(millisecondsSinceEpoch: 1_763_700_000_000))
    var now: RegistryInstant { self.instant.withLockedValue { $0 } }
    func advance() { self.instant.withLockedValue { $0 = $0.advanced(by: .milliseconds(1)) } }
  }

  private struct Stage: Sendable {
    var clock: Clock
    var client: TjenestebussClient
    var register: AddressRegisterServer
    var one: InMemoryBroker
    var other: InMemoryBroker
    var resolver: AddressResolver
    var party: HerID

    /// The party's entry now leads to the bus of this host, and nobody has told the sender.
    func move(to host: String) throws { try self.register.put(try StaleCacheTests.record(on: host)) }

    /// In the sender's memory, asked without waiting for anything.
    var remembered: BusName? { self.resolver.cachedRoute(self.party, .asynchronous, buses: StaleCacheTests.buses)?.bus }

    func send(_ id: String) async throws -> SendResult {
      self.clock.advance()
      return await self.client.send(try Fixture.answer(id: id))
    }
  }

  private static let queue = "100_async"
  private static let buses = ["one", "other"].map {
    Bus(name: BusName($0), dialect: .rabbitMQ4AddressV2, hosts: ["\($0).example"], path: "NHN")
  }

  private static func record(on host: String) throws -> PartyRecord {
    PartyRecord(
      herID: try Fixture.herID(100), name: "Kommunen", kind: .organisation, parent: nil, active: true, valid: true,
      addresses: [.init(typeCode: "E_SB_ASYNC", text: "\(host).example/NHN/\(Self.queue)", inherited: false)])
  }

  /// The party is on the first bus, and the sender has loaded its whole cache into memory.
  private func withSender(_ body: @Sendable @escaping (Stage) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("stale-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("cache.sqlite").path
    let credentials = RegisterCredentials(user: "u", password: Secret("p"))
    let queues: [BrokerQueue] = [BrokerQueue(Self.queue), "events"]
    let broker = InMemoryBroker.Configuration(dialect: .rabbitMQ4AddressV2, path: "NHN", queues: queues)
    try await InMemoryBroker.withBroker(broker) { one in
      try await InMemoryBroker.withBroker(broker) { other in
        try await AddressRegisterServer.withServer(
          configuration: .init(credentials: credentials, buses: Self.buses), records: [try Self.record(on: "one")]
        ) { register in
          try await RegisterHTTP.withClient { http in
            let reader = try SOAPAddressRegister(
              endpoint: try await register.readerEndpoint(), credentials: credentials, http: http)
            let cache = try await AddressCache.open(path: path, access: .readWrite, environment: "test")
            let party = try Fixture.herID(100)
            let clock = Clock()
            let report = try await RegistrySync(cache: cache, clock: clock).parties([party], from: reader)
            #expect(report.added == [party])
            let resolver = AddressResolver(cache: cache, register: reader, clock: clock)
            #expect(try await resolver.load(buses: Self.buses) == 1)
            var configuration = TjenestebussConfiguration(
              buses: try zip(Self.buses, [one, other]).map { bus, broker in
                let port: Int = try #require(broker.port)
                return BusEndpoint(
                  bus: bus,
                  connection: BusConnectionString(
                    host: "127.0.0.1", port: port, encrypted: false, user: "guest", password: Secret("guest"), path: "NHN"))
              }, sendTimeout: .seconds(60), forcedRefreshInterval: .milliseconds(1))
            configuration.serve.registryEvents = RegistryEventQueue(bus: "one", queue: "events")
            let client = try TjenestebussClient(configuration, routes: resolver)
            try await client.withClient { client in
              try await body(
                Stage(
                  clock: clock, client: client, register: register, one: one, other: other, resolver: resolver, party: party))
            }
            try await cache.close()
          }
        }
      }
    }
  }

  @Test("the register's event comes: memory forgets the row, and the next message goes right; forth and back")
  func event() async throws {
    try await self.withSender { stage in
      let before = stage.register.reads(of: stage.party)
      #expect(stage.remembered == "one")
      #expect(try await stage.send("m1").outcome == .accepted)
      #expect(stage.register.reads(of: stage.party) == before, "sent by what is in memory")
      for (turn, host) in ["other", "one"].enumerated() {
        try stage.move(to: host)
        // Nobody has told: the row is an hour's truth, and the message goes to where the party was.
        #expect(stage.remembered?.text == (turn == 0 ? "one" : "other"))
        let stale = try await stage.send("stale-\(turn)")
        #expect(stale.outcome == .accepted)
        #expect(stale.attempts.map(\.route.bus.text) == [turn == 0 ? "one" : "other"])
        let event = AMQPMessage(
          applicationProperties: ["eventName": "CommunicationPartyUpdated", "herId": "100"], body: .data([1]))
        try await TwoBuses.put(event, into: "events", of: stage.one)
        // The event is settled after the row has been dropped.
        try await stage.one.waitUntil { ($0.queues["events"]?.depth ?? 1) == 0 && stage.remembered == nil }
        let right = try await stage.send("right-\(turn)")
        #expect(right.outcome == .accepted)
        #expect(right.attempts.map(\.route.bus.text) == [host])
        #expect(stage.remembered?.text == host, "and the one after it goes there without a question")
      }
      #expect(try await stage.one.messageIDs(in: Self.queue) == ["m1", "stale-0", "right-1"])
      #expect(try await stage.other.messageIDs(in: Self.queue) == ["right-0", "stale-1"])
    }
  }

  @Test("no event, but the bus gives the message back: the same message goes right, and so does the next; forth and back")
  func released() async throws {
    try await self.withSender { stage in
      #expect(stage.remembered == "one")
      for (turn, host) in ["other", "one"].enumerated() {
        let (old, new) = turn == 0 ? (stage.one, stage.other) : (stage.other, stage.one)
        try stage.move(to: host)
        _ = try await old.delete(Self.queue)
        if turn == 1 { try await new.declare(BrokerQueue(Self.queue)) }
        let first = try await stage.send("first-\(turn)")
        #expect(first.outcome == .accepted)
        #expect(first.attempts.map(\.outcome) == [.released, .accepted])
        #expect(first.attempts.last?.route.bus.text == host)
        #expect(stage.remembered?.text == host)
        let next = try await stage.send("next-\(turn)")
        #expect(next.outcome == .accepted)
        #expect(next.attempts.map(\.route.bus.text) == [host], "the row in memory is the new one")
        #expect(try await new.messageIDs(in: Self.queue) == [.string("first-\(turn)"), .string("next-\(turn)")])
      }
    }
  }
}
