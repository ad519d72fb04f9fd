// SPDX-License-Identifier: Apache-2.0

/// A bus's name in configuration: "servicebus", "tjenestebuss". Source and target are roles, never names.
public struct BusName: Sendable, Hashable, Comparable, Codable, CustomStringConvertible, ExpressibleByStringLiteral {
  public let text: String
  public init(_ text: String) { self.text = text }
  public init(stringLiteral value: String) { self.text = value }
  public init(from decoder: any Decoder) throws { self.text = try decoder.singleValueContainer().decode(String.self) }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.text)
  }
  public static func < (lhs: BusName, rhs: BusName) -> Bool { lhs.text < rhs.text }
  public var description: String { self.text }
}

/// A bus as the register's addresses name it: which hosts are its, which path, which dialect.
public struct Bus: Sendable, Hashable, Codable {
  public var name: BusName
  public var dialect: Dialect
  /// The host names that mean this bus in the address register (lower case); the first is written when a party moves here.
  public var hosts: [String]
  /// The path that addresses on this bus carry: namespace on Service Bus, exchange on RabbitMQ.
  public var path: String

  public init(name: BusName, dialect: Dialect, hosts: [String], path: String) {
    self.name = name
    self.dialect = dialect
    self.hosts = hosts.map { $0.lowercased() }
    self.path = path
  }

  /// Whether `address` lies on this bus. The host decides; the register's path has had several values for one bus.
  public func holds(_ address: QueueAddress) -> Bool { self.hosts.contains(address.host) }

  /// The address of `queue` on this bus, as it is to be written in the register; nil when no host is configured.
  public func address(ofQueue queue: String) -> QueueAddress? {
    self.hosts.first.map { QueueAddress(host: $0, path: self.path, queue: queue) }
  }
}
