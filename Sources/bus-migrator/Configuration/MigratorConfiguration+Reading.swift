// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import Forwarding
import Foundation
import Logging
import Migration
import MigrationEngine
import TjenestebussClient

extension MigratorConfiguration {
  /// What may stand at the top of the file.
  static let keys = [
    "environment", "buses", "register", "ping", "state-directory", "database", "socket", "echo-socket", "timings", "log-level",
    "limits", "audit-heads", "hooks", "api", "reports", "tell",
  ]

  /// - Parameters:
  ///   - database: overrides the file's.
  ///   - socket: overrides the file's.
  static func read(
    _ path: String, database: String? = nil, socket: String? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> MigratorConfiguration {
    try Self.read(ConfigurationNode.file(path), database: database, socket: socket, environment: environment)
  }

  static func read(
    _ root: ConfigurationNode, database: String? = nil, socket: String? = nil, environment: [String: String]
  ) throws -> MigratorConfiguration {
    let fields = try root.mapping(Self.keys)
    let buses = try fields.required("buses").elements.map { try Self.bus($0, environment) }
    try Self.checkBuses(buses, fields)
    let ping = try fields.required("ping").mapping([
      "own-her-id", "subject", "time-to-live", "echo-timeout", "timeout", "production", "state-folder", "party-interval",
    ])
    // Whether bus-pinger sends without being told to; the daemon's own pings are what a plan was approved with.
    let isProduction = try ping.optional("production")?.flag ?? false
    var partyInterval = TimeSpan.seconds(10)
    try ping.read("party-interval", into: &partyInterval) { node in
      let interval = try node.span
      guard !isProduction || interval >= .seconds(10) else { throw node.wrong(wanted: "10s or more in production") }
      return interval
    }
    let places = try MigratorPlaces(fields, database: database, socket: socket)
    var timeToLive = TimeSpan.seconds(30)
    var echo = TimeSpan.seconds(10)
    var timeout = TimeSpan.seconds(15)
    try ping.read("time-to-live", into: &timeToLive) { try $0.span }
    try ping.read("echo-timeout", into: &echo) { try $0.span }
    try ping.read("timeout", into: &timeout) { try $0.span }
    return MigratorConfiguration(
      environment: try fields.optional("environment")?.text, buses: buses,
      register: try Self.register(fields.required("register"), environment),
      ownHerID: try ping.required("own-her-id").herID,
      pingSubject: try ping.optional("subject")?.text ?? PingForm.defaultSubject, pingTimeToLive: timeToLive, echoTimeout: echo,
      probeTimeout: timeout,
      pingStateFolder: try ping.optional("state-folder").map { Paths.absolute(try $0.text, besides: root.file) },
      partyInterval: partyInterval, database: places.database,
      socket: places.socket,
      echoSocket: try fields.optional("echo-socket").map { Paths.absolute(try $0.text, besides: root.file) },
      settings: try Self.settings(fields.optional("timings")),
      rates: try Self.rates(fields.optional("limits")),
      hooks: try Self.hooks(fields.optional("hooks")),
      heads: places.heads,
      api: try Self.api(fields.optional("api"), environment), reports: places.reports,
      logLevel: try Self.logLevel(fields.optional("log-level")),
      tell: try fields.optional("tell").map { try TellConfiguration($0, environment: environment) } ?? TellConfiguration(),
      sections: root.sections)
  }

  private static func logLevel(_ node: ConfigurationNode?) throws -> Logger.Level {
    guard let node else { return .info }
    guard let level = Logger.Level(rawValue: try node.text) else {
      throw node.wrong(wanted: "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return level
  }

  // MARK: buses

  private static func bus(_ node: ConfigurationNode, _ environment: [String: String]) throws -> BusEntry {
    let fields = try node.mapping([
      "name", "dialect", "hosts", "path", "connection-string", "connection-string-file", "connection-string-credential",
      "authorities", "virtual-host", "allow-password-in-clear", "management", "ping-reply-queue",
      "shovel-address", "shovel-address-file", "shovel-address-credential",
    ])
    let name = BusName(try fields.required("name").text)
    let hosts = try fields.required("hosts").elements.map { try $0.text }
    guard !hosts.isEmpty else { throw try fields.required("hosts").wrong(wanted: "at least one host") }
    guard let secret = try Credentials.secret("connection-string", in: fields, environment: environment) else {
      throw CommandLineError.keyMissing(place: node.place, key: "connection-string-file")
    }
    let connection: BusConnectionString
    do { connection = try secret.withPlainText { try BusConnectionString($0) } } catch let error as any ExplainedError {
      throw CommandLineError.credentials(
        place: "\(node.place), bus \(name)", seen: "[\(error.stableCode)] \(error.explanation.seen)")
    }
    let authorities = try fields.optional("authorities")?.elements.map { Paths.absolute(try $0.text, besides: node.file) } ?? []
    let path = try fields.optional("path")?.text ?? connection.path
    let endpoint = BusEndpoint(
      bus: Bus(name: name, dialect: try fields.required("dialect").choice(Dialect.self), hosts: hosts, path: path),
      connection: connection, authorities: authorities, virtualHost: try fields.optional("virtual-host")?.text,
      allowsPasswordInClear: try fields.optional("allow-password-in-clear")?.flag ?? false)
    var shovelAddress: Secret?
    if let address = try Credentials.secret("shovel-address", in: fields, environment: environment) {
      do throws(ShovelError) { shovelAddress = try ShovelDefinition.checked(address) } catch {
        throw CommandLineError.credentials(
          place: "\(node.place), bus \(name)", seen: "[\(error.stableCode)] \(error.explanation.seen)")
      }
    }
    return BusEntry(
      endpoint: endpoint, management: try fields.optional("management").map { try Self.management($0, connection, environment) },
      pingReplyQueue: try fields.optional("ping-reply-queue")?.text, shovelAddress: shovelAddress)
  }

  private static func management(
    _ node: ConfigurationNode, _ connection: BusConnectionString, _ environment: [String: String]
  ) throws -> Management {
    let fields = try node.mapping(["url", "user", "password", "password-file", "password-credential", "virtual-host"])
    return Management(
      url: try fields.required("url").text, user: try fields.optional("user")?.text ?? connection.user,
      password: try Credentials.secret("password", in: fields, environment: environment) ?? connection.password,
      virtualHost: try fields.optional("virtual-host")?.text ?? "/")
  }

  private static func checkBuses(_ buses: [BusEntry], _ fields: ConfigurationNode.Fields) throws {
    var names: Set<BusName> = []
    var hosts: Set<String> = []
    for bus in buses.map(\.endpoint.bus) {
      guard names.insert(bus.name).inserted else {
        throw CommandLineError.valueWrong(
          place: fields.of.place, seen: "two buses named \"\(bus.name)\"", wanted: "each bus's name once")
      }
      for host in bus.hosts where !hosts.insert(host).inserted {
        throw CommandLineError.valueWrong(
          place: fields.of.place, seen: "host \"\(host)\" at two buses",
          wanted: "each host at one bus: addresses tell buses apart by it")
      }
    }
  }

  // MARK: register

  private static func register(_ node: ConfigurationNode, _ environment: [String: String]) throws -> Register {
    let fields = try node.mapping([
      "url", "soap-version", "timeout", "allow-plain-http", "user", "password", "password-file", "password-credential",
      "extra-roots-file", "cache", "writer", "rest", "cppa", "nightly-compare",
    ])
    guard let password = try Credentials.secret("password", in: fields, environment: environment) else {
      throw CommandLineError.keyMissing(place: node.place, key: "password-file")
    }
    return Register(
      endpoint: try Self.endpoint(fields),
      credentials: RegisterCredentials(user: try fields.required("user").text, password: password),
      extraRootsFile: try fields.optional("extra-roots-file").map { Paths.absolute(try $0.text, besides: node.file) },
      cache: try fields.optional("cache").map { Paths.absolute(try $0.text, besides: node.file) },
      writer: try Self.writer(fields.required("writer")),
      rest: try fields.optional("rest").map { try Self.rest($0, environment, scope: Self.partyScope) },
      cppa: try fields.optional("cppa").map { try Self.rest($0, environment, scope: Self.protocolScope) },
      compareAt: try Self.compareAt(fields))
  }

  /// At three in the morning where there is a cache, unless the file says otherwise.
  private static func compareAt(_ fields: ConfigurationNode.Fields) throws -> TimeOfDay? {
    guard let node = fields.optional("nightly-compare") else {
      return fields.optional("cache") == nil ? nil : .usualCompare
    }
    if try node.text == "off" { return nil }
    guard fields.optional("cache") != nil else { throw node.wrong(wanted: "off where there is no cache to compare") }
    guard let time = TimeOfDay(text: try node.text), time < .endOfDay else {
      throw node.wrong(wanted: "a time of day such as 03:00, or off")
    }
    return time
  }

  static func endpoint(_ fields: ConfigurationNode.Fields) throws -> SOAPEndpoint {
    var endpoint = SOAPEndpoint(url: try fields.required("url").text)
    try fields.read("soap-version", into: &endpoint.version) { node in
      guard let version = SOAPVersion(rawValue: try node.text) else { throw node.wrong(wanted: "\"1.1\" or \"1.2\"") }
      return version
    }
    try fields.read("timeout", into: &endpoint.timeoutSeconds) { Double(try $0.span.milliseconds) / 1_000 }
    try fields.read("allow-plain-http", into: &endpoint.allowsPlainHTTP) { try $0.flag }
    return endpoint
  }

  // MARK: timings

  private static func settings(_ node: ConfigurationNode?) throws -> EngineSettings {
    var settings = EngineSettings()
    guard let node else { return settings }
    let fields = try node.mapping([
      "concurrent-groups", "concurrent-writes", "retry-base", "retry-cap", "handed-over-interval", "read-deadline",
      "write-deadline",
      "probe-deadline", "hook-deadline",
    ])
    func count(_ node: ConfigurationNode) throws -> Int {
      let value = try node.integer
      guard value >= 1 else { throw node.wrong(wanted: "a number greater than zero") }
      return value
    }
    func span(_ node: ConfigurationNode) throws -> TimeSpan {
      let value = try node.span
      guard value.milliseconds > 0 else { throw node.wrong(wanted: "a time longer than nothing") }
      return value
    }
    try fields.read("concurrent-groups", into: &settings.concurrentGroups, count)
    try fields.read("concurrent-writes", into: &settings.concurrentWrites, count)
    try fields.read("retry-base", into: &settings.retryBase, span)
    try fields.read("retry-cap", into: &settings.retryCap, span)
    try fields.read("handed-over-interval", into: &settings.handedOverInterval, span)
    try fields.read("read-deadline", into: &settings.readDeadline, span)
    try fields.read("write-deadline", into: &settings.writeDeadline, span)
    try fields.read("probe-deadline", into: &settings.probeDeadline, span)
    try fields.read("hook-deadline", into: &settings.hookDeadline, span)
    return settings
  }
}
