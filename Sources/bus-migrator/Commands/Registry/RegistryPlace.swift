// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import AsyncHTTPClient
import BusModel
import Foundation

/// Which cache file and which register.
struct RegistryPlace: ParsableArguments {
  @OptionGroup var place: PlaceOptions

  @Option(help: "The cache file; overrides the configuration's.")
  var cache: String?

  func configuration() throws -> MigratorConfiguration {
    var configuration = try self.place.configuration()
    if let cache { configuration.register.cache = cache }
    return configuration
  }

  /// A party that somebody asked about and that is not there is told: nothing said of it would read as nothing wrong.
  static func checkKnown(_ wanted: Set<HerID>, _ known: [HerID]) throws {
    guard let absent = wanted.subtracting(known).min() else { return }
    throw AddressRegistryError.partyUnknown(absent, askedRegister: false)
  }

  /// A bus by its name in the configuration.
  static func bus(_ name: String, option: String, _ configuration: MigratorConfiguration) throws -> Bus {
    guard let bus = configuration.busValues.first(where: { $0.name == BusName(name) }) else {
      throw CommandLineError.argumentWrong(
        name: option, seen: String(name.prefix(60)),
        wanted: "one of \(configuration.busValues.map(\.name.text).joined(separator: ", "))")
    }
    return bus
  }

  /// Opens the cache, runs `body`, and closes the cache however it ends.
  static func withCache<Value: Sendable>(
    _ configuration: MigratorConfiguration, _ access: AddressCache.Access, _ body: (AddressCache) async throws -> Value
  ) async throws -> Value {
    guard let path = configuration.register.cache else {
      throw CommandLineError.keyMissing(place: "register", key: "cache (or --cache FILE)")
    }
    let cache = try await AddressCache.open(path: path, access: access, environment: configuration.environment.text)
    do {
      let value = try await body(cache)
      try await cache.close()
      return value
    } catch {
      try? await cache.close()
      throw error
    }
  }

  /// Runs `body` on the cache; or, where it is not to be done, on a copy of it that is thrown away: what would come of it is then told by the
  /// same steps that would do it.
  static func withCache<Value: Sendable>(
    _ configuration: MigratorConfiguration, isDone: Bool, _ body: (AddressCache) async throws -> Value
  ) async throws -> Value {
    if isDone { return try await Self.withCache(configuration, .readWrite, body) }
    guard let path = configuration.register.cache else {
      throw CommandLineError.keyMissing(place: "register", key: "cache (or --cache FILE)")
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bus-migrator-\(UUID().uuidString)")
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    } catch { throw CommandLineError.fileUnwritable(path: folder.path, seen: "it cannot be made") }
    defer { try? FileManager.default.removeItem(at: folder) }
    var trial = configuration
    let copy = folder.appendingPathComponent("cache.sqlite").path
    // One that is not there yet would be made.
    if FileManager.default.fileExists(atPath: path) {
      try await Self.withCache(configuration, .readOnly) { try await $0.copy(to: copy) }
    }
    trial.register.cache = copy
    return try await Self.withCache(trial, .readWrite, body)
  }

  static func withRegister<Value: Sendable>(
    _ configuration: MigratorConfiguration, _ body: (SOAPAddressRegister) async throws -> Value
  ) async throws -> Value {
    let register = configuration.register
    return try await RegisterHTTP.withClient(extraRootsFile: register.extraRootsFile) { http in
      try await body(try SOAPAddressRegister(endpoint: register.endpoint, credentials: register.credentials, http: http))
    }
  }
}

extension RegistryPlace {
  /// The register's REST interface.
  static func withParties<Value: Sendable>(
    _ configuration: MigratorConfiguration, _ body: (CommunicationPartyAPI) async throws -> Value
  ) async throws -> Value {
    guard let rest = configuration.register.rest else {
      throw CommandLineError.keyMissing(place: "register", key: "rest (the CommunicationParty API, for --export and --events)")
    }
    return try await RegisterHTTP.withClient(extraRootsFile: configuration.register.extraRootsFile) { http in
      let tokens = try HelseIDTokens(rest.helseID, key: rest.key, http: http)
      return try await body(try CommunicationPartyAPI(endpoint: rest.endpoint, tokens: tokens, http: http))
    }
  }
}

extension RegistryPlace {
  /// The register of collaboration protocols.
  static func withProtocols<Value: Sendable>(
    _ configuration: MigratorConfiguration, _ body: (CollaborationProtocolRegister) async throws -> Value
  ) async throws -> Value {
    guard let cppa = configuration.register.cppa else {
      throw CommandLineError.keyMissing(place: "register", key: "cppa (the register of collaboration protocols)")
    }
    return try await RegisterHTTP.withClient(extraRootsFile: configuration.register.extraRootsFile) { http in
      let tokens = try HelseIDTokens(cppa.helseID, key: cppa.key, http: http)
      return try await body(try CollaborationProtocolRegister(endpoint: cppa.endpoint, tokens: tokens, http: http))
    }
  }
}

/// How old something is, in the largest unit that says it well.
enum AgeText {
  static func text(_ age: Duration) -> String {
    let seconds = age.components.seconds
    switch seconds {
    case ..<0: return "from the future"
    case ..<120: return "\(seconds) s"
    case ..<7_200: return "\(seconds / 60) min"
    case ..<172_800: return "\(seconds / 3_600) h"
    default: return "\(seconds / 86_400) d"
    }
  }
}
