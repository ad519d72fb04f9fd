// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusModel
import BusProbe
import Forwarding
import Foundation
import Logging
import Migration
import MigrationEngine

/// The adapters to the world outside, as the configuration asks for them.
struct World {
  let register: RegistryRegister
  let reader: SOAPAddressRegister
  let probes: [BusProbe]
  /// Which organisation a queue is; whoever has plans tells it of them.
  let owners: QueueOrganisations
  /// Probes that log in as an organisation, where one has a login.
  let organisations: OrganisationProbes
  let cache: AddressCache?
  /// What is found out about a plan's parties beside their entries.
  let evidence: GatheredEvidence
  /// Who is connected, where a bus's management interface is configured.
  let connections: [BusName: ManagementConnections]
  /// What shovels are declared with, by bus.
  let shovelSides: [BusName: ShovelCarriers.Side]

  /// The buses, each queue with the login that is for it.
  var buses: ProbedBuses { ProbedBuses(self.probes, organisations: self.organisations) }

  /// What a bus is looked at by before it is closed.
  func survey(_ configuration: MigratorConfiguration) -> BusSurvey {
    BusSurvey(
      cache: self.cache,
      probes: Dictionary(self.probes.map { ($0.endpoint.name, $0) }, uniquingKeysWith: { first, _ in first }),
      connections: self.connections, buses: configuration.busValues,
      ownUsers: Dictionary(
        configuration.buses.map { ($0.endpoint.name, $0.endpoint.connection.user) }, uniquingKeysWith: { first, _ in first }),
      managed: Set(configuration.buses.filter { $0.management != nil }.map(\.endpoint.name)),
      lentUsers: Dictionary(
        configuration.buses.map { ($0.endpoint.name, Set($0.organisations.values.map(\.user))) },
        uniquingKeysWith: { first, _ in first }))
  }

  /// Runs `body` with the probes' connections under way. A bus that cannot be reached is what its checks then say.
  func withProbes(_ body: @Sendable () async throws -> Void) async throws {
    let ended: Result<Void, any Error> = await withTaskGroup(of: Void.self) { group in
      for probe in self.probes { group.addTask { try? await probe.run() } }
      defer { group.cancelAll() }
      do { return .success(try await body()) } catch { return .failure(error) }
    }
    await self.organisations.close()
    try ended.get()
  }

  /// Profiles and agreements, where the register of collaboration protocols is configured.
  private static func endpoints(
    _ configuration: MigratorConfiguration, _ http: HTTPClient
  ) throws -> GatheredEvidence.Endpoints? {
    guard let cppa = configuration.register.cppa else { return nil }
    let tokens = try HelseIDTokens(cppa.helseID, key: cppa.key, http: http)
    let register = try CollaborationProtocolRegister(endpoint: cppa.endpoint, tokens: tokens, http: http)
    return GatheredEvidence.endpoints(register, buses: configuration.busValues)
  }

  /// Together with every bus-pinger of this machine.
  private static func ration(_ configuration: MigratorConfiguration) -> PingRation? {
    guard configuration.partyInterval.milliseconds > 0 else { return nil }
    let place =
      configuration.pingStateFolder.map { PingRationPlace(folder: $0) }
      ?? .usual(environment: ProcessInfo.processInfo.environment)
    return PingRation(place, interval: .milliseconds(configuration.partyInterval.milliseconds))
  }

  static func open(_ configuration: MigratorConfiguration, http: HTTPClient, logger: Logger) async throws -> World {
    let register = configuration.register
    let reader = try SOAPAddressRegister(endpoint: register.endpoint, credentials: register.credentials, http: http)
    let writer: any AddressRegisterWriting =
      switch register.writer {
      case .soap(let soap): try SOAPAddressRegisterWriter(configuration: soap, credentials: register.credentials, http: http)
      case .manual: ManualAddressRegisterWriter(buses: configuration.busValues)
      case .none(let writtenBy): NoAddressRegisterWriter(writtenBy: writtenBy)
      }
    var writing = RegistryRegister.writerSettings
    if case .soap(let soap) = register.writer { writing.logEntriesPerWrite = soap.logEntriesPerWrite }
    let settings = ProbeSettings(
      ownHerID: configuration.ownHerID, pingSubject: configuration.pingSubject,
      timeToLive: .milliseconds(configuration.pingTimeToLive.milliseconds),
      timeout: .milliseconds(configuration.probeTimeout.milliseconds),
      echoTimeout: .milliseconds(configuration.echoTimeout.milliseconds))
    let ration = Self.ration(configuration)
    var connections: [BusName: ManagementConnections] = [:]
    var sides: [BusName: ShovelCarriers.Side] = [:]
    var logins: [OrganisationProbes.Login: @Sendable () -> BusProbe] = [:]
    let probes = try configuration.buses.map { bus in
      let counting = try bus.management.flatMap { management in
        try OwnWays.overHTTP(
          bus.endpoint.dialect, http: http, url: management.url, user: management.user, password: management.password,
          virtualHost: management.virtualHost, namespace: bus.endpoint.connection.path)
      }
      sides[bus.endpoint.name] = ShovelCarriers.Side(
        dialect: bus.endpoint.dialect,
        management: try bus.management.map { management in
          try ShovelManagement(
            http: http, url: management.url, user: management.user, password: management.password,
            virtualHost: management.virtualHost)
        },
        address: bus.shovelAddress)
      connections[bus.endpoint.name] = (counting as? ManagementHTTPCounting).map { ManagementConnections($0) }
      for organisation in bus.organisations.keys {
        let endpoint = bus.endpoint(for: organisation)
        logins[OrganisationProbes.Login(bus: endpoint.name, organisation: organisation)] = {
          BusProbe(
            endpoint, replyQueue: nil, counting: counting, settings: settings, product: OrganisationProbes.product,
            logger: logger)
        }
      }
      return BusProbe(
        bus.endpoint, replyQueue: bus.pingReplyQueue, counting: counting, settings: settings, ration: ration,
        logger: logger)
    }
    var cache: AddressCache?
    if let path = register.cache {
      cache = try await AddressCache.open(path: path, access: .readWrite, environment: configuration.environment.text)
    }
    let owners = QueueOrganisations()
    return World(
      register: RegistryRegister(
        reader: reader, writer: writer, changes: reader, organisations: reader, offer: register.writer.offer, cache: cache,
        settings: writing), reader: reader, probes: probes, owners: owners,
      organisations: OrganisationProbes(logins, owners: owners), cache: cache,
      evidence: GatheredEvidence(connections: connections, endpoints: try Self.endpoints(configuration, http)),
      connections: connections, shovelSides: sides)
  }
}
