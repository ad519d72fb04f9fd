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
  /// - Parameters:
  ///   - database: overrides the file's.
  ///   - socket: overrides the file's.
  static func read(_ source: ConfigurationSource, database: String? = nil, socket: String? = nil) throws -> MigratorConfiguration
  {
    try Self.read(source.root(), database: database, socket: socket, environment: source.environment)
  }

  static func read(
    _ root: ConfigurationNode, database: String? = nil, socket: String? = nil, environment: [String: String]
  ) throws -> MigratorConfiguration {
    let fields = try root.mapping()
    try root.checkAddresses()
    let buses = try fields.required("buses").elements.map { try Self.bus($0, environment) }
    try Self.checkBuses(buses, fields)
    let ping = try fields.required("ping").mapping()
    let name = try EnvironmentName(fields.required("environment"))
    // Whether bus-pinger sends without being told to; the daemon's own pings are what a plan was approved with.
    let isProduction = try Self.isProduction(ping, name)
    let interval = try ping.required("party-interval")
    guard try !isProduction || interval.span >= .seconds(10) else { throw interval.wrong(wanted: "10s or more in production") }
    let places = try MigratorPlaces(fields, database: database, socket: socket)
    return MigratorConfiguration(
      environment: name, buses: buses,
      register: try Self.register(fields.required("register"), environment),
      ownHerID: try ping.required("own-her-id").herID,
      pingSubject: try ping.required("subject").text, pingTimeToLive: try ping.required("time-to-live").span,
      echoTimeout: try ping.required("echo-timeout").span, probeTimeout: try ping.required("timeout").span,
      pingStateFolder: try ping.optional("state-folder").map { try $0.absolutePath },
      partyInterval: try interval.span, database: places.database,
      socket: places.socket,
      echoSocket: try fields.optional("echo-socket").map { try $0.absolutePath },
      settings: try Self.settings(fields.section("timings")),
      rates: try Self.rates(fields.section("limits")),
      hooks: try Self.hooks(fields.optional("hooks")),
      heads: places.heads,
      api: try Self.api(fields.optional("api"), environment), reports: places.reports,
      logLevel: try fields.required("log-level").choice(Logger.Level.self),
      tell: try TellConfiguration(fields.section("tell"), retention: fields.section("retention"), environment: environment),
      sections: root.sections)
  }

  /// True where the environment is production, unless the file says otherwise; what it says must not be otherwise there.
  private static func isProduction(_ ping: ConfigurationNode.Fields, _ environment: EnvironmentName) throws -> Bool {
    guard let node = ping.optional("production") else { return environment.isProduction }
    let isProduction = try node.flag
    guard isProduction || !environment.isProduction else {
      throw node.wrong(wanted: "true, or leave it out, where environment is \(environment)")
    }
    return isProduction
  }

  // MARK: buses

  private static func bus(_ node: ConfigurationNode, _ environment: [String: String]) throws -> BusEntry {
    let fields = try node.mapping()
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
    let authorities = try fields.optional("authorities")?.elements.map { try $0.absolutePath } ?? []
    let path = try fields.optional("path")?.text ?? connection.path
    let endpoint = BusEndpoint(
      bus: Bus(name: name, dialect: try fields.required("dialect").choice(Dialect.self), hosts: hosts, path: path),
      connection: connection, authorities: authorities, virtualHost: try fields.optional("virtual-host")?.text,
      allowsPasswordInClear: try fields.required("allow-password-in-clear").flag)
    var shovelAddress: Secret?
    if let address = try Credentials.secret("shovel-address", in: fields, environment: environment) {
      do throws(ShovelError) { shovelAddress = try ShovelDefinition.checked(address) } catch {
        throw CommandLineError.credentials(
          place: "\(node.place), bus \(name)", seen: "[\(error.stableCode)] \(error.explanation.seen)")
      }
    }
    return BusEntry(
      endpoint: endpoint, management: try fields.optional("management").map { try Self.management($0, connection, environment) },
      pingReplyQueue: try fields.optional("ping-reply-queue")?.text, shovelAddress: shovelAddress,
      organisations: try Self.organisations(fields, bus: name, own: connection, environment))
  }

  private static func management(
    _ node: ConfigurationNode, _ connection: BusConnectionString, _ environment: [String: String]
  ) throws -> Management {
    let fields = try node.mapping()
    return Management(
      url: try fields.required("url").text, user: try fields.optional("user")?.text ?? connection.user,
      password: try Credentials.secret("password", in: fields, environment: environment) ?? connection.password,
      virtualHost: try fields.required("virtual-host").text)
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
    let fields = try node.mapping()
    guard let password = try Credentials.secret("password", in: fields, environment: environment) else {
      throw CommandLineError.keyMissing(place: node.place, key: "password-file")
    }
    return Register(
      endpoint: try Self.endpoint(fields),
      credentials: RegisterCredentials(user: try fields.required("user").text, password: password),
      extraRootsFile: try fields.optional("extra-roots-file").map { try $0.absolutePath },
      cache: try fields.optional("cache").map { try $0.absolutePath },
      writer: try Self.writer(fields.required("writer")),
      rest: try fields.optional("rest").map { try Self.rest($0, environment) },
      cppa: try fields.optional("cppa").map { try Self.rest($0, environment) },
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
    let version = try fields.required("soap-version")
    guard let known = SOAPVersion(rawValue: try version.text) else { throw version.wrong(wanted: "\"1.1\" or \"1.2\"") }
    endpoint.version = known
    endpoint.timeoutSeconds = try fields.required("timeout").seconds
    endpoint.allowsPlainHTTP = try fields.required("allow-plain-http").flag
    return endpoint
  }

  // MARK: timings

  private static func settings(_ timings: ConfigurationNode.Fields) throws -> EngineSettings {
    var settings = EngineSettings()
    func count(_ key: String) throws -> Int {
      let node = try timings.required(key)
      guard try node.integer >= 1 else { throw node.wrong(wanted: "a number greater than zero") }
      return try node.integer
    }
    func span(_ key: String) throws -> TimeSpan {
      let node = try timings.required(key)
      guard try node.span.milliseconds > 0 else { throw node.wrong(wanted: "a time longer than nothing") }
      return try node.span
    }
    settings.concurrentGroups = try count("concurrent-groups")
    settings.concurrentWrites = try count("concurrent-writes")
    settings.retryBase = try span("retry-base")
    settings.retryCap = try span("retry-cap")
    settings.handedOverInterval = try span("handed-over-interval")
    settings.readDeadline = try span("read-deadline")
    settings.writeDeadline = try span("write-deadline")
    settings.probeDeadline = try span("probe-deadline")
    settings.hookDeadline = try span("hook-deadline")
    return settings
  }
}
