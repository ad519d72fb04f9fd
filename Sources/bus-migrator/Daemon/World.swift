// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusProbe
import Logging
import Migration
import MigrationEngine

/// The adapters to the world outside, as the configuration asks for them.
struct World {
  let register: RegistryRegister
  let reader: SOAPAddressRegister
  let probes: [BusProbe]
  let cache: AddressCache?

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
    let probes = try configuration.buses.map { bus in
      let counting = try bus.management.map { management in
        try ManagementHTTPCounting(
          http: http, url: management.url, user: management.user, password: management.password,
          virtualHost: management.virtualHost)
      }
      return BusProbe(
        bus.endpoint, replyQueue: bus.pingReplyQueue, counting: counting, settings: settings, logger: logger)
    }
    var cache: AddressCache?
    if let path = register.cache {
      cache = try await AddressCache.open(path: path, access: .readWrite, environment: configuration.environment)
    }
    return World(
      register: RegistryRegister(
        reader: reader, writer: writer, changes: reader, organisations: reader, offer: register.writer.offer, cache: cache,
        settings: writing), reader: reader, probes: probes, cache: cache)
  }
}
