// SPDX-License-Identifier: Apache-2.0

/// The forms in which a bus writes link addresses.
public enum AddressForm: String, Sendable, Hashable, CaseIterable {
  /// RabbitMQ, address v1: `/amq/queue/q`, `/exchange/x/key`, taken as they are. Refused by default from RabbitMQ 4.3 on.
  case v1
  /// RabbitMQ 4, address v2: `/queues/q`, `/exchanges/x/key`, percent-encoded.
  case v2
  /// Service Bus and ActiveMQ: the name itself, on Service Bus for Windows Server after its namespace.
  case bare
}

extension Dialect {
  /// How addresses are written in this dialect.
  public var addressForm: AddressForm {
    switch self {
    case .rabbitMQ3, .rabbitMQ4AddressV1: .v1
    case .rabbitMQ4AddressV2: .v2
    case .serviceBusWindowsServer, .azureServiceBus, .activeMQ: .bare
    }
  }
}

/// What a link address means, apart from how it is written.
public enum LinkTarget: Sendable, Hashable {
  case queue(String)
  /// An exchange of RabbitMQ and a routing key; without a key for exchanges that do not route by it.
  case exchange(String, routingKey: String?)
}

extension LinkAddress {
  /// Writes `target` in a form.
  ///
  /// - Returns: nil when the form cannot say it: an exchange outside RabbitMQ, an empty name, in address v1 an exchange with a
  ///   slash (its name would end there).
  public init?(_ target: LinkTarget, form: AddressForm) {
    switch (target, form) {
    case (.queue(""), _), (.exchange("", _), _), (.exchange(_, _), .bare): return nil
    case (.queue(let queue), .bare): self.init(text: queue)
    case (.queue(let queue), .v1): self.init(text: "/amq/queue/\(queue)")
    case (.queue(let queue), .v2): self.init(text: "/queues/\(LinkAddress.percentEncoded(queue))")
    case (.exchange(let exchange, let key), .v1):
      if exchange.contains("/") { return nil }
      self.init(text: "/exchange/\(exchange)" + (key.map { "/\($0)" } ?? ""))
    case (.exchange(let exchange, let key), .v2):
      let encodedKey = key.map { "/\(LinkAddress.percentEncoded($0))" } ?? ""
      self.init(text: "/exchanges/\(LinkAddress.percentEncoded(exchange))\(encodedKey)")
    }
  }

  /// What the address means when it is read in a form.
  ///
  /// - Returns: nil when it is none of that form, or its percent-encoding is broken: RabbitMQ ends the session over that.
  public func target(form: AddressForm) -> LinkTarget? {
    switch form {
    case .bare: return self.text.isEmpty ? nil : .queue(self.text)
    case .v1:
      if let queue = self.rest(after: "/amq/queue/") { return queue.isEmpty ? nil : .queue(String(queue)) }
      guard let rest = self.rest(after: "/exchange/") else { return nil }
      let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      guard let exchange = parts.first, !exchange.isEmpty else { return nil }
      return .exchange(String(exchange), routingKey: parts.count > 1 ? String(parts[1]) : nil)
    case .v2:
      if let queue = self.rest(after: "/queues/") {
        return LinkAddress.percentDecoded(queue).flatMap { $0.isEmpty ? nil : .queue($0) }
      }
      guard let rest = self.rest(after: "/exchanges/") else { return nil }
      let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
      guard (1...2).contains(parts.count), let exchange = LinkAddress.percentDecoded(parts[0]), !exchange.isEmpty else {
        return nil
      }
      guard parts.count == 2 else { return .exchange(exchange, routingKey: nil) }
      return LinkAddress.percentDecoded(parts[1]).map { .exchange(exchange, routingKey: $0) }
    }
  }

  private func rest(after prefix: String) -> Substring? {
    self.text.hasPrefix(prefix) ? self.text.dropFirst(prefix.count) : nil
  }

  /// Undoes percent-encoding. Nil when a `%` is not followed by two hexadecimal digits, the bytes are no UTF-8, or there is a
  /// slash, which address v2 wants encoded.
  package static func percentDecoded(_ text: some StringProtocol) -> String? {
    func digit(_ byte: UInt8) -> UInt8? {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
      default: nil
      }
    }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "/") { return nil }
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
