// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Foundation
import Testing

@testable import Forwarding

@Suite("Shovels: what is declared, and what is refused")
struct ShovelTests {
  @Test("only from RabbitMQ 3 to RabbitMQ 4; every other way is refused with its reason", arguments: Dialect.allCases)
  func ways(_ source: Dialect) {
    for target in Dialect.allCases {
      let isSound = source == .rabbitMQ3 && (target == .rabbitMQ4AddressV1 || target == .rabbitMQ4AddressV2)
      var refused: ShovelError?
      do { try ShovelWay.check(source: source, target: target) } catch { refused = error }
      #expect(refused?.stableCode == (isSound ? nil : "SHOVEL-001"), "\(source) to \(target)")
    }
  }

  private func definition(_ rules: ForwardingRules = ForwardingRules()) -> ShovelDefinition {
    ShovelDefinition(
      name: ShovelDefinition.name(owner: "0a", source: "a", queue: "1_async", target: "b"), sourceQueue: "1_async",
      targetQueue: "1_async", source: Secret("amqp://u:secret1@a:5672/%2F"), target: Secret("amqp://u:secret2@b:5672/%2F"),
      rules: rules)
  }

  @Test("taken only when confirmed, AMQP 0-9-1 on both sides, no queue is made; strict is one on its way")
  func body() throws {
    func value(_ shovel: ShovelDefinition) throws -> [String: Any] {
      let object = try JSONSerialization.jsonObject(with: try shovel.body()) as? [String: Any]
      return try #require(object?["value"] as? [String: Any])
    }
    let strict = try value(self.definition())
    #expect(strict["ack-mode"] as? String == "on-confirm")
    #expect(strict["src-protocol"] as? String == "amqp091" && strict["dest-protocol"] as? String == "amqp091")
    #expect(strict["src-predeclared"] as? Bool == true && strict["dest-predeclared"] as? Bool == true)
    #expect(strict["src-prefetch-count"] as? Int == 1)
    #expect(strict["src-uri"] as? String == "amqp://u:secret1@a:5672/%2F")
    var fast = ForwardingRules()
    fast.mode = .fast
    fast.window = 500
    #expect(try value(self.definition(fast))["src-prefetch-count"] as? Int == 500)
  }

  @Test("the same queue has the same name in every run, another queue, bus or owner another")
  func names() {
    let name = ShovelDefinition.name(owner: "0a", source: "a", queue: "1_async", target: "b")
    #expect(name == ShovelDefinition.name(owner: "0a", source: "a", queue: "1_async", target: "b"))
    #expect(name.hasPrefix(ShovelDefinition.prefix(owner: "0a")))
    let others = [
      ShovelDefinition.name(owner: "0b", source: "a", queue: "1_async", target: "b"),
      ShovelDefinition.name(owner: "0a", source: "b", queue: "1_async", target: "a"),
      ShovelDefinition.name(owner: "0a", source: "a", queue: "1_error", target: "b"),
    ]
    #expect(Set(others + [name]).count == 4)
  }

  @Test("no password in a description or an error")
  func secrets() {
    let shovel = self.definition()
    #expect(!"\(shovel) \(String(reflecting: shovel))".contains("secret"))
    for text in ["secret", "http://u:secret@a", "amqp://u:secret@", "amqp://secret@a", "amqp://a/secret", "amqp://u:@a"] {
      do throws(ShovelError) {
        _ = try ShovelDefinition.checked(Secret(text))
        Issue.record("\(text) was taken")
      } catch {
        #expect(error.stableCode == "SHOVEL-009" && !error.description.contains("secret"), "\(error)")
      }
    }
    #expect((try? ShovelDefinition.checked(Secret("amqps://u:p@a:5671/%2F?verify=verify_peer"))) != nil)
  }
}
