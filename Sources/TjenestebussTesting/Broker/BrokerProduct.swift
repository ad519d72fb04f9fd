// SPDX-License-Identifier: Apache-2.0

import AMQP
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

  /// What its Open says of it. RabbitMQ's own clients look at product and version, and go away when they do not like them.
  var openProperties: AMQPMap {
    let (product, version): (String, String) =
      switch self {
      case .serviceBusWindowsServer, .azureServiceBus: ("Service Bus", "1.1")
      case .rabbitMQ310: ("RabbitMQ", "3.10.8")
      case .rabbitMQ40: ("RabbitMQ", "4.0.5")
      case .rabbitMQ43: ("RabbitMQ", "4.3.6")
      case .activeMQ: ("ActiveMQ", "6.1.7")
      }
    return ["product": .string(product), "version": .string(version), "played-by": "Tjenestebuss in-memory broker"]
  }

  /// Every version of RabbitMQ.
  public var isRabbitMQ: Bool { self == .rabbitMQ310 || self.isRabbitMQ4 }
  public var isRabbitMQ4: Bool { self == .rabbitMQ40 || self == .rabbitMQ43 }
  public var isServiceBus: Bool { self == .serviceBusWindowsServer || self == .azureServiceBus }
}
