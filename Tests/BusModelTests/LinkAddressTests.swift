// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@Suite("The address a link attaches to, per dialect")
struct LinkAddressTests {
  @Test(
    "senders",
    arguments: [
      (Dialect.serviceBusWindowsServer, "NHNTESTServiceBus", "NHNTESTServiceBus/93238_async"),
      (.serviceBusWindowsServer, "", "93238_async"),
      (.azureServiceBus, "NHNTESTServiceBus", "93238_async"),
      (.azureServiceBus, "", "93238_async"),
      (.rabbitMQ3, "NHNTESTServiceBus", "/exchange/NHNTESTServiceBus/93238_async"),
      (.rabbitMQ3, "", "/amq/queue/93238_async"),
      (.rabbitMQ4AddressV1, "NHNTESTServiceBus", "/exchange/NHNTESTServiceBus/93238_async"),
      (.rabbitMQ4AddressV1, "", "/amq/queue/93238_async"),
      (.rabbitMQ4AddressV2, "NHNTESTServiceBus", "/exchanges/NHNTESTServiceBus/93238_async"),
      (.rabbitMQ4AddressV2, "", "/queues/93238_async"),
      (.activeMQ, "", "93238_async"),
    ])
  func sending(_ dialect: Dialect, _ path: String, _ expected: String) {
    #expect(LinkAddress.sending(to: "93238_async", path: path, dialect: dialect).text == expected)
  }

  @Test(
    "receivers: the exchange plays no part on RabbitMQ",
    arguments: [
      (Dialect.serviceBusWindowsServer, "NHNTESTServiceBus/93238_async"), (.azureServiceBus, "93238_async"),
      (.rabbitMQ3, "/amq/queue/93238_async"), (.rabbitMQ4AddressV1, "/amq/queue/93238_async"),
      (.rabbitMQ4AddressV2, "/queues/93238_async"), (.activeMQ, "93238_async"),
    ])
  func receiving(_ dialect: Dialect, _ expected: String) {
    #expect(LinkAddress.receiving(from: "93238_async", path: "NHNTESTServiceBus", dialect: dialect).text == expected)
  }

  @Test("no address on RabbitMQ is a bare name or /queue/ one: those would make the queue", arguments: Dialect.allCases)
  func declaresNothing(_ dialect: Dialect) {
    guard [.rabbitMQ3, .rabbitMQ4AddressV1, .rabbitMQ4AddressV2].contains(dialect) else { return }
    for path in ["", "exchange"] {
      for address in [
        LinkAddress.sending(to: "q", path: path, dialect: dialect),
        LinkAddress.receiving(from: "q", path: path, dialect: dialect),
      ] {
        #expect(address.text.hasPrefix("/"))
        #expect(!address.text.hasPrefix("/queue/"))
      }
    }
  }

  @Test(
    "address v2 is percent-encoded, all but the unreserved characters",
    arguments: [
      ("a_b-c.d~9Z", "a_b-c.d~9Z"), ("a/b", "a%2Fb"), ("a b", "a%20b"), ("50%", "50%25"), ("æ", "%C3%A6"),
      ("a:b@c?d#e", "a%3Ab%40c%3Fd%23e"),
      ("\u{1F600}", "%F0%9F%98%80"), ("+&=;,!*'()$", "%2B%26%3D%3B%2C%21%2A%27%28%29%24"),
    ])
  func encoding(_ queue: String, _ encoded: String) {
    #expect(LinkAddress.receiving(from: queue, path: "", dialect: .rabbitMQ4AddressV2).text == "/queues/\(encoded)")
    #expect(LinkAddress.sending(to: "q", path: queue, dialect: .rabbitMQ4AddressV2).text == "/exchanges/\(encoded)/q")
    #expect(LinkAddress.sending(to: queue, path: "", dialect: .rabbitMQ4AddressV2).text == "/queues/\(encoded)")
  }

  @Test("every byte comes back when decoded, and no reserved byte stays", arguments: 1...127)
  func everyByte(_ byte: Int) throws {
    let character = String(UnicodeScalar(UInt8(byte)))
    let text = LinkAddress.receiving(from: character, path: "", dialect: .rabbitMQ4AddressV2).text.dropFirst("/queues/".count)
    if text.hasPrefix("%") {
      #expect(Int(text.dropFirst(), radix: 16) == byte)
      #expect(text.count == 3)
    } else {
      #expect(String(text) == character)
      #expect(character.allSatisfy { $0.isLetter || $0.isNumber || "-._~".contains($0) })
    }
  }

  @Test("address v1 is not encoded")
  func v1() {
    #expect(LinkAddress.sending(to: "a b", path: "x y", dialect: .rabbitMQ4AddressV1).text == "/exchange/x y/a b")
  }
}
