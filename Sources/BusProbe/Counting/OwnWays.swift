// SPDX-License-Identifier: Apache-2.0

import AMQP
import AsyncHTTPClient
import BusModel
import Disclosure
import TjenestebussClient

/// Which ways there are to look at a bus's queues, by its dialect.
public enum OwnWays {
  /// The ways to count over the AMQP connection itself, best first.
  ///
  /// - Parameter connection: gives an open connection; the one for all of them.
  static func counting(
    _ dialect: Dialect, timeout: Duration, connection: @Sendable @escaping () async throws -> AMQPConnection
  ) -> [any QueueCounting] {
    dialect.capabilities.countsBy.compactMap { way in
      switch way {
      case .managementAMQP: ManagementAMQPCounting(timeout: timeout, connection: connection)
      case .peek: PeekCounting(ServiceBusPeeking(timeout: timeout, connection: connection))
      case .statistics: StatisticsCounting(timeout: timeout, connection: connection)
      case .browse: PeekCounting(CopyPeeking(timeout: timeout, connection: connection))
      // By HTTP, with an address and a user of their own.
      case .managementHTTP, .entities: nil
      }
    }
  }

  /// The way to look at messages over the AMQP connection itself; nil where the bus shows nobody a message without handing it out.
  static func peeking(
    _ dialect: Dialect, timeout: Duration, connection: @Sendable @escaping () async throws -> AMQPConnection
  ) -> (any QueuePeeking)? {
    guard dialect.capabilities.browses else { return nil }
    return dialect.capabilities.countsBy.contains(.browse)
      ? CopyPeeking(timeout: timeout, connection: connection) : ServiceBusPeeking(timeout: timeout, connection: connection)
  }

  /// The way to count by the bus's management interface over HTTP, which also lists all queues; nil where the dialect has none.
  ///
  /// - Parameters:
  ///   - url: `https://host:15671` (RabbitMQ) or `https://host:9355` (Service Bus for Windows Server).
  ///   - namespace: of a Service Bus for Windows Server: what stands before its queues' names.
  /// - Throws: ``ProbeError`` `managementURLInvalid`.
  public static func overHTTP(
    _ dialect: Dialect, http: HTTPClient, url: String, user: String, password: Secret, virtualHost: String = "/",
    namespace: String = "", timeout: Duration = .seconds(10)
  ) throws(ProbeError) -> (any QueueCounting & BusCensus)? {
    if dialect.capabilities.countsBy.contains(.managementHTTP) {
      return try ManagementHTTPCounting(
        http: http, url: url, user: user, password: password, dialect: dialect, virtualHost: virtualHost, timeout: timeout)
    }
    if dialect.capabilities.countsBy.contains(.entities) {
      return try EntityCounting(http: http, url: url, namespace: namespace, user: user, password: password, timeout: timeout)
    }
    return nil
  }

  /// All of them as one, in the order that the dialect has them.
  static func ranked(_ ways: [any QueueCounting], _ dialect: Dialect) -> (any QueueCounting)? {
    let order = dialect.capabilities.countsBy
    let sorted = ways.sorted { (order.firstIndex(of: $0.way) ?? order.count) < (order.firstIndex(of: $1.way) ?? order.count) }
    return sorted.count == 1 ? sorted.first : RankedCounting(sorted)
  }
}
