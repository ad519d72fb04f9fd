// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import Disclosure
import Foundation
import TjenestebussClient

/// The daemon's configuration file (`config/bus-migrator.example.yaml`), read for what the pinger needs of it: buses, register,
/// pings, database. All else in it is the daemon's own, and `bus-migrator` checks it.
struct DaemonFile {
  let configuration: PingerConfiguration

  /// It has a register at the top; ours has a registry.
  static func isOne(_ yaml: StrictYAML) -> Bool { yaml.has("register") && !yaml.has("registry") && !yaml.has("own-her-id") }

  init(_ yaml: StrictYAML, environment: [String: String]) throws {
    guard let ping = try yaml.inner("ping") else { throw yaml.invalid("ping", "is missing") }
    let own: HerID
    let ownText = try ping.requiredText("own-her-id")
    do throws(BusModelError) { own = try HerID(text: ownText) } catch {
      throw ping.invalid("own-her-id", "is no HER-ID: a whole number greater than zero")
    }
    var settings = ProbeSettings(ownHerID: own)
    if let subject = try ping.text("subject"), !subject.isEmpty { settings.pingSubject = subject }
    if let time = try Self.span(ping, "time-to-live") { settings.timeToLive = min(time, PingForm.longestTimeToLive) }
    if let time = try Self.span(ping, "timeout") { settings.timeout = time }
    if let time = try Self.span(ping, "echo-timeout") { settings.echoTimeout = time }

    settings.sendsOnlyWhenTold = try Self.isProduction(yaml, ping, environment)

    guard let register = try yaml.inner("register") else { throw yaml.invalid("register", "is missing") }
    var endpoint = SOAPEndpoint(url: try register.requiredText("url"))
    if let version = try register.text("soap-version") {
      guard let known = SOAPVersion(rawValue: version) else {
        throw register.invalid("soap-version", "must be \"1.1\" or \"1.2\"")
      }
      endpoint.version = known
    }
    if let time = try Self.span(register, "timeout") { endpoint.timeoutSeconds = Double(time.components.seconds) }
    endpoint.allowsPlainHTTP = try register.flag("allow-plain-http") ?? false
    let file = yaml.file
    func path(_ text: String) -> String { PingerConfiguration.resolve(text, file) }
    guard let password = try Self.secret(register, "password", environment) else {
      throw register.invalid("password-file", "is missing")
    }
    let database =
      try yaml.text("database").map(path) ?? yaml.text("state-directory").map { path($0) + "/migration.sqlite" }
    var configuration = PingerConfiguration(
      settings: settings, cache: try register.text("cache").map(path),
      register: .init(
        endpoint: endpoint,
        credentials: RegisterCredentials(user: try register.requiredText("user"), password: password),
        authority: try register.text("extra-roots-file").map(path)),
      buses: try yaml.list("buses").map { try Self.bus($0, environment) }, database: database)
    configuration.stateFolder = try ping.text("state-folder").map(path)
    if let interval = try Self.span(ping, "party-interval") { configuration.partyInterval = interval }
    try configuration.checkInterval(yaml, "party-interval")
    configuration.daemonSocket = try Self.socket(yaml)
    self.configuration = configuration
  }

  /// As the daemon judges it: an environment that is production says so itself, and is not talked out of it. Only the file is read here, so what the
  /// daemon may hear otherwise is not passed over.
  private static func isProduction(_ yaml: StrictYAML, _ ping: StrictYAML, _ environment: [String: String]) throws -> Bool {
    if let variable = environment.keys.sorted().first(where: { $0.hasPrefix("BUS_MIGRATOR_SET_") }) {
      throw yaml.invalid(
        "environment", "cannot be told: \(variable) is set, which bus-migrator heeds and bus-pinger does not; unset it")
    }
    guard let text = try yaml.text("environment") else { return try ping.flag("production") ?? false }
    guard let name = EnvironmentName(text) else {
      throw yaml.invalid("environment", "must be letters, digits, - and _: test, qa, production")
    }
    let said = try ping.flag("production")
    guard !name.isProduction || said != false else {
      throw ping.invalid("production", "must be true, or left out, where environment is \(name)")
    }
    return said ?? name.isProduction
  }

  /// Where the unit puts the control socket, whatever the file says: it is named on the daemon's command line.
  static let unitSocket = "/run/bus-migrator/control.sock"

  /// The desk's socket where there is one, else the control socket.
  private static func socket(_ yaml: StrictYAML) throws(PingerError) -> String? {
    func path(_ text: String) -> String { PingerConfiguration.resolve(text, yaml.file) }
    if let text = try yaml.text("echo-socket") { return path(text) }
    if let text = try yaml.text("socket") { return path(text) }
    guard let folder = try yaml.text("state-directory") else { return nil }
    let beside = path(folder) + "/control.sock"
    return !FileManager.default.fileExists(atPath: beside) && FileManager.default.fileExists(atPath: Self.unitSocket)
      ? Self.unitSocket : beside
  }

  private static func bus(_ yaml: StrictYAML, _ environment: [String: String]) throws -> PingerConfiguration.BusEntry {
    let dialectText = try yaml.requiredText("dialect")
    guard let dialect = Dialect(rawValue: dialectText) else {
      throw yaml.invalid("dialect", "must be one of \(Dialect.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    guard let secret = try Self.secret(yaml, "connection-string", environment) else {
      throw yaml.invalid("connection-string-file", "is missing")
    }
    let connection: BusConnectionString
    do {
      connection = try secret.withPlainText { try BusConnectionString($0) }
    } catch let error as TjenestebussError {
      throw PingerError.connectionStringInvalid(
        path: yaml.file, field: yaml.field("connection-string"), code: error.stableCode, error.explanation)
    }
    let file = yaml.file
    let endpoint = BusEndpoint(
      bus: Bus(
        name: BusName(try yaml.requiredText("name")), dialect: dialect, hosts: try yaml.texts("hosts") ?? [connection.host],
        path: try yaml.text("path") ?? connection.path),
      connection: connection, authorities: (try yaml.texts("authorities") ?? []).map { PingerConfiguration.resolve($0, file) },
      virtualHost: try yaml.text("virtual-host"), allowsPasswordInClear: try yaml.flag("allow-password-in-clear") ?? false)
    var management: PingerConfiguration.Management?
    if let node = try yaml.inner("management") {
      management = .init(
        url: try node.requiredText("url"), user: try node.text("user") ?? connection.user,
        password: try Self.secret(node, "password", environment) ?? connection.password,
        virtualHost: try node.text("virtual-host") ?? "/", authority: nil)
    }
    // The daemon reads its reply queue itself.
    return .init(
      endpoint: endpoint, replyQueue: try yaml.text("ping-reply-queue"), isReplyQueueShared: true, management: management)
  }

  /// By one of the keys `KEY`, `KEY-file` and `KEY-credential`.
  private static func secret(
    _ yaml: StrictYAML, _ key: String, _ environment: [String: String]
  ) throws(PingerError) -> Secret? {
    if let text = try yaml.text(key), !text.isEmpty { return Secret(text) }
    let written = try yaml.text("\(key)-file")
    var path = written.map { PingerConfiguration.resolve($0, yaml.file) }
    var shown = written.map { PingerConfiguration.shown($0, yaml.file) }
    var field = "\(key)-file"
    if let credential = try yaml.text("\(key)-credential") {
      field = "\(key)-credential"
      guard let folder = environment["CREDENTIALS_DIRECTORY"], !folder.isEmpty else {
        throw .secretUnreadable(
          path: yaml.file, field: yaml.field(field),
          seen:
            "it is a systemd credential, and only the daemon's unit has those: give \(key)-file, or a file of the pinger's own")
      }
      path = "\(folder)/\(credential)"
      shown = path
    }
    guard let path, let shown else { return nil }
    guard let text = try? String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8) else {
      throw .secretUnreadable(path: yaml.file, field: yaml.field(field), seen: "\(shown) cannot be read")
    }
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    if trimmed.isEmpty { throw .secretUnreadable(path: yaml.file, field: yaml.field(field), seen: "\(shown) is empty") }
    return Secret(trimmed)
  }

  /// `14d`, `24h`, `30m`, `90s`, `250ms`, as the daemon writes times.
  private static func span(_ yaml: StrictYAML, _ key: String) throws(PingerError) -> Duration? {
    guard let text = try yaml.text(key) else { return nil }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units: [String: Int64] = ["ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
    guard let number = Int64(digits), number < 1_000_000, let unit = units[String(text.dropFirst(digits.count))] else {
      throw yaml.invalid(key, "must be a whole number and a unit: 30s, 250ms")
    }
    return .milliseconds(number * unit)
  }
}
