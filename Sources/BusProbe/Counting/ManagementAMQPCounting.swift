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

  /// Requests under way at once. RabbitMQ ends the session over a request for whose answer it has no credit: fewer than half of what the link
  /// of the answers has.
  private static let window = 4
  /// How often the links are opened anew within one reading, and how many answers may be missing, before the rest is given up.
  private static let mostLosses = 20
  private static let mostSilences = 2

  /// One queue that may not be seen costs the session on RabbitMQ 4.3: the others are asked about on a new one, one at a time, so that
  /// it is known whose the loss was.
  public func read(_ queues: [String]) async -> [DepthReading] {
    let clock = SystemRegistryClock()
    var readings = queues.map {
      DepthReading(
        queue: $0, way: self.way, readAt: clock.now,
        value: .unreadable(.countingUnreadable(way: self.way, seen: "not asked: too many of the others were not answered")))
    }
    var pending = Array(readings.indices)[...]
    var (window, losses, silences) = (Self.window, 0, 0)
    while !pending.isEmpty, losses <= Self.mostLosses, silences < Self.mostSilences {
      let round: Round
      do {
        round = try await self.ask(queues, pending, window)
      } catch {
        for place in pending { readings[place].value = .unreadable(.countingLinkFailed(.init(error))) }
        return readings
      }
      for (place, value) in round.answers { readings[place].value = value }
      pending = pending.dropFirst(round.answers.count)
      guard let error = round.lost else { continue }
      losses += 1
      if window == 1, let first = pending.popFirst() {
        readings[first].value = .unreadable(.countingLinkFailed(.init(error)))
        if error.code == .answerMissing, error.origin == .local { silences += 1 }
      }
      window = 1
    }
    return readings
  }

  private struct Round: Sendable {
    /// The first of those that were pending, in order.
    var answers: [(Int, DepthReading.Value)] = []
    /// Why it ended before the last.
    var lost: AMQPError?
  }

  /// Asks about the pending ones over one pair of links, until all are answered or one is not.
  private func ask(_ queues: [String], _ pending: ArraySlice<Int>, _ window: Int) async throws -> Round {
    try await self.connection().withRequestReply(to: "/management", within: self.timeout) { management in
      var round = Round()
      var rest = pending
      while !rest.isEmpty {
        let part = rest.prefix(window)
        rest = rest.dropFirst(window)
        let answers = await withTaskGroup(of: (Int, Result<DepthReading.Value, AMQPError>).self) { group in
          for place in part { group.addTask { (place, await self.ask(management, queues[place])) } }
          var answers: [(Int, Result<DepthReading.Value, AMQPError>)] = []
          for await answer in group { answers.append(answer) }
          return answers.sorted { $0.0 < $1.0 }
        }
        for (place, answer) in answers {
          switch answer {
          case .success(let value): round.answers.append((place, value))
          case .failure(let error):
            round.lost = error
            return round
          }
        }
      }
      return round
    }
  }

  private func ask(_ management: AMQPRequestReply, _ queue: String) async -> Result<DepthReading.Value, AMQPError> {
    do throws(AMQPError) {
      return .success(Self.value(of: try await management.request(Self.request(queue), within: self.timeout)))
    } catch {
      return .failure(error)
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
        messages: count, includesUnsettled: false, consumers: consumers, figures: QueueFigures(active: Int64(count)),
        settings: Self.settings(map["arguments"])))
  }

  private static func settings(_ arguments: AMQPValue?) -> QueueSettings? {
    guard case .map(let arguments)? = arguments else { return nil }
    return QueueSettings(arguments: { name in
      guard let value = arguments[name] else { return nil }
      return value.integer.map { .number($0) } ?? value.text.map { .text($0) }
    })
  }
}
