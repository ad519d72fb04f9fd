// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import NIOConcurrencyHelpers
import NIOCore
import TjenestebussClient

/// ActiveMQ's own way: a message to `ActiveMQ.Statistics.Destination.NAME`, which the statistics plugin answers with a map to the
/// address in reply-to. Exact, and of now. `NAME` may be `>` for every queue: the census.
///
/// The answers come to a queue that the bus makes for this look and removes with it. Requests leave by a link without an address: one
/// with an address would make a queue of that name. A request also asks for a last, empty answer: a queue that has none but that is
/// not there. Where the plugin is missing nothing is answered at all, and that is unreadable.
///
/// Source: Apache ActiveMQ, `org.apache.activemq.plugin.StatisticsBroker`; measured on 6.1.7.
public struct StatisticsCounting: QueueCounting, BusCensus {
  public let way = DialectCapabilities.Counting.statistics
  public let lag = Duration.zero
  private let connection: @Sendable () async throws -> AMQPConnection
  private let timeout: Duration
  /// Requests under way at once.
  private static let window = 50

  static let prefix = "ActiveMQ.Statistics.Destination"
  /// Asks for the empty answer at the end, as part of the address.
  static let ending = "ActiveMQ.Statistics.Destination.List.End.With.Null"

  /// - Parameters:
  ///   - timeout: for each queue's answer, and for the whole census.
  ///   - connection: gives an open connection to the bus.
  public init(timeout: Duration = .seconds(10), connection: @Sendable @escaping () async throws -> AMQPConnection) {
    self.timeout = timeout
    self.connection = connection
  }

  // MARK: Counting

  public func read(_ queues: [String]) async -> [DepthReading] {
    let clock = SystemRegistryClock()
    do {
      return try await self.withDesk { desk in
        var readings: [DepthReading] = []
        for start in stride(from: 0, to: queues.count, by: Self.window) {
          let part = Array(queues[start..<min(start + Self.window, queues.count)])
          readings += await withTaskGroup(of: (Int, DepthReading).self) { group in
            for (place, queue) in part.enumerated() {
              group.addTask {
                let now = clock.now
                let value = await Self.value(desk, queue)
                return (place, DepthReading(queue: queue, way: .statistics, readAt: now, value: value))
              }
            }
            var found: [(Int, DepthReading)] = []
            for await one in group { found.append(one) }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
          }
        }
        return readings
      }
    } catch {
      return queues.map {
        DepthReading(queue: $0, way: self.way, readAt: clock.now, value: .unreadable(.countingLinkFailed(.init(error))))
      }
    }
  }

  private static func value(_ desk: StatisticsDesk, _ queue: String) async -> DepthReading.Value {
    do throws(ProbeError) {
      let maps = try await desk.ask(about: queue)
      guard let map = maps.first else { return .missing }
      guard maps.count == 1 else {
        return .unreadable(.countingUnreadable(way: .statistics, seen: "\(maps.count) answers about one queue"))
      }
      return Self.value(of: map)
    } catch {
      return .unreadable(error)
    }
  }

  static func value(of map: AMQPMap) -> DepthReading.Value {
    guard let size = map["size"]?.integer, let messages = Int(exactly: size), messages >= 0 else {
      return .unreadable(.countingUnreadable(way: .statistics, seen: "no size in the answer"))
    }
    let inflight = map["inflightCount"]?.integer.map { max(0, $0) }
    return .counted(
      QueueCount(
        messages: messages, includesUnsettled: true, consumers: map["consumerCount"]?.integer.flatMap { Int(exactly: $0) },
        arrivals: map["enqueueCount"]?.integer.flatMap { Int(exactly: $0) },
        figures: QueueFigures(active: inflight.map { max(0, size - $0) }, locked: inflight)))
  }

  // MARK: Census

  public func census() async -> CensusReading {
    let now = SystemRegistryClock().now
    var reading = CensusReading(way: self.way, readAt: now, value: .listed([]), tellsConsumers: true)
    do {
      let maps = try await self.withDesk { try await $0.ask(about: ">") }
      reading.value = Self.listed(maps, readAt: now)
    } catch let error as ProbeError {
      reading.value = .unreadable(error)
    } catch {
      reading.value = .unreadable(.countingLinkFailed(.init(error)))
    }
    return reading
  }

  static func listed(_ maps: [AMQPMap], readAt now: RegistryInstant) -> CensusReading.Value {
    var queues: [DepthReading] = []
    for map in maps {
      // `queue://NAME`; temporary ones, ours among them, are nobody's.
      guard let name = map["destinationName"]?.text, name.hasPrefix("queue://") else { continue }
      queues.append(
        DepthReading(queue: String(name.dropFirst(8)), way: .statistics, readAt: now, value: Self.value(of: map)))
    }
    return .listed(queues.sorted { $0.queue < $1.queue })
  }

  private func withDesk<Result: Sendable>(_ body: @Sendable (StatisticsDesk) async throws -> Result) async throws -> Result {
    let connection = try await self.connection()
    let receiver = try await connection.openAnswerReceiver(credit: 500, within: self.timeout)
    let sender: AMQPSender
    do {
      sender = try await connection.openAnonymousSender(within: self.timeout)
    } catch {
      await receiver.close()
      throw error
    }
    let desk = StatisticsDesk(connection, sender: sender, answers: receiver, timeout: self.timeout)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await desk.readAnswers() }
      let outcome: Swift.Result<Result, any Error>
      do { outcome = .success(try await body(desk)) } catch { outcome = .failure(error) }
      group.cancelAll()
      await sender.close()
      await receiver.close()
      return try outcome.get()
    }
  }
}

/// Tells the answers of the statistics plugin apart: each has its request's correlation id, and an empty one ends them.
private final class StatisticsDesk: Sendable {
  private struct Open {
    var maps: [AMQPMap] = []
    let done: OneShot<Result<Void, ProbeError>>
  }

  private struct State {
    var open: [String: Open] = [:]
    var last = 0
    var lost: ProbeError?
  }

  private let connection: AMQPConnection
  private let sender: AMQPSender
  private let answers: AMQPReceiver
  private let timeout: Duration
  private let state = NIOLockedValueBox(State())

  init(_ connection: AMQPConnection, sender: AMQPSender, answers: AMQPReceiver, timeout: Duration) {
    self.connection = connection
    self.sender = sender
    self.answers = answers
    self.timeout = timeout
  }

  /// - Returns: all answers; none when there is no such queue.
  func ask(about queue: String) async throws(ProbeError) -> [AMQPMap] {
    let done = OneShot<Result<Void, ProbeError>>()
    let begun = self.state.withLockedValue { state -> Result<String, ProbeError> in
      if let lost = state.lost { return .failure(lost) }
      state.last += 1
      let id = "statistics-\(state.last)"
      state.open[id] = Open(done: done)
      return .success(id)
    }
    let id = try begun.get()
    defer { self.state.withLockedValue { $0.open[id] = nil } }
    let request = AMQPMessage(
      properties: AMQPProperties(
        to: "queue://\(StatisticsCounting.prefix).\(queue)\(StatisticsCounting.ending)", replyTo: self.answers.address,
        correlationID: .string(id)),
      applicationProperties: [StatisticsCounting.ending: true], body: .data([0]))
    let timeout = self.timeout
    let timer = self.connection.after(timeout) {
      done.fulfil(
        .failure(
          .countingUnreadable(way: .statistics, seen: "no answer in \(timeout): is the statistics plugin there, and allowed?")))
    }
    defer { timer.cancel() }
    let outcome: AMQPOutcome
    do throws(AMQPError) {
      outcome = try await self.sender.send(request, within: timeout)
    } catch {
      throw .countingLinkFailed(.init(error))
    }
    guard case .accepted = outcome else {
      throw .countingUnreadable(way: .statistics, seen: "the bus did not take the question: it may not be allowed")
    }
    do {
      try await done.wait().get()
    } catch let error as ProbeError {
      throw error
    } catch {
      throw .countingLinkFailed(.init(error))
    }
    return self.state.withLockedValue { $0.open[id]?.maps ?? [] }
  }

  /// Ends when the link does.
  func readAnswers() async {
    var ended = ProbeError.countingUnreadable(way: .statistics, seen: "the link of the answers was closed")
    do {
      while let batch = try await self.answers.nextBatch() {
        for delivery in batch {
          try? delivery.accept()
          guard let message = try? delivery.message() else { continue }
          self.arrived(message)
        }
      }
    } catch {
      ended = .countingLinkFailed(.init(error))
    }
    let lost = ended
    let open = self.state.withLockedValue { state in
      state.lost = lost
      return state.open.values.map(\.done)
    }
    for done in open { done.fulfil(.failure(lost)) }
  }

  private func arrived(_ message: AMQPMessage) {
    guard let id = message.properties.correlationID?.description else { return }
    var map = AMQPMap()
    if case .value(.map(let found)) = message.body { map = found }
    let done = self.state.withLockedValue { state -> OneShot<Result<Void, ProbeError>>? in
      if map.isEmpty { return state.open[id]?.done }
      state.open[id]?.maps.append(map)
      return nil
    }
    done?.fulfil(.success(()))
  }
}
