// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// A named bus and how this process reaches it.
///
/// ``bus`` says which addresses of the register mean this bus and how it wants to be spoken to; ``connection`` says where to
/// connect and who we are there. Credentials are per bus and organisation.
public struct BusEndpoint: Sendable, Hashable, CustomStringConvertible {
  public var bus: Bus
  public var connection: BusConnectionString
  /// Further places where the same bus is reached: tried in turn where the first does not answer. Their paths are not used.
  public var alternatives: [BusConnectionString] = []
  /// PEM files of authorities to trust for this bus **instead of** the system's; empty for the system's.
  public var authorities: [String]
  /// RabbitMQ's virtual host; nil for the broker's default. Told in the Open frame as `vhost:NAME`.
  public var virtualHost: String?
  /// Whether the password may go unencrypted to another machine (`amqp://`). Default false: refused as AMQP-111.
  public var allowsPasswordInClear: Bool
  /// Whether the bus is asked for its dialect when it is connected to, and `bus.dialect` is but a word to fill the place until
  /// then. RabbitMQ and ActiveMQ tell it. Default false: what `bus.dialect` says is spoken.
  public var learnsDialect: Bool

  public init(
    bus: Bus, connection: BusConnectionString, authorities: [String] = [], virtualHost: String? = nil,
    allowsPasswordInClear: Bool = false, learnsDialect: Bool = false
  ) {
    self.learnsDialect = learnsDialect
    self.bus = bus
    self.connection = connection
    self.authorities = authorities
    self.virtualHost = virtualHost
    self.allowsPasswordInClear = allowsPasswordInClear
  }

  public var name: BusName { self.bus.name }
  /// The configured dialect; see ``learnsDialect``.
  public var dialect: Dialect { self.bus.dialect }

  /// The same bus, spoken to in another dialect.
  func speaking(_ dialect: Dialect) -> BusEndpoint {
    var endpoint = self
    endpoint.bus.dialect = dialect
    return endpoint
  }

  /// The address a sender attaches to for `queue`: by the connection string's exchange or namespace.
  ///
  /// The path that the register's address carries is not used: it has had several values for one bus (`DigitalDialog`,
  /// `NHNTESTServiceBus`), and what is routed on is the exchange that the operator of the bus has told the user.
  public func sendingAddress(ofQueue queue: String) -> LinkAddress {
    .sending(to: queue, path: self.connection.path, dialect: self.dialect)
  }

  /// The address a receiver attaches to for `queue`. Never one that would declare the queue.
  public func receivingAddress(ofQueue queue: String) -> LinkAddress {
    .receiving(from: queue, path: self.connection.path, dialect: self.dialect)
  }

  /// The connection's configuration for ``AMQP``.
  ///
  /// - Parameters:
  ///   - role: what the connection is for, such as `send`; becomes part of the container id.
  ///   - product: told to the bus; operators see it in the list of connections.
  public func amqpConfiguration(
    role: String, product: String = "tjenestebuss", operationTimeout: Duration = .seconds(30),
    observability: AMQPObservability = .none
  ) -> AMQPConnectionConfiguration {
    var configuration = AMQPConnectionConfiguration(
      host: self.connection.host, port: self.connection.port,
      encryption: self.connection.encrypted ? .tls(authorities: self.authorities) : .none,
      login: .plain(user: self.connection.user, password: self.connection.password),
      containerID: "\(product)-\(role)-\(UniqueID.random().prefix(8))", virtualHost: self.virtualHost.map { "vhost:\($0)" },
      properties: ["product": .string(product), "version": .string(TjenestebussVersion.current)],
      operationTimeout: operationTimeout, allowsPasswordInClear: self.allowsPasswordInClear)
    configuration.observability = observability
    return configuration
  }

  /// Name, dialect and redacted connection string.
  public var description: String {
    "\(self.name) (\(self.learnsDialect ? "dialect as the bus says" : self.dialect.rawValue)) \(self.connection)"
  }
}
