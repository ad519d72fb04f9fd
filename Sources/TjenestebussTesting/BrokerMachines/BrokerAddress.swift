// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a link's address means to a broker of a dialect. Pure.
package enum BrokerAddress: Sendable, Hashable {
  /// A queue; `declares` when the address form makes the queue where it is missing.
  case queue(String, declares: Bool = false)
  case deadLetterSubqueue(of: String)
  case exchange(String, key: String)
  case management
  /// Senders only: each message says where it goes in its `to`.
  case anonymous
  /// No address of this dialect: why, in the broker's words.
  case invalid(String)

  /// - Parameter path: the namespace that Service Bus addresses carry; empty for none.
  package init(_ text: String, dialect: Dialect, path: String) {
    switch dialect {
    case .serviceBusWindowsServer, .azureServiceBus:
      self = BrokerAddress.serviceBus(text, path: dialect == .azureServiceBus ? "" : path)
    case .activeMQ:
      let name = text.hasPrefix("queue://") ? String(text.dropFirst(8)) : text
      self = name.isEmpty ? .invalid("no name") : .queue(name, declares: true)
    case .rabbitMQ3: self = BrokerAddress.version1(text)
    case .rabbitMQ4AddressV1: self = text == "/management" ? .management : BrokerAddress.either(text)
    case .rabbitMQ4AddressV2: self = text == "/management" ? .management : BrokerAddress.version2(text)
    }
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
