// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Which broker the embedded one plays. A dialect says how clients write addresses; this says who answers.
public enum BrokerProduct: String, Sendable, Hashable, CaseIterable {
  case serviceBusWindowsServer = "servicebus-windows-server-1.1"
  case azureServiceBus = "azure-servicebus"
  /// With the AMQP 1.0 plugin.
  case rabbitMQ310 = "rabbitmq-3.10"
  case rabbitMQ40 = "rabbitmq-4.0"
  case rabbitMQ43 = "rabbitmq-4.3"
  case activeMQ = "activemq-6.1"

  /// The one that is played for a dialect when none is named.
  public init(for dialect: Dialect) {
    switch dialect {
    case .serviceBusWindowsServer: self = .serviceBusWindowsServer
    case .azureServiceBus: self = .azureServiceBus
    case .rabbitMQ3: self = .rabbitMQ310
    case .rabbitMQ4AddressV1, .rabbitMQ4AddressV2: self = .rabbitMQ40
    case .activeMQ: self = .activeMQ
    }
  }

  /// Every version of RabbitMQ.
  public var isRabbitMQ: Bool { self == .rabbitMQ310 || self.isRabbitMQ4 }
  public var isRabbitMQ4: Bool { self == .rabbitMQ40 || self == .rabbitMQ43 }
  public var isServiceBus: Bool { self == .serviceBusWindowsServer || self == .azureServiceBus }
}
