// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Migration
import MigrationEngine
import Testing
import TjenestebussClient

@testable import bus_migrator

@Suite("What may stand in the configuration")
struct ConfigurationKeyTests {
  private let entries = ConfigurationKeyEntry.all()

  private func configuration(_ text: String, settings: [String] = []) throws -> MigratorConfiguration {
    let root = try ConfigurationNode.text(text, file: "/etc/x.yaml", key: .file)
    let source = ConfigurationSource(settings: settings, environment: [:], folder: "/work")
    return try MigratorConfiguration.read(source.layered(over: root), environment: [:])
  }

  @Test("every key has words, a name of its own in its section, and an environment variable of its own")
  func words() {
    for entry in self.entries {
      #expect(entry.meaning.count >= 8 && entry.meaning.hasSuffix("."), "\(entry.key): \(entry.meaning)")
      #expect(!entry.without.isEmpty && !entry.holds.isEmpty, "\(entry.key)")
    }
    #expect(Set(self.entries.map(\.key)).count == self.entries.count)
    let variables = self.entries.compactMap(\.variable)
    #expect(Set(variables).count == variables.count)
    #expect(variables.contains("BUS_MIGRATOR_SET_BUSES_NAME_VIRTUAL_HOST"))
    #expect(!variables.contains { $0.hasSuffix("_PASSWORD") || $0.hasSuffix("_CONNECTION_STRING") || $0.hasSuffix("_TOKEN") })
  }

  @Test("what the list says holds by itself is what the engine, the register's client and the pings have by themselves")
  func usual() throws {
    let read = try self.configuration(ConfigurationFileTests.good)
    #expect(read.settings == EngineSettings())
    #expect(read.pingSubject == PingForm.defaultSubject)
    #expect(read.register.endpoint == SOAPEndpoint(url: "http://127.0.0.1:8080/v1/AR/Basic"))
    #expect(read.tell.settling == TellConfiguration().settling && read.tell.patience == ConditionBook.usualPatience)
    #expect(read.partyInterval == .seconds(10) && read.heads.interval == .hours(1) && read.logLevel == .info)
    #expect(read.buses.allSatisfy { !$0.endpoint.allowsPasswordInClear })
  }

  @Test("what holds by itself may also be said: each such value is one that is taken")
  func said() throws {
    let root = try ConfigurationNode.text(ConfigurationFileTests.good, file: "/etc/x.yaml", key: .file)
    let places = SettablePlace.all(in: root)
    var tried = 0
    for place in places {
      guard case .usual(let usual) = place.key.absence else { continue }
      // A section that nobody opened needs more than one value.
      let unopened = ["api", "tell", "register.rest", "register.cppa", "register.writer"]
      guard !unopened.contains(where: { place.name.hasPrefix($0 + ".") }) else { continue }
      guard !place.name.contains(".management.") else { continue }
      #expect(throws: Never.self, "\(place.name)=\(usual)") {
        try self.configuration(ConfigurationFileTests.good, settings: ["\(place.name)=\(usual)"])
      }
      tried += 1
    }
    #expect(tried > 20, "\(tried)")
  }

  @Test("the page about them is what bus-migrator config keys --markdown says")
  func page() throws {
    let file = ConfigurationFileTests.root.appendingPathComponent("docs/configuration.md")
    let page = try String(contentsOf: file, encoding: .utf8)
    #expect(
      page == ConfigurationKeyEntry.markdown(self.entries),
      "make it anew: bus-migrator config keys --markdown > docs/configuration.md")
  }

  @Test("the example shows every key that an operator may want, itself or behind a #")
  func example() throws {
    let file = ConfigurationFileTests.root.appendingPathComponent("config/bus-migrator.example.yaml")
    let text = try String(contentsOf: file, encoding: .utf8)
    let words = Set(text.split { !($0.isLetter || $0.isNumber || $0 == "-") }.map(String.init))
    // Said once for all secrets at the file's head, or for tests and odd registers only.
    let unsaid: Set<String> = [
      "token", "address-namespace", "token-endpoint", "action", "private-key-credential", "connection-string", "shovel-address",
      "secret",
      "shovel-address-credential", "connection-string-file", "secret-file", "key", "key-file",
    ]
    for entry in self.entries {
      let name = String(entry.key.split(separator: ".").last ?? "")
      guard !unsaid.contains(name) else { continue }
      #expect(words.contains(name), "\(entry.key)")
    }
  }
}
