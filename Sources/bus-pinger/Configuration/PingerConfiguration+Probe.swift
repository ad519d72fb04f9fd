// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusProbe
import Foundation

extension PingerConfiguration {
  /// Opens what the configuration names, for the time of `body`: cache (for reading), register, management interfaces.
  ///
  /// - Throws: `AddressRegistryError` when cache or register cannot be used, `ProbeError` for a management address.
  func withProbe<Result: Sendable>(_ body: (PartyProbe) async throws -> Result) async throws -> Result {
    var clients: [HTTPClient] = []
    var cache: AddressCache?
    do {
      if let path = self.cache { cache = try await AddressCache.open(path: path, access: .readOnly) }
      let result = try await body(try self.probe(cache, &clients))
      await Self.close(clients, cache)
      return result
    } catch {
      await Self.close(clients, cache)
      throw error
    }
  }

  private func probe(_ cache: AddressCache?, _ clients: inout [HTTPClient]) throws -> PartyProbe {
    func client(_ authority: String?) -> HTTPClient {
      let client = HTTPClient(
        eventLoopGroupProvider: .singleton, configuration: RegisterHTTP.configuration(extraRootsFile: authority))
      clients.append(client)
      return client
    }
    var register: SOAPAddressRegister?
    if let configured = self.register {
      register = try SOAPAddressRegister(
        endpoint: configured.endpoint, credentials: configured.credentials, http: client(configured.authority))
    }
    let buses = try self.buses.map { entry in
      var counting: (any QueueCounting)?
      if let management = entry.management {
        counting = try OwnWays.overHTTP(
          entry.endpoint.dialect, http: client(management.authority), url: management.url, user: management.user,
          password: management.password, virtualHost: management.virtualHost, namespace: entry.endpoint.connection.path)
      }
      return PartyProbe.BusAccess(
        endpoint: entry.endpoint, replyQueue: entry.replyQueue, isReplyQueueShared: entry.isReplyQueueShared, counting: counting)
    }
    var echoes: DaemonEchoes?
    if let socket = self.daemonSocket {
      let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: DaemonEchoes.configuration)
      clients.append(client)
      echoes = DaemonEchoes(socket: socket, http: client)
    }
    return PartyProbe(
      buses: buses, cache: cache, register: register, settings: self.settings,
      ration: self.ration, echoes: echoes)
  }

  private var ration: PingRation? {
    guard self.partyInterval > .zero else { return nil }
    let place =
      self.stateFolder.map { PingRationPlace(folder: $0) } ?? .usual(environment: ProcessInfo.processInfo.environment)
    return PingRation(place, interval: self.partyInterval)
  }

  private static func close(_ clients: [HTTPClient], _ cache: AddressCache?) async {
    for client in clients { try? await client.shutdown() }
    try? await cache?.close()
  }
}
