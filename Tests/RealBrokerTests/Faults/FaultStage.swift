// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import AsyncHTTPClient
import BusModel
import BusProbe
import Disclosure
import ForeignPrograms
import Foundation
import TjenestebussClient
import TjenestebussTesting

/// Where faults are made: a prober, and a bus, register or server with something wrong.
enum FaultStage {
  static let queue = "200_async"

  static func settings(_ change: (inout ProbeSettings) -> Void = { _ in }) throws -> ProbeSettings {
    var settings = ProbeSettings(
      ownHerID: try HerID(text: "100"), timeout: .seconds(8), echoTimeout: .seconds(1), waitsForLateCounts: false)
    change(&settings)
    return settings
  }

  /// The ladder to the party's queue on this bus, by an address that is given.
  static func climb(
    _ endpoint: BusEndpoint, queue: String = Self.queue, replyQueue: String? = nil, counting: (any QueueCounting)? = nil,
    others: [PartyProbe.BusAccess] = [], settings: (inout ProbeSettings) -> Void = { _ in },
    change: (inout PartyProbe.Climb) -> Void = { _ in }
  ) async throws -> ProbeReport {
    var climb = PartyProbe.Climb()
    climb.address = QueueAddress(host: endpoint.bus.hosts[0], path: endpoint.connection.path, queue: queue)
    change(&climb)
    let probe = PartyProbe(
      buses: [.init(endpoint: endpoint, replyQueue: replyQueue, counting: counting)] + others, cache: nil, register: nil,
      settings: try Self.settings(settings))
    return await probe.run("200", climb)
  }

  static func endpoint(
    host: String = "127.0.0.1", port: Int, dialect: Dialect = .serviceBusWindowsServer, encrypted: Bool = false,
    user: String = "guest", password: String = "guest", path: String = "NHN", authorities: [String] = []
  ) -> BusEndpoint {
    BusEndpoint(
      bus: Bus(name: "tjenestebuss", dialect: dialect, hosts: ["tb.test"], path: path),
      connection: BusConnectionString(
        host: host, port: port, encrypted: encrypted, user: user, password: Secret(password), path: path),
      authorities: authorities)
  }

  // MARK: Buses

  /// Against a broker in memory.
  static func memory(
    _ dialect: Dialect, queues: [BrokerQueue] = [BrokerQueue(Self.queue)],
    configure: (inout InMemoryBroker.Configuration) -> Void = { _ in },
    spoil: @Sendable (InMemoryBroker) async throws -> Void = { _ in },
    climb: @Sendable (InMemoryBroker, BusEndpoint) async throws -> ProbeReport = { try await Self.climb($1) }
  ) async throws -> ProbeReport {
    var configuration = InMemoryBroker.Configuration(dialect: dialect, path: "NHN", queues: queues)
    configure(&configuration)
    let encrypted = configuration.tls != nil
    return try await InMemoryBroker.withBroker(configuration) { broker in
      try await spoil(broker)
      return try await climb(
        broker,
        Self.endpoint(host: encrypted ? "localhost" : "127.0.0.1", port: broker.port ?? 0, dialect: dialect, encrypted: encrypted)
      )
    }
  }

  /// Against a peer that follows a script; the first connection is the knock of step 21.
  static func scripted(
    _ script: [PeerStep], then more: [[PeerStep]] = [], change: (inout BusEndpoint) -> Void = { _ in },
    settings: @Sendable (inout ProbeSettings) -> Void = { $0.timeout = .seconds(3) }
  ) async throws -> ProbeReport {
    let peer = try await ScriptedPeer.start(
      connections: [[], script] + more, ignoring: [.begin, .flow, .detach, .end, .disposition])
    var endpoint = Self.endpoint(port: peer.port)
    change(&endpoint)
    let result: Result<ProbeReport, any Error>
    do { result = .success(try await Self.climb(endpoint, settings: settings)) } catch { result = .failure(error) }
    await peer.stop()
    return try result.get()
  }

  /// Against a real broker, without an exchange unless a path is given.
  static func real(
    _ broker: RealBroker, path: String = "", user: String = "app", password: String? = nil, virtualHost: String? = nil,
    change: (inout BusEndpoint) -> Void = { _ in }
  ) throws -> BusEndpoint {
    var endpoint = try ClientBuses.endpoint(broker, path: path, user: user, password: password, virtualHost: virtualHost)
    change(&endpoint)
    return endpoint
  }

  /// A queue of its own on a real broker, gone at the end.
  static func withQueue(
    _ broker: RealBroker, arguments: [String: Any] = [:], _ body: (String) async throws -> ProbeReport
  ) async throws -> ProbeReport {
    let queue = try await broker.declareQueue(arguments: arguments)
    do {
      let report = try await body(queue)
      try? await broker.deleteQueue(queue)
      return report
    } catch {
      try? await broker.deleteQueue(queue)
      throw error
    }
  }

  /// With a way to count by the management API.
  static func counted(
    _ broker: RealBroker, password: String = "guest", _ body: (any QueueCounting) async throws -> ProbeReport
  ) async throws -> ProbeReport {
    try await HTTPClient.withHTTPClient(configuration: RegisterHTTP.configuration()) { http in
      try await body(
        try ManagementHTTPCounting(
          http: http, url: try broker.variable("MANAGEMENT_URL"), user: "guest", password: Secret(password),
          dialect: broker.dialect))
    }
  }

  /// Until the management has counted a queue, with who listens: it is some seconds late.
  static func untilCounted(_ queue: String, messages: Int, of broker: RealBroker, by counting: any QueueCounting) async throws {
    struct NeverCounted: Error { let last: DepthReading }
    for _ in 0..<120 {
      let count = await counting.read(queue).count
      if count?.messages == messages, count?.consumers != nil { return }
      try await Task.sleep(for: .milliseconds(250))
    }
    throw NeverCounted(last: await counting.read(queue))
  }

  // MARK: Register

  static func record(
    active: Bool = true, addresses: [(String, String)] = [("E_SB_ASYNC", "tb.test/NHN/200_async")]
  ) throws -> PartyRecord {
    PartyRecord(
      herID: try HerID(text: "200"), name: "Legekontoret", kind: .service, parent: nil, active: active, valid: true,
      addresses: addresses.map { .init(typeCode: $0.0, text: $0.1, inherited: false) })
  }

  /// The ladder as far as the decision, with a register that holds these records; the bus is never spoken to.
  static func registered(
    _ records: [PartyRecord], password: String = "ar", isGone: Bool = false, cache: ((AddressCache) async throws -> Void)? = nil,
    hasRegister: Bool = true, spoil: (String) async throws -> Void = { _ in }, target: String = "200"
  ) async throws -> ProbeReport {
    let credentials = RegisterCredentials(user: "OrgUsr1", password: Secret("ar"))
    let buses = [Self.endpoint(port: 1).bus, Bus(name: "servicebus", dialect: .rabbitMQ3, hosts: ["sb.test"], path: "NHN")]
    let server = AddressRegisterServer.Configuration(credentials: credentials, buses: buses)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fault-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var reading: AddressCache?
    if let cache {
      let path = folder.appendingPathComponent("registry.sqlite").path
      let made = try await AddressCache.open(path: path, access: .readWrite)
      try await cache(made)
      try await made.close()
      try await spoil(path)
      reading = try await AddressCache.open(path: path, access: .readOnly)
    }
    let opened = reading
    let report = try await HTTPClient.withHTTPClient(configuration: RegisterHTTP.configuration()) { http in
      @Sendable func run(_ endpoint: SOAPEndpoint) async throws -> ProbeReport {
        let register = try SOAPAddressRegister(
          endpoint: endpoint, credentials: RegisterCredentials(user: "OrgUsr1", password: Secret(password)), http: http)
        let access = buses.map { bus in
          var endpoint = Self.endpoint(port: 1)
          endpoint.bus = bus
          return PartyProbe.BusAccess(endpoint: endpoint)
        }
        let probe = PartyProbe(
          buses: access, cache: opened, register: hasRegister ? register : nil, settings: try Self.settings())
        return await probe.run(target, through: .decision)
      }
      let endpoint = try await AddressRegisterServer.withServer(configuration: server, records: records) { server in
        let endpoint = try await server.readerEndpoint()
        return isGone ? (endpoint, nil) : (endpoint, try await run(endpoint))
      }
      if let report = endpoint.1 { return report }
      return try await run(endpoint.0)
    }
    try? await opened?.close()
    return report
  }
}
