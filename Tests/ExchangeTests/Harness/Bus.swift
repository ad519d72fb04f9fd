// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing
import TjenestebussTesting

/// A broker whose exchanges are recorded.
enum Bus: String, Sendable, Hashable, CaseIterable, CustomTestStringConvertible {
  case rabbitMQ310 = "rabbitmq-3.10"
  case rabbitMQ40 = "rabbitmq-4.0"
  case rabbitMQ43 = "rabbitmq-4.3"
  case activeMQ = "activemq-6.1"

  var testDescription: String { self.rawValue }

  var isRabbitMQ: Bool { self != .activeMQ }
  var isRabbitMQ4: Bool { self == .rabbitMQ40 || self == .rabbitMQ43 }

  var dialect: Dialect {
    switch self {
    case .rabbitMQ310: .rabbitMQ3
    case .rabbitMQ40, .rabbitMQ43: .rabbitMQ4AddressV2
    case .activeMQ: .activeMQ
    }
  }

  /// What the embedded broker plays for it.
  var product: BrokerProduct {
    switch self {
    case .rabbitMQ310: .rabbitMQ310
    case .rabbitMQ40: .rabbitMQ40
    case .rabbitMQ43: .rabbitMQ43
    case .activeMQ: .activeMQ
    }
  }

  /// The address that means a queue that must be there, both ways.
  func address(_ queue: String) -> String {
    switch self {
    case .rabbitMQ310: "/amq/queue/\(queue)"
    case .rabbitMQ40, .rabbitMQ43: "/queues/\(queue)"
    case .activeMQ: queue
    }
  }

  func exchange(_ exchange: String, key: String) -> String {
    self == .rabbitMQ310 ? "/exchange/\(exchange)/\(key)" : "/exchanges/\(exchange)/\(key)"
  }

  private var prefix: String {
    switch self {
    case .rabbitMQ310: "TJENESTEBUSS_RABBITMQ3"
    case .rabbitMQ40: "TJENESTEBUSS_RABBITMQ4"
    case .rabbitMQ43: "TJENESTEBUSS_RABBITMQ43"
    case .activeMQ: "TJENESTEBUSS_ACTIVEMQ"
    }
  }

  func variable(_ suffix: String) -> String? {
    guard let value = ProcessInfo.processInfo.environment["\(self.prefix)_\(suffix)"], !value.isEmpty else { return nil }
    return value
  }

  /// Whether `make test` always starts it; the others are looked at where the environment names them (`make prove`).
  var isAlwaysThere: Bool { self == .rabbitMQ310 || self == .rabbitMQ40 }

  static let here = allCases.filter { $0.isAlwaysThere || $0.variable("URL") != nil }
}
