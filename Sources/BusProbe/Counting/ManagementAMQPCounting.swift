// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import TjenestebussClient

/// RabbitMQ 4's own way: AMQP 1.0 requests to `/management`. Exact, and of now; counts the messages that wait, not those that
/// are handed out and unsettled.
public struct ManagementAMQPCounting: QueueCounting {
  public let way = DialectCapabilities.Counting.managementAMQP
  public let lag = Duration.zero
  private let connection: @Sendable () async throws -> AMQPConnection
  private let timeout: Duration

  /// - Parameters:
  ///   - timeout: for each queue's answer.
  ///   - connection: gives an open connection to the bus.
  public init(timeout: Duration = .seconds(10), connection: @Sendable @escaping () async throws -> AMQPConnection) {
    self.timeout = timeout
    self.connection = connection
  }

  public func read(_ queues: [String]) async -> [DepthReading] {
    let clock = SystemRegistryClock()
    do {
      return try await self.connection().withRequestReply(to: "/management", within: self.timeout) { management in
        var readings: [DepthReading] = []
        for queue in queues {
          let now = clock.now
          let value = await self.ask(management, queue)
          readings.append(DepthReading(queue: queue, way: self.way, readAt: now, value: value))
        }
        return readings
      }
    } catch {
      return queues.map {
        DepthReading(queue: $0, way: self.way, readAt: clock.now, value: .unreadable(.countingLinkFailed(.init(error))))
      }
    }
  }

  private func ask(_ management: AMQPRequestReply, _ queue: String) async -> DepthReading.Value {
    do throws(AMQPError) {
      return Self.value(of: try await management.request(Self.request(queue), within: self.timeout))
    } catch {
      return .unreadable(.countingLinkFailed(.init(error)))
    }
  }

  /// A GET must carry an amqp-value of null: without a body section RabbitMQ ends the session.
  static func request(_ queue: String) -> AMQPMessage {
    AMQPMessage(
      properties: AMQPProperties(to: "/queues/\(LinkAddress.percentEncoded(queue))", subject: "GET"), body: .value(.null))
  }

  static func value(of answer: AMQPMessage) -> DepthReading.Value {
    let status = answer.properties.subject ?? ""
    if status == "404" { return .missing }
    guard status == "200" else {
      return .unreadable(.countingUnreadable(way: .managementAMQP, seen: "status \(status.prefix(20))"))
    }
    guard case .value(.map(let map)) = answer.body, let messages = map["message_count"]?.integer, messages >= 0,
      let count = Int(exactly: messages)
    else { return .unreadable(.countingUnreadable(way: .managementAMQP, seen: "no message_count in the answer")) }
    let consumers = map["consumer_count"]?.integer.flatMap { Int(exactly: $0) }
    return .counted(
      QueueCount(
        messages: count, includesUnsettled: false, consumers: consumers, figures: QueueFigures(active: Int64(count))))
  }
}
