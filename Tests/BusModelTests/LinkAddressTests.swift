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

@Suite("What a link address means")
struct LinkTargetTests {
  /// Names with everything that means something in an address, and much that does not.
  private static func name(_ generator: inout SystemRandomNumberGenerator) -> String {
    let pieces = ["/", "%", "%2F", "a", "Ø", "\u{1F600}", " ", "+", "?", "#", "..", "\u{0}", "\n", "e\u{301}", "queues", "9"]
    return (0..<Int.random(in: 1..<6, using: &generator)).compactMap { _ in pieces.randomElement(using: &generator) }.joined()
  }

  @Test("what is written is read back, in every form that can say it")
  func roundTrip() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2_000 {
      let name = Self.name(&generator)
      let key = Self.name(&generator)
      for target in [LinkTarget.queue(name), .exchange(name, routingKey: key), .exchange(name, routingKey: nil)] {
        for form in AddressForm.allCases {
          guard let address = LinkAddress(target, form: form) else {
            #expect(form != .v2, "v2 can say everything")
            continue
          }
          #expect(address.target(form: form) == target, "\(address.text)")
          if form == .v2 { #expect(address.text.allSatisfy { $0.isASCII && !"?# +".contains($0) }) }
        }
      }
    }
  }

  @Test("the dialects' own addresses are of their form", arguments: Dialect.allCases)
  func dialects(_ dialect: Dialect) {
    let receiving = LinkAddress.receiving(from: "93238_async", path: "", dialect: dialect)
    #expect(receiving.target(form: dialect.addressForm) == .queue("93238_async"))
    let sending = LinkAddress.sending(to: "93238_async", path: "x", dialect: dialect)
    switch dialect.addressForm {
    case .bare: #expect(sending.text.hasSuffix("93238_async"))
    case .v1, .v2:
      #expect(sending.target(form: dialect.addressForm) == .exchange("x", routingKey: "93238_async"))
    }
  }

  @Test(
    "what RabbitMQ 4 would end the session for is no address",
    arguments: [
      "", "/queues/", "/queues/a/b", "/queues/%", "/queues/%2", "/queues/%zz", "/queues/%ff", "/exchanges/", "/exchanges//k",
      "/exchanges/x/k/l", "/amq/queue/q", "q", "/exchanges/x/%G0", "/queues/%+1",
    ])
  func broken(_ text: String) {
    #expect(LinkAddress(text: text).target(form: .v2) == nil)
  }

  @Test("what a form cannot say, it does not")
  func unsayable() {
    #expect(LinkAddress(.exchange("x", routingKey: "k"), form: .bare) == nil)
    #expect(LinkAddress(.exchange("a/b", routingKey: "k"), form: .v1) == nil)
    #expect(LinkAddress(.exchange("a/b", routingKey: "k"), form: .v2)?.text == "/exchanges/a%2Fb/k")
    for form in AddressForm.allCases { #expect(LinkAddress(.queue(""), form: form) == nil) }
  }
}

@Suite("Finding a bus's dialect")
struct DialectProbingTests {
  @Test(
    "what says its name and version is believed",
    arguments: [
      ("RabbitMQ", "3.10.8", Dialect.rabbitMQ3), ("RabbitMQ", "4.0.5", .rabbitMQ4AddressV2),
      ("RabbitMQ", "4.3.6", .rabbitMQ4AddressV2),
      ("RabbitMQ", "10.0.0", .rabbitMQ4AddressV2), ("ActiveMQ", "6.1.7", .activeMQ),
    ])
  func named(_ product: String, _ version: String, _ dialect: Dialect) {
    #expect(DialectProbing(product: product, version: version).verdict == .found(dialect))
  }

  @Test("otherwise v2 before v1, and never a bare name, which might declare the queue")
  func order() {
    for product in [nil, "RabbitMQ", "something"] {
      var probing = DialectProbing(product: product, version: nil)
      #expect(probing.verdict == .tryNext(.rabbitMQ4AddressV2))
      probing.answered(.formRefused)
      #expect(probing.verdict == .tryNext(.rabbitMQ3))
      probing.answered(.formRefused)
      #expect(probing.verdict == .notFound)
      probing.answered(.attached)
      #expect(probing.verdict == .notFound)
    }
  }

  @Test("attached proves the form; not-found proves it of RabbitMQ only")
  func proof() {
    var stranger = DialectProbing(product: nil, version: nil)
    stranger.answered(.understood)
    #expect(stranger.verdict == .tryNext(.rabbitMQ3))
    stranger.answered(.attached)
    #expect(stranger.verdict == .found(.rabbitMQ3))
    var rabbit = DialectProbing(product: "RabbitMQ", version: nil)
    rabbit.answered(.understood)
    #expect(rabbit.verdict == .found(.rabbitMQ4AddressV2))
  }
}
