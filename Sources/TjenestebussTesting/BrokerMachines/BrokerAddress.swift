// SPDX-License-Identifier: Apache-2.0

/// What a link's address means to a broker. Pure.
package enum BrokerAddress: Sendable, Hashable {
  /// A queue; `declares` when the address form makes the queue where it is missing.
  case queue(String, declares: Bool = false)
  case deadLetterSubqueue(of: String)
  case exchange(String, key: String)
  /// RabbitMQ 4's own `/management`.
  case management
  /// Service Bus: the requests and answers of one entity.
  case entityManagement(String)
  /// Azure: where tokens are shown.
  case claims
  /// Senders only: each message says where it goes in its `to`.
  case anonymous
  /// No address of this broker: why, in its words.
  case invalid(String)

  /// - Parameter path: the namespace that Service Bus addresses carry; empty for none.
  package init(_ text: String, product: BrokerProduct, path: String) {
    switch product {
    case .serviceBusWindowsServer: self = BrokerAddress.serviceBus(text, path: path)
    case .azureServiceBus: self = BrokerAddress.azure(text)
    case .activeMQ:
      let name = text.hasPrefix("queue://") ? String(text.dropFirst(8)) : text
      self = name.isEmpty ? .invalid("no name") : .queue(name, declares: true)
    case .rabbitMQ310: self = BrokerAddress.version1(text)
    case .rabbitMQ40: self = text == "/management" ? .management : BrokerAddress.either(text)
    case .rabbitMQ43: self = text == "/management" ? .management : BrokerAddress.version2(text)
    }
  }

  /// A full address begins with the scheme and host; case does not count in what Azure adds to a name.
  private static func azure(_ text: String) -> BrokerAddress {
    var name = text[...]
    for scheme in ["amqps://", "amqp://", "sb://"] where name.hasPrefix(scheme) {
      name = name.dropFirst(scheme.count).drop { $0 != "/" }.dropFirst()
    }
    if name.lowercased() == "$cbs" { return .claims }
    for suffix in ["/$management"] where name.lowercased().hasSuffix(suffix) {
      return .entityManagement(self.entity(name.dropLast(suffix.count)))
    }
    return self.serviceBus(String(name), path: "")
  }

  /// The queue's own name, or that of its dead-letter queue in the one spelling.
  private static func entity(_ name: Substring) -> String {
    let suffix = "/$DeadLetterQueue"
    return name.lowercased().hasSuffix(suffix.lowercased()) ? name.dropLast(suffix.count) + suffix : String(name)
  }

  private static func serviceBus(_ text: String, path: String) -> BrokerAddress {
    var name = Substring(text)
    if !path.isEmpty {
      guard name.hasPrefix(path + "/") else { return .queue(text) }
      name = name.dropFirst(path.count + 1)
    }
    let suffix = "/$DeadLetterQueue"
    if name.lowercased().hasSuffix(suffix.lowercased()) { return .deadLetterSubqueue(of: String(name.dropLast(suffix.count))) }
    return .queue(String(name))
  }

  private static func either(_ text: String) -> BrokerAddress {
    text.hasPrefix("/queues/") || text.hasPrefix("/exchanges/") ? self.version2(text) : self.version1(text)
  }

  private static func version1(_ text: String) -> BrokerAddress {
    guard text.hasPrefix("/") else { return text.isEmpty ? .invalid("no name") : .queue(text, declares: true) }
    let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    switch (parts.first, parts.count) {
    case ("amq", 3) where parts[1] == "queue": return .queue(parts[2])
    case ("queue", 2): return .queue(parts[1], declares: true)
    case ("exchange", 2): return .exchange(parts[1], key: "")
    case ("exchange", 3): return .exchange(parts[1], key: parts[2])
    case ("topic", 2): return .exchange("amq.topic", key: parts[1])
    default: return .invalid("{unknown_address,\"\(text)\"}")
    }
  }

  private static func version2(_ text: String) -> BrokerAddress {
    let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard text.hasPrefix("/"), ["queues", "exchanges"].contains(parts.first) else {
      return .invalid("amqp_address_v1_not_permitted")
    }
    let names = parts.dropFirst().compactMap(PercentEncoding.decoded)
    guard names.count == parts.count - 1 else { return .invalid("bad percent-encoding") }
    switch (parts.first, names.count) {
    case ("queues", 1): return .queue(names[0])
    case ("exchanges", 1): return .exchange(names[0], key: "")
    case ("exchanges", 2): return .exchange(names[0], key: names[1])
    default: return .invalid("{bad_address,\"\(text)\"}")
    }
  }
}

/// Percent-encoding as RFC 3986 has it.
enum PercentEncoding {
  /// The first percent sign that has no two hexadecimal digits after it, with what stands there; nil when there is none.
  static func firstBad(in text: String) -> String? {
    var rest = text[...]
    while let sign = rest.firstIndex(of: "%") {
      let three = rest[sign...].prefix(3)
      let digits = three.dropFirst()
      guard digits.count == 2, digits.allSatisfy(\.isHexDigit) else { return String(three) }
      rest = rest[sign...].dropFirst(3)
    }
    return nil
  }

  /// Nil for a percent sign without two hexadecimal digits after it, or no UTF-8.
  static func decoded(_ text: String) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, let text = String(digits), !text.hasPrefix("+"), let value = UInt8(text, radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
