// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import Testing

@testable import bus_migrator

@Suite("bus-migrator's files")
struct ConfigurationFileTests {
  /// The repository's root, from where this file was compiled.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static let good = """
    environment: test
    buses:
      - name: a
        dialect: rabbitmq-3
        hosts: [a.example]
        connection-string: amqp://guest:secret-word@127.0.0.1:5672/NHN
      - name: b
        dialect: rabbitmq-4-v2
        hosts: [b.example]
        path: NHN
        connection-string: amqp://guest:secret-word@127.0.0.1:5673/NHN
    ping:
      own-her-id: 900
    register:
      url: http://127.0.0.1:8080/v1/AR/Basic
      user: u
      password: secret-word
      writer:
        kind: manual
    state-directory: state
    """

  static let pulje = """
    name: p1
    source: a
    target: b
    defaults:
      vendor: Alfa
      listens: both
    parties:
      - her-id: 200
    policy:
      quiet-period: 24h
    """

  func configuration(_ text: String) throws -> MigratorConfiguration {
    try MigratorConfiguration.read(ConfigurationNode.text(text, file: "/etc/x.yaml", key: .file), environment: [:])
  }

  func refused(_ body: () throws -> Void) -> CommandLineError? {
    do {
      try body()
      return nil
    } catch { return error as? CommandLineError }
  }

  @Test("an organisation has a login of its own on a bus: named in the file, or every credential whose name begins so")
  func organisations() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("organisations-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func put(_ name: String, _ text: String) throws {
      try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }
    func read(_ lines: String) throws -> [Int32: String] {
      let text = Self.good.replacing("    dialect: rabbitmq-3\n", with: "    dialect: rabbitmq-3\n\(lines)")
      return try MigratorConfiguration.read(
        ConfigurationNode.text(text, file: "/etc/x.yaml", key: .file), environment: ["CREDENTIALS_DIRECTORY": folder.path]
      ).buses[0].organisations.mapValues(\.user)
    }
    #expect(try read("") == [:])
    let named =
      "    organisations:\n      - {organisation: \"987654325\", connection-string: \"amqp://OrgUsr:other-word@127.0.0.1:5672/NHN\"}\n"
    #expect(try read(named) == [987_654_325: "OrgUsr"])

    try put("secret_a_987654325", "amqp://OrgUsr987654325:other-word@127.0.0.1:5672/NHN\n")
    try put("secret_a_974760673", "amqp://OrgUsr974760673:other-word@127.0.0.1:5672/NHN\n")
    try put("secret_b_983971636", "amqp://OrgUsr983971636:other-word@127.0.0.1:5672/NHN\n")
    let prefix = "    organisation-credentials: secret_a_\n"
    #expect(try read(prefix) == [987_654_325: "OrgUsr987654325", 974_760_673: "OrgUsr974760673"])

    func said(_ lines: String) -> String? {
      do { _ = try read(lines) } catch let error as CommandLineError {
        return error.explanation.seen + " | " + error.explanation.next
      } catch {}
      return nil
    }
    let twice = said(prefix + named)
    #expect(twice?.contains("a second login") == true, "\(twice ?? "read")")
    #expect(said(named.replacing("987654325", with: "987654321"))?.contains("nine digits, with a check digit") == true)
    let elsewhere = said(named.replacing(":5672", with: ":5673"))
    #expect(elsewhere?.contains("to another place than the bus's own") == true, "\(elsewhere ?? "read")")
    #expect(said("    organisation-credentials: secret_c_\n")?.contains("begins with") == true)
    try put("secret_a_98765432", "amqp://OrgUsr:other-word@127.0.0.1:5672/NHN\n")
    #expect(said(prefix)?.contains("secret_a_98765432") == true, "one digit is missing: it must not be passed over")
    for text in [twice, elsewhere, said(prefix)] { #expect(text?.contains("other-word") == false) }
  }

  @Test("the nightly compare: at three where there is a cache, at another time, off, or without a cache nothing to compare")
  func nightlyCompare() throws {
    func time(_ lines: String) throws -> TimeOfDay? {
      try self.configuration(Self.good.replacing("  user: u", with: "  user: u\n\(lines)")).register.compareAt
    }
    #expect(try time("") == nil)
    #expect(try time("  cache: c.sqlite") == TimeOfDay(text: "03:00"))
    #expect(try time("  cache: c.sqlite\n  nightly-compare: 04:30") == TimeOfDay(text: "04:30"))
    #expect(try time("  cache: c.sqlite\n  nightly-compare: off") == nil)
    #expect(self.refused { _ = try time("  cache: c.sqlite\n  nightly-compare: 25:00") } != nil)
    #expect(self.refused { _ = try time("  nightly-compare: 04:30") } != nil)
  }

  @Test("the register's REST interface: where it is and how HelseID knows us; a key that is none is told, and not shown")
  func rest() throws {
    func rest(_ key: String, _ more: String = "") throws -> MigratorConfiguration.REST? {
      let lines = """
          rest:
            url: https://cpe.example
            export-timeout: 10m
            helse-id:
              issuer: https://helseid.example
              client-id: me
              key: '\(key)'
              organisation: { parent: "123456789" }
        \(more)
        """
      return try self.configuration(Self.good.replacing("  user: u", with: "  user: u\n\(lines)")).register.rest
    }
    #expect(try self.configuration(Self.good).register.rest == nil)
    let read = try #require(try rest(RegistryCommandTests.key))
    #expect(read.endpoint.url == "https://cpe.example" && read.endpoint.exportTimeoutSeconds == 600)
    #expect(read.helseID.tokenEndpoint == "https://helseid.example/connect/token")
    #expect(read.helseID.scope == "nhn:cp-api/access-v2-dpop" && read.helseID.organisation?.parent == "123456789")
    #expect(read.key.algorithm == "ES256")
    let refused = self.refused { _ = try rest("secret-word") }
    #expect(refused.map { "\($0)" }?.contains("AR-423") == true)
    #expect(refused.map { "\($0)" }?.contains("secret-word") == false)
    #expect(self.refused { _ = try rest(RegistryCommandTests.key, "    unknown: 1") } != nil)
  }

  @Test("nobody writes from here: who does is told to those who plan")
  func writtenElsewhere() throws {
    let text = Self.good.replacing("kind: manual", with: "kind: none\n    written-by: NHN's own office")
    let offer = try self.configuration(text).register.writer.offer
    #expect(offer.writer?.words.contains("nothing is written here: NHN's own office writes the register") == true)
  }

  @Test("the SOAP writer offers the scopes that it has operations for, and how many log entries a write makes")
  func scopes() throws {
    func writer(_ more: String) throws -> MigratorConfiguration.Writer {
      let operation = "{ name: X, parameters: [{ name: herId, filling: her-id }] }"
      let soap = """
        kind: soap
            url: http://127.0.0.1:8080/w
            namespace: urn:x
            action-prefix: urn:x/
            switch-to-bus: \(operation)
            replace-addresses: \(operation)
        \(more.replacing("OPERATION", with: operation))
        """
      return try self.configuration(Self.good.replacing("kind: manual", with: soap)).register.writer
    }
    #expect(try writer("").offer == RegisterOffer())
    #expect(
      try writer("    switch-to-bus-with-services-below: OPERATION").offer == RegisterOffer(servicesBelow: true))
    #expect(try writer("    use-organisation-queue: OPERATION").offer == RegisterOffer(organisationQueue: true))
    guard case .soap(let soap) = try writer("    log-entries-per-write: 2") else {
      Issue.record("another writer")
      return
    }
    #expect(soap.logEntriesPerWrite == 2)
    #expect(self.refused { _ = try writer("    log-entries-per-write: 0") }?.stableCode == "CLI-005")
    #expect(self.refused { _ = try writer("    use-organisation-queue: { name: X }") }?.stableCode == "CLI-004")
    // A way forward without a way back is none.
    let forwardOnly = try? self.configuration(
      Self.good.replacing("kind: manual", with: "kind: soap\n    url: http://x\n    namespace: u\n    action-prefix: u"))
    #expect(forwardOnly == nil)
  }

  @Test("how far a write reaches, and who uses the organisation's queue, stand in the pulje file")
  func puljeScopes() throws {
    let text = Self.pulje.replacing("target: b", with: "target: b\nscope: services-below")
      .replacing("her-id: 200", with: "her-id: 200\n    organisation-queue: true")
    let request = try PuljeFile.read(ConfigurationNode.text(text, file: "p"))
    #expect(request.scope == .servicesBelow && request.parties[0].joinsOrganisation)
    let usual = try PuljeFile.read(ConfigurationNode.text(Self.pulje, file: "p"))
    #expect(usual.scope == .herID && !usual.parties[0].joinsOrganisation)
    let wrong = Self.pulje.replacing("target: b", with: "target: b\nscope: all")
    #expect(self.refused { _ = try PuljeFile.read(ConfigurationNode.text(wrong, file: "p")) }?.stableCode == "CLI-005")
  }

  @Test("the examples that we ship load, credentials included")
  func examples() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("credentials-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let secrets = [
      "source-bus": "Endpoint=sb://sb.test.nhn.no/NHNTESTServiceBus;OAuthUsername=u;OAuthPassword=p",
      "target-bus": "amqps://u:p@tb.test.nhn.no:5671/NHNTESTServiceBus\n", "address-register": "p\n",
    ]
    for (name, text) in secrets { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
    let configuration = try MigratorConfiguration.read(
      ConfigurationSource(
        file: Self.root.appendingPathComponent("config/bus-migrator.example.yaml").path,
        // The one thing that whoever installs must say.
        settings: ["environment=test"], environment: ["CREDENTIALS_DIRECTORY": folder.path]))
    #expect(configuration.buses.map(\.endpoint.name) == ["servicebus", "tjenestebuss"])
    #expect(configuration.database == "/var/lib/bus-migrator/migration.sqlite")
    let request = try PuljeFile.read(Self.root.appendingPathComponent("config/pulje.example.yaml").path)
    // What the example says is what holds without it, so that the comments do not lie.
    #expect(request.policy == Policy())
    #expect(request.parties.map(\.startConfirmed) == [false, false, true])
  }

  @Test("the example's commented calendar is one, and what is wrong in one is told by its line")
  func calendar() throws {
    let text = try String(contentsOf: Self.root.appendingPathComponent("config/pulje.example.yaml"), encoding: .utf8)
    let start = try #require(text.range(of: "  # calendar:"))
    let calendar = text[start.lowerBound...].split(separator: "\n").map { "  " + $0.dropFirst(4) }.joined(separator: "\n")
    let uncommented = text[..<start.lowerBound] + calendar + "\n"
    let request = try PuljeFile.read(ConfigurationNode.text(String(uncommented), file: "pulje.yaml"))
    let window = try #require(request.policy.calendar?.windows.first)
    #expect(window.days == [.monday, .tuesday, .wednesday, .thursday])
    #expect("\(window.from) to \(window.to)" == "22:00 to 05:00")
    let freeze = try #require(request.policy.calendar?.freezes.first)
    #expect("\(freeze.from) \(freeze.through) \(freeze.why)" == "2026-12-18 2027-01-03 julefrys")
    for (right, wrong) in [("\"22:00\"", "\"25:00\""), ("2027-01-03", "2027-02-30"), ("monday", "mandag")] {
      let broken = uncommented.replacingOccurrences(of: right, with: wrong)
      let error = #expect(throws: CommandLineError.self) {
        try PuljeFile.read(ConfigurationNode.text(broken, file: "pulje.yaml"))
      }
      #expect(error.map { "\($0)".contains("pulje.yaml, line") } == true, "\(wrong)")
    }
  }

  @Test("the example's commented keys are keys that exist")
  func commentedKeys() throws {
    let text = try String(contentsOf: Self.root.appendingPathComponent("config/bus-migrator.example.yaml"), encoding: .utf8)
    let soap = text.replacingOccurrences(of: "    kind: manual\n", with: "").split(
      separator: "\n", omittingEmptySubsequences: false)
    let uncommented = soap.map { line -> String in
      guard let hash = line.firstIndex(of: "#"), line[..<hash].allSatisfy({ $0 == " " }) else { return String(line) }
      let rest = line[line.index(after: hash)...].dropFirst()
      let isKey = rest.drop { $0 == " " || $0 == "#" || $0 == "-" }.prefix { $0 != ":" }
      let isItem = rest.contains("- { name:")
      guard isItem || (!isKey.isEmpty && isKey.allSatisfy { $0.isLowercase || $0 == "-" } && rest.contains(":")) else {
        return ""
      }
      return String(line[..<hash] + rest)
    }
    // Only the writer's part is taken: the rest of the comments offers the same key in several ways.
    let starts = uncommented.firstIndex { $0.hasPrefix("  writer:") }
    let ends = uncommented.firstIndex { $0.hasPrefix("state-directory") }
    let start = try #require(starts)
    let end = try #require(ends)
    let writer = uncommented[start..<end].filter { line in
      !["manual:", "soap: the", "only-bus", "none:", "kind: none", "written-by"].contains { line.contains($0) }
    }
    let whole = Self.good.replacingOccurrences(of: "  writer:\n    kind: manual", with: writer.joined(separator: "\n"))
    let configuration = try self.configuration(whole)
    guard case .soap(let soap) = configuration.register.writer else {
      Issue.record("another writer: \(configuration.register.writer)")
      return
    }
    #expect(soap.switchToBus?.name == "SwitchBus")
    #expect(soap.switchToBusWithServicesBelow?.parameters.map(\.name) == ["herId", "bus"])
    #expect(soap.useOrganisationQueue?.parameters.map(\.name) == ["herId"])
    #expect(soap.replaceAddresses?.parameters.count == 2)
    #expect(soap.busNames == ["tjenestebuss": "RabbitMq", "servicebus": "ServiceBus"])
    #expect(configuration.register.writer.offer == RegisterOffer(servicesBelow: true, organisationQueue: true))
  }

  @Test("a good file is read, paths from its folder, the bus's path from the connection string")
  func good() throws {
    let configuration = try self.configuration(Self.good)
    #expect(configuration.database == "/etc/state/migration.sqlite")
    #expect(configuration.socket == "/etc/state/control.sock")
    #expect(configuration.buses[0].endpoint.bus.path == "NHN")
    guard case .manual = configuration.register.writer else {
      Issue.record("another writer: \(configuration.register.writer)")
      return
    }
  }

  static let wrongFiles: [(from: String, to: String, code: String, seen: String)] = [
    ("environment: test\n", "", "CLI-004", "environment"), ("environment: test", "environment: the test", "CLI-005", "qa"),
    ("environment: test", "environment: Produksjon\nlog-level: loud", "CLI-005", "notice"),
    ("ping:", "pings:", "CLI-003", "pings"), ("dialect: rabbitmq-3", "dialekt: rabbitmq-3", "CLI-003", "line 4"),
    ("dialect: rabbitmq-3", "dialect: rabbit", "CLI-005", "rabbitmq-4-v2"),
    ("own-her-id: 900", "own-her-id: 900\n  production: true\n  party-interval: 9s", "CLI-005", "10s or more in production"),
    ("own-her-id: 900", "own-her-id: x", "CLI-005", "HER-ID"),
    ("own-her-id: 900", "subject: x", "CLI-004", "own-her-id"), ("hosts: [a.example]", "hosts: a.example", "CLI-005", "a list"),
    ("hosts: [a.example]", "hosts: [b.example]", "CLI-005", "b.example"), ("name: a", "name: b", "CLI-005", "two buses"),
    ("kind: manual", "kind: soap", "CLI-004", "url"), ("kind: manual", "kind: magic", "CLI-005", "manual, soap, none"),
    ("kind: manual", "kind: none", "CLI-004", "written-by"),
    ("kind: manual", "kind: manual\n    written-by: x", "CLI-003", "written-by"),
    ("kind: manual", "kind: none\n    written-by: x\n    url: http://x", "CLI-003", "url"),
    ("kind: manual", "kind: soap\n    written-by: x", "CLI-003", "written-by"),
    ("amqp://guest:secret-word@127.0.0.1:5672/NHN", "http://x", "CLI-006", "TB-"),
    ("password: secret-word", "password-file: /no/such/file", "CLI-006", "/no/such/file cannot be read"),
    ("password: secret-word", "password-file: secret-word", "CLI-006", "not shown"),
    ("password: secret-word", "password-file: \"-----BEGIN secret-word.\"", "CLI-006", "not shown"),
    ("hosts: [a.example]", "hosts: secret-word", "CLI-005", "a list"),
    ("dialect: rabbitmq-3", "dialect: u:secret-word@h", "CLI-005", "not shown"),
    ("password: secret-word", "password-credential: ar", "CLI-006", "CREDENTIALS_DIRECTORY"),
    ("state-directory: state", "timings: {retry-base: soon}", "CLI-004", "database"),
    ("state-directory: state", "state-directory: s\ntimings: {retry-base: soon}", "CLI-005", "14d"),
    ("state-directory: state", "state-directory: s\ntimings: {concurrent-writes: 0}", "CLI-005", "greater than zero"),
    ("hosts: [a.example]", "hosts: [a.example", "CLI-002", "line"), ("ping:", "register:", "CLI-002", "twice"),
  ]

  @Test("what is wrong is refused with code and place, and no secret is shown", arguments: wrongFiles.indices)
  func wrong(index: Int) throws {
    let (from, to, code, seen) = Self.wrongFiles[index]
    let error = try #require(self.refused { _ = try self.configuration(Self.good.replacingOccurrences(of: from, with: to)) })
    #expect(error.stableCode == code, "\(error)")
    #expect(error.description.contains(seen), "\(error)")
    #expect(!error.description.contains("secret-word"))
    #expect(Exit.code(of: error) == Exit.usage)
  }

  static let wrongPuljer: [(from: String, to: String, code: String, seen: String)] = [
    ("her-id: 200", "her-id: 2x", "CLI-005", "line 8"), ("her-id: 200", "herid: 200", "CLI-003", "herid"),
    ("quiet-period: 24h", "quiet-period: 24", "CLI-005", "14d"),
    ("quiet-period: 24h", "quite-period: 24h", "CLI-003", "quite-period"),
    ("name: p1", "name: p/1", "CLI-005", "letters"), ("source: a", "", "CLI-004", "source"),
    ("vendor: Alfa", "", "CLI-004", "vendor"),
    ("listens: both", "listens: all", "CLI-005", "both, one"), ("quiet-period: 24h", "approvals: two", "CLI-005", "whole number"),
    ("quiet-period: 24h", "automatic-rollback: yes", "CLI-005", "true or false"),
    ("  - her-id: 200", "  her-id: 200", "CLI-005", "a list"),
  ]

  @Test("a wrong pulje file is refused with code and place", arguments: wrongPuljer.indices)
  func wrongPulje(index: Int) throws {
    let (from, to, code, seen) = Self.wrongPuljer[index]
    let text = Self.pulje.replacingOccurrences(of: from, with: to)
    let error = try #require(self.refused { _ = try PuljeFile.read(ConfigurationNode.text(text, file: "p.yaml")) })
    #expect(error.stableCode == code, "\(error)")
    #expect(error.description.contains(seen), "\(error)")
  }

  @Test("a file that is not there, not text, or empty")
  func noFile() throws {
    #expect(self.refused { _ = try PuljeFile.read("/no/such/file.yaml") }?.stableCode == "CLI-001")
    #expect(self.refused { _ = try ConfigurationNode.text("", file: "x") }?.stableCode == "CLI-002")
  }

  @Test("not stated counts as listening on one bus only")
  func listens() throws {
    let text = Self.pulje.replacingOccurrences(of: "  listens: both\n", with: "")
    #expect(try PuljeFile.read(ConfigurationNode.text(text, file: "p")).parties[0].listens == .one)
  }

  @Test("limits, the file of chain heads, and hooks are read; what does not fit is refused")
  func limitsHeadsAndHooks() throws {
    let plain = try self.configuration(Self.good)
    #expect(plain.rates.register == nil && plain.hooks.isEmpty && plain.heads.interval == .hours(1))
    #expect(plain.heads.file == plain.database + ".heads")
    let rest = """

      limits: { register: 10/s, bus: 300/m }
      audit-heads: { file: heads.log, every: 10m }
      hooks:
        - { name: board, run: board.sh, arguments: [-x] }
      """
    let read = try self.configuration(Self.good + rest)
    #expect(read.rates.register?.description == "10/1s" && read.rates.bus?.description == "300/1m")
    #expect(read.heads.file == "/etc/heads.log" && read.heads.interval == .minutes(10))
    #expect(read.hooks == ["board": .init(executable: "/etc/board.sh", arguments: ["-x"])])
    for wrong in [
      "limits: { register: fast }", "limits: { register: 0/s }", "limits: { pace: 1/s }", "audit-heads: { every: 1ms }",
      "hooks: [{ name: a, run: x }, { name: a, run: y }]", "hooks: [{ name: a }]",
    ] {
      #expect(self.refused { _ = try self.configuration(Self.good + "\n" + wrong) } != nil, "\(wrong)")
    }
  }

  @Test("hooks are a list, of the cut, or a mapping by point; what is neither, and a point that is none, is refused")
  func hooksByPoint() throws {
    func policy(_ hooks: String) throws -> Policy {
      try PuljeFile.read(ConfigurationNode.text(Self.pulje + "\n  hooks: \(hooks)\n", file: "p.yaml")).policy
    }
    let read = try policy("{ cut: [board], drained: [ledger], accept: [board, duty], roll-back: [desk] }")
    #expect(read.hooks == ["board"])
    #expect(
      read.stepHooks == [
        StepHook(.drained, "ledger"), StepHook(.accept, "board"), StepHook(.accept, "duty"), StepHook(.rollBack, "desk"),
      ])
    #expect(try policy("[board]").stepHooks == nil && policy("{ cut: [board] }").stepHooks == nil)
    #expect(try policy("{ removal: [archive] }").hooks == nil)
    for wrong in ["{ lunch: [board] }", "{ accept: board }", "board"] {
      #expect(throws: CommandLineError.self, "\(wrong)") { try policy(wrong) }
    }
  }

  @Test("a policy's protocol, hooks and gates are read")
  func protocolHooksAndGates() throws {
    let policy = """

        test-protocol: { central-services: [Kjernejournal], value-chain: false }
        hooks: [board]
        gates: { measure-interval: 5m, ping-after-quiet: 1h, ping-loss-percent: 1, depth: 2, dead-letters: 3, traffic: 4 }
      """
    let read = try PuljeFile.read(ConfigurationNode.text(Self.pulje + policy, file: "p.yaml")).policy
    #expect(read.testProtocol == TestProtocol(centralServices: ["Kjernejournal"], valueChain: false))
    #expect(read.hooks == ["board"])
    var gates = Gates()
    (gates.measureInterval, gates.pingAfterQuiet, gates.pingLossPercent) = (.minutes(5), .hours(1), 1)
    (gates.depth, gates.deadLetters, gates.traffic) = (2, 3, 4)
    #expect(read.gates == gates)
  }
}
