// SPDX-License-Identifier: Apache-2.0

import Migration
import Testing

@testable import bus_migrator

@Suite("What drains and shovels need of the configuration")
struct DrainConfigurationTests {
  private let files = ConfigurationFileTests()

  @Test("a bus's address for shovels is checked, and no piece of it is shown")
  func shovelAddress() throws {
    func address(_ text: String) throws -> String? {
      let line = "path: NHN\n    shovel-address: \"\(text)\""
      let configuration = try self.files.configuration(ConfigurationFileTests.good.replacing("path: NHN", with: line))
      #expect(configuration.buses.first?.shovelAddress == nil)
      return configuration.buses.last?.shovelAddress?.withPlainText { $0 }
    }
    #expect(try address("amqp://shovel:secret-word@b:5672/%2F") == "amqp://shovel:secret-word@b:5672/%2F")
    for wrong in ["http://u:secret-word@b", "amqp://secret-word", "amqps://b/secret-word"] {
      let refused = try #require(self.files.refused { _ = try address(wrong) })
      #expect(refused.stableCode == "CLI-006" && "\(refused)".contains("SHOVEL-009") && !"\(refused)".contains("secret-word"))
    }
  }

  @Test("address caches are declared by vendor, or for everybody; what does not fit is refused")
  func addressCaches() throws {
    func policy(_ lines: String) throws -> Policy {
      let text = ConfigurationFileTests.pulje + "\n  address-caches:\n\(lines)"
      return try PuljeFile.read(ConfigurationNode.text(text, file: "/etc/p.yaml")).policy
    }
    let read = try policy("    - { vendor: Alfa, life: 12h }\n    - { life: 36h }")
    #expect(read.declaredCaches == [DeclaredCache(vendor: "Alfa", life: .hours(12)), DeclaredCache(life: .hours(36))])
    #expect(read.quietNeeded(seen: nil) > .hours(36))
    #expect(self.files.refused { _ = try policy("    - { vendor: Alfa }") }?.stableCode == "CLI-004")
    #expect(self.files.refused { _ = try policy("    - { life: 0s }") }?.stableCode == "CLI-005")
    #expect(self.files.refused { _ = try policy("    - { span: 1h }") }?.stableCode == "CLI-003")
  }
}
