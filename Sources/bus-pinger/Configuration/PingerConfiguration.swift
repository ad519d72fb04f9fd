// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import Disclosure
import Foundation
import MigrationStore
import TjenestebussClient

/// The configuration file, read and checked (`config/bus-pinger.example.yaml` explains each field).
struct PingerConfiguration: Sendable {
  struct Register: Sendable {
    var endpoint: SOAPEndpoint
    var credentials: RegisterCredentials
    var authority: String?
  }

  struct Management: Sendable {
    var url: String
    var user: String
    var password: Secret
    var virtualHost: String
    var authority: String?
  }

  struct BusEntry: Sendable {
    var endpoint: BusEndpoint
    var replyQueue: String?
    /// Whether others read the reply queue too; then only the daemon reads it.
    var isReplyQueueShared: Bool
    var management: Management?
  }

  var settings: ProbeSettings
  var cache: String?
  var register: Register?
  var buses: [BusEntry]
  /// The daemon's database, for the parties of a pulje; nil where it is not named.
  var database: String?
  /// Where it is kept when which party was pinged, for all who ping from this machine; nil for the usual place.
  var stateFolder: String? = nil
  /// How far apart pings of one party are. Zero where nothing real is pinged: then nothing is kept.
  var partyInterval = Duration.seconds(10)
  /// What vendors have signed, from the daemon's database.
  var vendorRecord: VendorRecord.Grounds = [:]
  /// The daemon's socket, over which echoes come; nil to read reply queues here.
  var daemonSocket: String? = nil
  /// What the desk reads, whatever the machine's locale; nil to go by that.
  var language: ProbeLanguage? = nil

  /// - Parameter needsRegistry: false where an address is given, so that nobody has to be asked for it.
  /// - Throws: ``PingerError``; `TjenestebussError` when the buses do not go together.
  static func read(path: String, needsRegistry: Bool = true) throws -> PingerConfiguration {
    let text: String
    do {
      text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
    } catch {
      let seen = FileManager.default.fileExists(atPath: path) ? "it is there, but cannot be read as text" : "no such file"
      throw PingerError.configurationUnreadable(path: path, seen: seen)
    }
    return try Self.parse(text, file: path, needsRegistry: needsRegistry)
  }

  /// - Parameter file: for messages; paths in it are taken from its folder.
  static func parse(_ text: String, file: String, needsRegistry: Bool = true) throws -> PingerConfiguration {
    let yaml = try StrictYAML(text: text, file: file)
    let configuration =
      DaemonFile.isOne(yaml)
      ? try DaemonFile(yaml, environment: ProcessInfo.processInfo.environment).configuration : try Self.own(yaml)
    if needsRegistry, configuration.cache == nil, configuration.register == nil { throw PingerError.nobodyToAsk(path: file) }
    try TjenestebussConfiguration(buses: configuration.buses.map(\.endpoint)).validate()
    return configuration
  }

  private static func own(_ yaml: StrictYAML) throws -> PingerConfiguration {
    let file = yaml.file
    try yaml.allow(["own-her-id", "language", "ping", "registry", "buses", "database", "daemon-socket"])
    let own = try yaml.requiredText("own-her-id")
    let herID: HerID
    do throws(BusModelError) { herID = try HerID(text: own) } catch {
      throw yaml.invalid("own-her-id", "is no HER-ID: a whole number greater than zero")
    }
    let registry = try yaml.inner("registry")
    try registry?.allow(["cache", "soap"])
    let socket = try yaml.text("daemon-socket").map { Self.resolve($0, file) }
    let buses = try yaml.list("buses").map { try Self.bus($0, hasDaemon: socket != nil) }
    if buses.isEmpty { throw yaml.invalid("buses", "no bus is listed") }
    var configuration = PingerConfiguration(
      settings: try Self.settings(yaml.inner("ping"), own: herID),
      cache: try registry?.text("cache").map { Self.resolve($0, file) }, register: try Self.register(registry?.inner("soap")),
      buses: buses, database: try yaml.text("database").map { Self.resolve($0, file) },
      stateFolder: try yaml.inner("ping")?.text("state-folder").map { Self.resolve($0, file) },
      daemonSocket: socket)
    configuration.language = try Self.language(yaml)
    if let seconds = try yaml.inner("ping")?.number("party-interval-seconds", in: 0...3_600) {
      configuration.partyInterval = .seconds(seconds)
    }
    try configuration.checkInterval(yaml, "party-interval-seconds")
    return configuration
  }

  /// Without it the verdict has grounds less, and nothing else: that is said, and the look goes on.
  ///
  /// - Parameter named: the file that the command line names; nil for that of the configuration, where a file that is not there is none
  ///   that anybody has signed in.
  mutating func readVendorRecord(_ named: String?) async {
    guard let database = named ?? self.database else { return }
    do { self.vendorRecord = try await VendorRecord.grounds(database: database) } catch let error as any ExplainedError {
      if named == nil, case StoreError.absent = error { return }
      StandardOutput.complain("[\(error.stableCode)] what vendors have signed is not known: \(error.explanation.seen)\n")
    } catch {
      // Cancelled: the look that follows says so.
    }
  }

  /// Who runs a party's system has not asked for pings.
  func checkInterval(_ yaml: StrictYAML, _ key: String) throws(PingerError) {
    guard self.settings.sendsOnlyWhenTold, self.partyInterval < .seconds(10) else { return }
    throw yaml.invalid("ping.\(key)", "in production no party is pinged more often than every 10 s")
  }

  private static func language(_ yaml: StrictYAML) throws(PingerError) -> ProbeLanguage? {
    guard let text = try yaml.text("language") else { return nil }
    guard let language = ProbeLanguage(rawValue: text) else { throw yaml.invalid("language", "must be nb or en") }
    return language
  }

  /// What the file says of the language, where there is such a file and it says so: for what needs no configuration otherwise.
  static func language(path: String) -> ProbeLanguage? {
    guard let text = try? String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8) else { return nil }
    return (try? StrictYAML(text: text, file: path)).flatMap { try? Self.language($0) }
  }

  /// The names of the buses in the file, as far as it can be read: for completions.
  static func busNames(path: String) -> [String] {
    guard let text = try? String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8) else { return [] }
    let buses = (try? StrictYAML(text: text, file: path)).flatMap { try? $0.list("buses") } ?? []
    return buses.compactMap { try? $0.text("name") }
  }

  private static func settings(_ ping: StrictYAML?, own: HerID) throws(PingerError) -> ProbeSettings {
    var settings = ProbeSettings(ownHerID: own)
    guard let ping else { return settings }
    try ping.allow([
      "subject", "time-to-live-seconds", "timeout-seconds", "echo-timeout-seconds", "production", "state-folder",
      "party-interval-seconds",
    ])
    settings.sendsOnlyWhenTold = try ping.flag("production") ?? false
    if let subject = try ping.text("subject"), !subject.isEmpty { settings.pingSubject = subject }
    if let seconds = try ping.number("time-to-live-seconds", in: 1...60) { settings.timeToLive = .seconds(seconds) }
    if let seconds = try ping.number("timeout-seconds", in: 1...120) { settings.timeout = .seconds(seconds) }
    if let seconds = try ping.number("echo-timeout-seconds", in: 0...60) { settings.echoTimeout = .seconds(seconds) }
    return settings
  }

  private static func register(_ soap: StrictYAML?) throws(PingerError) -> Register? {
    guard let soap else { return nil }
    try soap.allow(["url", "version", "user", "password-file", "password", "authority", "timeout-seconds"])
    var endpoint = SOAPEndpoint(url: try soap.requiredText("url"))
    if let version = try soap.text("version") {
      guard let known = SOAPVersion(rawValue: version) else { throw soap.invalid("version", "must be \"1.1\" or \"1.2\"") }
      endpoint.version = known
    }
    endpoint.timeoutSeconds = try soap.number("timeout-seconds", in: 1...120) ?? 15
    return Register(
      endpoint: endpoint,
      credentials: RegisterCredentials(user: try soap.requiredText("user"), password: try Self.secret(soap, "password")),
      authority: try soap.text("authority").map { Self.resolve($0, soap.file) })
  }

  private static func bus(_ yaml: StrictYAML, hasDaemon: Bool) throws -> BusEntry {
    try yaml.allow([
      "name", "dialect", "hosts", "path", "connection-string", "connection-string-file", "authorities", "virtual-host",
      "allow-password-in-clear", "reply-queue", "reply-queue-shared", "management",
    ])
    let dialectText = try yaml.requiredText("dialect")
    guard let dialect = Dialect(rawValue: dialectText) else {
      throw yaml.invalid("dialect", "must be one of \(Dialect.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let secret = try Self.secret(yaml, "connection-string")
    let connection: BusConnectionString
    do {
      connection = try secret.withPlainText { try BusConnectionString($0) }
    } catch let error as TjenestebussError {
      throw PingerError.connectionStringInvalid(
        path: yaml.file, field: yaml.field("connection-string"), code: error.stableCode, error.explanation)
    }
    let bus = Bus(
      name: BusName(try yaml.requiredText("name")), dialect: dialect, hosts: try yaml.texts("hosts") ?? [connection.host],
      path: try yaml.text("path") ?? connection.path)
    let authorities = try yaml.texts("authorities") ?? []
    // Beside a daemon a queue counts as shared unless it is said to be ours alone: whoever reads it takes others' echoes.
    let isShared = try yaml.flag("reply-queue-shared") ?? hasDaemon
    if isShared, !hasDaemon {
      throw yaml.invalid("reply-queue-shared", "wants daemon-socket: who reads a queue of many takes others' echoes")
    }
    return BusEntry(
      endpoint: BusEndpoint(
        bus: bus, connection: connection, authorities: authorities.map { Self.resolve($0, yaml.file) },
        virtualHost: try yaml.text("virtual-host"),
        allowsPasswordInClear: try yaml.flag("allow-password-in-clear") ?? false),
      replyQueue: try yaml.text("reply-queue"), isReplyQueueShared: isShared,
      management: try Self.management(yaml.inner("management")))
  }

  private static func management(_ yaml: StrictYAML?) throws(PingerError) -> Management? {
    guard let yaml else { return nil }
    try yaml.allow(["url", "user", "password", "password-file", "virtual-host", "authority"])
    return Management(
      url: try yaml.requiredText("url"), user: try yaml.requiredText("user"), password: try Self.secret(yaml, "password"),
      virtualHost: try yaml.text("virtual-host") ?? "/", authority: try yaml.text("authority").map { Self.resolve($0, yaml.file) }
    )
  }

  /// `KEY-file` names a file whose first line it is; `KEY` holds it in the configuration itself.
  private static func secret(_ yaml: StrictYAML, _ key: String) throws(PingerError) -> Secret {
    if let text = try yaml.text(key) {
      if try yaml.text("\(key)-file") != nil { throw yaml.invalid(key, "stands beside \(key)-file: leave one") }
      if text.isEmpty { throw yaml.invalid(key, "is empty") }
      return Secret(text)
    }
    guard let named = try yaml.text("\(key)-file"), !named.isEmpty else {
      throw yaml.invalid("\(key)-file", "is missing; or give \(key) itself")
    }
    let path = Self.resolve(named, yaml.file)
    let content: String
    do {
      content = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
    } catch {
      let shown = Self.shown(named, yaml.file)
      let seen = FileManager.default.fileExists(atPath: path) ? "\(shown) cannot be read" : "\(shown): no such file"
      throw .secretUnreadable(path: yaml.file, field: yaml.field("\(key)-file"), seen: seen)
    }
    guard let line = content.split(whereSeparator: \.isNewline).first, !line.isEmpty else {
      throw .secretUnreadable(path: yaml.file, field: yaml.field("\(key)-file"), seen: "\(path) is empty")
    }
    return Secret(String(line))
  }

  /// What an error says of the file that `written` names: its path, or nothing of it where that may be the secret itself, put in place of the
  /// name of its file.
  static func shown(_ written: String, _ file: String) -> String {
    let namesAFile = written.hasPrefix("/") || written.hasPrefix("./") || written.hasPrefix("../") || written.contains(".")
    let mayBeSecret = ["://", "@", "\n", "-----", "{"].contains { written.contains($0) }
    guard namesAFile, !mayBeSecret else { return "the file that it names (not shown: it may be the secret itself)" }
    return Self.resolve(written, file)
  }

  /// A path as it stands in the file: relative ones start from the file's folder.
  static func resolve(_ path: String, _ file: String) -> String {
    if path.hasPrefix("/") { return path }
    return URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent(path).path
  }
}
