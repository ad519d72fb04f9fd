// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Foundation
import Testing
import TjenestebussTesting

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A bus with an empty queue for one cell of the matrix.
struct FaultBus: Sendable {
  let name: String
  let host: String
  let port: Int
  let login: AMQPLogin
  let sendingAddress: String
  let receivingAddress: String

  /// - Parameter port: the proxy's; nil for the straight way.
  func configuration(through port: Int? = nil) -> AMQPConnectionConfiguration {
    AMQPConnectionConfiguration(
      host: "127.0.0.1", port: port ?? self.port, encryption: .none, login: self.login,
      containerID: "fault-matrix-\(UUID().uuidString)", idleTimeout: .seconds(port == nil ? 60 : 2),
      connectTimeout: .seconds(20), operationTimeout: .seconds(20))
  }

  enum Kind: String, Sendable, CustomTestStringConvertible {
    case inMemory = "in-memory"
    case rabbitMQ3 = "RabbitMQ 3.10"
    case rabbitMQ4 = "RabbitMQ 4.0"
    case rabbitMQ43 = "RabbitMQ 4.3"
    case activeMQ = "ActiveMQ 6.1"

    var testDescription: String { self.rawValue }

    /// Those that `scripts/with-brokers` says it has started; without a word from it, what `make test` has.
    static let real: [Kind] = {
      let named = ProcessInfo.processInfo.environment["TJENESTEBUSS_BROKERS"] ?? "RABBITMQ3,RABBITMQ4"
      let kinds: [String: Kind] = [
        "RABBITMQ3": .rabbitMQ3, "RABBITMQ4": .rabbitMQ4, "RABBITMQ43": .rabbitMQ43, "ACTIVEMQ": .activeMQ,
      ]
      return named.split(separator: ",").compactMap { kinds[String($0)] }
    }()
  }

  static func with<Result: Sendable>(_ kind: Kind, _ body: (FaultBus) async throws -> Result) async throws -> Result {
    switch kind {
    case .inMemory:
      return try await InMemoryBroker.withBroker(
        .init(dialect: .rabbitMQ4AddressV2, queues: [BrokerQueue("q", deliveryLimit: .none)])
      ) { broker in
        try await body(
          FaultBus(
            name: kind.rawValue, host: "127.0.0.1", port: try #require(broker.port),
            login: .plain(user: "guest", password: Secret("guest")), sendingAddress: broker.sendingAddress("q"),
            receivingAddress: broker.receivingAddress("q")))
      }
    case .rabbitMQ3: return try await FaultBus.real(kind, "TJENESTEBUSS_RABBITMQ3", .rabbitMQ3, body)
    case .rabbitMQ4: return try await FaultBus.real(kind, "TJENESTEBUSS_RABBITMQ4", .rabbitMQ4AddressV2, body)
    case .rabbitMQ43: return try await FaultBus.real(kind, "TJENESTEBUSS_RABBITMQ43", .rabbitMQ4AddressV2, body)
    case .activeMQ:
      // The first attach makes the queue.
      let url = try FaultBus.url("TJENESTEBUSS_ACTIVEMQ_URL")
      let queue = "fault_\(UUID().uuidString.prefix(8).lowercased())"
      return try await body(
        FaultBus(
          name: kind.rawValue, host: url.host ?? "", port: url.port ?? 0, login: .plain(user: "app", password: Secret("app")),
          sendingAddress: queue, receivingAddress: queue))
    }
  }

  private static func real<Result: Sendable>(
    _ kind: Kind, _ prefix: String, _ dialect: Dialect, _ body: (FaultBus) async throws -> Result
  ) async throws -> Result {
    let url = try FaultBus.url("\(prefix)_URL")
    let queue = "fault_\(UUID().uuidString.prefix(8).lowercased())"
    let path = "\(try FaultBus.url("\(prefix)_MANAGEMENT_URL").absoluteString)/api/queues/%2F/\(queue)"
    try await FaultBus.management("PUT", path, ["durable": true, "arguments": ["x-queue-type": "classic"]])
    let bus = FaultBus(
      name: kind.rawValue, host: url.host ?? "", port: url.port ?? 0, login: .plain(user: "app", password: Secret("app")),
      sendingAddress: dialect == .rabbitMQ3 ? "/amq/queue/\(queue)" : "/queues/\(queue)",
      receivingAddress: LinkAddress.receiving(from: queue, path: "", dialect: dialect).text)
    do {
      let result = try await body(bus)
      try await FaultBus.management("DELETE", path, nil)
      return result
    } catch {
      try? await FaultBus.management("DELETE", path, nil)
      throw error
    }
  }

  private struct Missing: Error, CustomStringConvertible {
    let variable: String
    var description: String { "\(variable) is not set: run the tests with `make test`, which starts the brokers" }
  }

  private static func url(_ variable: String) throws -> URL {
    guard let text = ProcessInfo.processInfo.environment[variable], let url = URL(string: text), url.host != nil else {
      throw Missing(variable: variable)
    }
    return url
  }

  private static func management(_ method: String, _ url: String, _ body: [String: Any]?) async throws {
    guard let url = URL(string: url) else { throw Missing(variable: "MANAGEMENT_URL") }
    var request = URLRequest(url: url)
    request.httpMethod = method
    request.setValue("Basic " + Data("guest:guest".utf8).base64EncodedString(), forHTTPHeaderField: "Authorization")
    if let body {
      request.httpBody = try JSONSerialization.data(withJSONObject: body)
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    }
    let (_, response) = try await URLSession.shared.data(for: request)
    struct Refused: Error { let status: Int }
    let status = (response as? HTTPURLResponse)?.statusCode ?? 0
    guard (200..<300).contains(status) else { throw Refused(status: status) }
  }
}
