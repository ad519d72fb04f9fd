// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import Testing

@testable import bus_migrator

@Suite("The configuration's layers: the file, the environment over it, the command line over both")
struct ConfigurationSourceTests {
  private func source(_ settings: [String] = [], _ environment: [String: String] = [:]) -> ConfigurationSource {
    ConfigurationSource(settings: settings, environment: environment, folder: "/work/here")
  }

  private func layered(_ settings: [String], _ environment: [String: String] = [:], file: String = ConfigurationFileTests.good)
    throws
    -> ConfigurationNode
  {
    try self.source(settings, environment).layered(over: ConfigurationNode.text(file, file: "/etc/x.yaml", key: .file))
  }

  private func read(_ settings: [String], _ environment: [String: String] = [:]) throws -> MigratorConfiguration {
    try MigratorConfiguration.read(self.layered(settings, environment), environment: environment)
  }

  private func refused(_ settings: [String], _ environment: [String: String] = [:]) throws -> CommandLineError {
    try #require(throws: CommandLineError.self) { try self.read(settings, environment) }
  }

  @Test("what is said last of all holds: command line, then environment, then file, then what holds by itself")
  func order() throws {
    let variable = ["BUS_MIGRATOR_SET_TIMINGS_RETRY_BASE": "3s", "BUS_MIGRATOR_SET_LOG_LEVEL": "debug"]
    #expect(try self.read([]).settings.retryBase == .seconds(2))
    #expect(try self.read([], variable).settings.retryBase == .seconds(3))
    let both = try self.read(["timings.retry-base=4s"], variable)
    #expect(both.settings.retryBase == .seconds(4) && both.logLevel == .debug)
    #expect(try self.read(["environment=qa"]).environment.text == "qa")
  }

  @Test("an entry of a list goes by its name; lists are separated by commas; a section that the file has not is made")
  func entriesListsSections() throws {
    let read = try self.read(
      ["buses.b.hosts=c.example, d.example", "limits.register=5/s", "reports=off"], ["BUS_MIGRATOR_SET_BUSES_A_PATH": "Other"])
    #expect(read.buses[0].endpoint.bus.path == "Other" && read.buses[1].endpoint.bus.hosts == ["c.example", "d.example"])
    #expect(read.rates.register?.description == "5/1s" && read.reports == nil)
    #expect(try self.read(["reports.languages=en"]).reports?.languages == [.en])
  }

  @Test(
    "a path of the environment or the command line is meant from where the program was started, one of the file from its folder")
  func paths() throws {
    let read = try self.read(["register.cache=c.sqlite"], ["BUS_MIGRATOR_SET_AUDIT_HEADS_FILE": "heads.log"])
    #expect(read.register.cache == "/work/here/c.sqlite" && read.heads.file == "/work/here/heads.log")
    #expect(read.database == "/etc/state/migration.sqlite")
    #expect(try self.read(["state-directory=s"]).database == "/work/here/s/migration.sqlite")
  }

  @Test("what is wrong is told with where it was said")
  func places() throws {
    let setting = try self.refused(["timings.retry-base=soon"])
    #expect(
      setting.stableCode == "CLI-005" && setting.description.contains("the command line, --set, timings.retry-base"), "\(setting)"
    )
    let variable = try self.refused([], ["BUS_MIGRATOR_SET_BUSES_A_DIALECT": "rabbit"])
    #expect(variable.description.contains("the environment variable BUS_MIGRATOR_SET_BUSES_A_DIALECT"), "\(variable)")
    #expect(try self.refused([], ["BUS_MIGRATOR_SET_LOG_LEVEL": ""]).stableCode == "CLI-005")
    for wrong in ["log-level", "=debug", "log-level="] { #expect(try self.refused([wrong]).stableCode == "CLI-014", "\(wrong)") }
    #expect(try self.refused(["log-level=debug", "log-level=info"]).stableCode == "CLI-014")
  }

  @Test("a misspelt name is not passed over, and the one that was meant is named")
  func misspelt() throws {
    let setting = try self.refused(["timings.retry-bass=2s"])
    #expect(setting.stableCode == "CLI-029" && setting.description.contains("Was \"timings.retry-base\" meant?"), "\(setting)")
    let variable = try self.refused([], ["BUS_MIGRATOR_SET_LOGLEVEL": "debug"])
    #expect(
      variable.stableCode == "CLI-029" && variable.description.contains("\"BUS_MIGRATOR_SET_LOG_LEVEL\" meant"), "\(variable)")
    #expect(try self.refused(["buses.c.path=x"]).stableCode == "CLI-029")
    #expect(try self.refused(["buses.a.name=x"]).stableCode == "CLI-029")
    #expect(!(try self.refused(["amqps://u:secret-word@h"]).description.contains("secret-word")))
    #expect(!(try self.refused(["secret/word=x"]).description.contains("secret/word")))
    #expect(try self.read([], ["BUS_MIGRATOR_SETUP": "1"]).logLevel == .info)
    // What we ourselves tell hooks and programs is no configuration.
    #expect(try self.read([], ["BUS_MIGRATOR_CODE": "MIG-402", "BUS_MIGRATOR_ENVIRONMENT": "qa"]).environment.text == "test")
  }

  @Test("a secret is the file's alone: other people see a command line and an environment")
  func secrets() throws {
    for name in ["register.password", "buses.a.connection-string"] {
      let error = try self.refused(["\(name)=secret-word"])
      #expect(error.stableCode == "CLI-029" && error.description.contains("Secrets are given by the file"), "\(error)")
      #expect(!error.description.contains("secret-word"))
    }
    let variable = try self.refused([], ["BUS_MIGRATOR_SET_REGISTER_PASSWORD": "secret-word"])
    #expect(variable.stableCode == "CLI-029" && !variable.description.contains("secret-word"))
    let both = try self.refused(["register.password-file=/no/such/file"])
    #expect(both.description.contains("only one of them"), "\(both)")
  }

  @Test("the file is the one that is named; then the environment's; then the usual one")
  func file() {
    let environment = ["BUS_MIGRATOR_CONFIG": "/etc/b.yaml"]
    #expect(ConfigurationSource(file: "/etc/a.yaml", environment: environment).file == "/etc/a.yaml")
    #expect(ConfigurationSource(environment: environment).file == "/etc/b.yaml")
    #expect(ConfigurationSource(environment: ["BUS_MIGRATOR_CONFIG": ""]).file == ConfigurationSource.usualFile)
  }

  @Test("what is shown says of each value where it comes from, and no secret")
  func shown() throws {
    let values = ConfigurationValue.all(
      in: try self.layered(["log-level=debug"], ["BUS_MIGRATOR_SET_PING_TIMEOUT": "20s"]))
    func value(_ key: String) -> ConfigurationValue? { values.first { $0.key == key } }
    #expect(value("log-level")?.line == "log-level: debug    # --set")
    #expect(value("ping.timeout")?.line == "ping.timeout: 20s    # BUS_MIGRATOR_SET_PING_TIMEOUT")
    #expect(value("ping.own-her-id")?.line == "ping.own-her-id: 900    # line 13")
    #expect(value("timings.write-deadline")?.line == "timings.write-deadline: 60s    # usual")
    #expect(value("buses.a.connection-string")?.value == "<redacted>")
    #expect(!values.contains { $0.line.contains("secret-word") })
    #expect(value("api.listen") == nil && value("tell.settling")?.origin == .usual)
  }

  @Test("an address is shown without login and query, a webhook's without what stands behind its host")
  func addresses() throws {
    func shown(_ url: String, key: String = "url") throws -> String {
      let text = key == "url" ? "url: '\(url)'" : "webhooks: [{ url: '\(url)' }]"
      return try RedactedConfiguration.text(of: ConfigurationNode.text(text, file: "x"))
    }
    for url in ["https://svc:secret-word@host/x?m=a@b", "https://u:pa/secret-word@host/", "https://host/x?key=secret-word"] {
      let text = try shown(url)
      #expect(!text.contains("secret-word") && text.contains("<redacted>"), "\(text)")
    }
    #expect(try shown("https://host/v1/AR").contains("https://host/v1/AR"))
    let webhook = try shown("https://hooks.example/T0/B0/secret-word", key: "webhooks")
    #expect(webhook.contains("https://hooks.example/<redacted>") && !webhook.contains("secret-word"), "\(webhook)")
  }

  @Test("production says itself that pings are real, and is not talked out of it")
  func production() throws {
    #expect(throws: Never.self) { try self.read(["environment=production"]) }
    let talked = try self.refused(["environment=prod", "ping.production=false"])
    #expect(
      talked.description.contains("ping.production") && talked.description.contains("where environment is prod"), "\(talked)")
    #expect(
      try self.refused(["environment=Production", "ping.party-interval=5s"]).description.contains("10s or more in production"))
  }
}
