// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import Logging
import NIOCore
import ServiceLifecycle
import NIOConcurrencyHelpers
import TjenestebussClient

/// One bus, looked at from outside for as long as a process lives: queue pre-flight, pings, depth and consumers. Over one
/// connection, which comes back by itself; it never receives from a party's queue.
///
/// ```swift
/// let probe = BusProbe(endpoint, replyQueue: "93238_pingreply", settings: ProbeSettings(ownHerID: own))
/// // in a task: await probe.run()
/// let ready = await probe.preflight(["93238_async", "93238_sync", "93238_error"])
/// let verdict = await probe.ping(herID, queue: "93238_async")
/// let depth = await probe.depth("93238_async")
/// ```
///
/// Every call is bounded in time and answers with a value: what could not be found out is in it as such.
public final class BusProbe: Sendable, Service {
  public let endpoint: BusEndpoint
  private let settings: ProbeSettings
  private let ration: PingRation?
  private let replyQueue: String?
  private let counting: (any QueueCounting)?
  private let peeking: (any QueuePeeking)?
  private let listing: (any BusCensus)?
  /// Whether anything is counted over this probe's connection, and so with the rights of its login. By HTTP alone it is not.
  public let countsByLogin: Bool
  private let client: AMQPClient
  private let desk: EchoDesk
  private let logger: Logger
  private let listeningFailure = NIOLockedValueBox<AMQPError?>(nil)

  /// - Parameters:
  ///   - replyQueue: our own queue on this bus, to which echoes go; nil to ask for none. It must be
  ///     read by this process alone; others ask it for their echoes (``withEchoes(of:within:_:)``).
  ///   - counting: a further way to count beside those over AMQP itself, such as ``OwnWays/overHTTP(_:http:url:user:password:virtualHost:namespace:timeout:)``
  ///     gives; the best that answers is used.
  ///   - peeking: a way to look at messages; nil for the dialect's own, where it has one.
  ///   - census: a way to list all queues; nil for `counting` where that lists them too, else the dialect's own.
  ///   - ration: what keeps parties from being pinged too often; nil only where nothing real is pinged.
  ///   - product: what the connection says it is. Another than the usual one where it logs in as somebody whose own system says that too.
  public init(
    _ endpoint: BusEndpoint, replyQueue: String?, counting: (any QueueCounting)? = nil, peeking: (any QueuePeeking)? = nil,
    census: (any BusCensus)? = nil, settings: ProbeSettings, ration: PingRation? = nil, product: String = "tjenestebuss",
    on group: (any EventLoopGroup)? = nil,
    logger: Logger = Logger(label: "bus-probe", factory: { _ in SwiftLogNoOpLogHandler() })
  ) {
    let client = AMQPClient(
      endpoint.amqpConfiguration(role: "probe", product: product, operationTimeout: settings.timeout), on: group, logger: logger)
    self.endpoint = endpoint
    self.settings = settings
    self.ration = ration
    self.replyQueue = replyQueue
    self.client = client
    self.desk = EchoDesk(subject: settings.pingSubject)
    self.logger = logger
    let timeout = settings.timeout
    let connection: @Sendable () async throws -> AMQPConnection = { try await client.connection(within: timeout) }
    let own = OwnWays.counting(endpoint.dialect, timeout: timeout, connection: connection)
    self.countsByLogin = !own.isEmpty
    self.counting = OwnWays.ranked(own + [counting].compactMap { $0 }, endpoint.dialect)
    self.peeking = peeking ?? OwnWays.peeking(endpoint.dialect, timeout: timeout, connection: connection)
    self.listing = census ?? counting as? any BusCensus ?? own.compactMap { $0 as? any BusCensus }.first
  }

  /// What the connection is doing.
  public var state: AMQPClientState? { self.client.state(of: .connection(.sending)) }

  /// Keeps the connection, and listens on the reply queue, until the task is cancelled or shut down gracefully.
  ///
  /// - Throws: `AMQPError` when trying again cannot help: login refused, certificate refused.
  public func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      if let replyQueue {
        group.addTask { await self.listen(replyQueue) }
      }
      defer { group.cancelAll() }
      try await self.client.run()
    }
  }

  /// Runs the probe for the time of `body`.
  public func withProbe<Result: Sendable>(
    _ body: @Sendable @escaping (BusProbe) async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
      // A refused login shows in the state and in every call's answer; it must not cancel the body before that is read.
      group.addTask { try? await self.run() }
      defer { group.cancelAll() }
      return try await body(self)
    }
  }

  /// How long to wait before a reply queue that does not exist, or may not be read, is tried again.
  private static let replyQueueRetry: Duration = .seconds(30)

  private func listen(_ queue: String) async {
    let address = self.endpoint.receivingAddress(ofQueue: queue).text
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      do {
        try await cancelWhenGracefulShutdown {
          try await self.client.withReceiver(from: address, credit: EchoDesk.credit) { deliveries in
            for try await batch in deliveries.batches {
              self.listeningFailure.withLockedValue { $0 = nil }
              self.desk.take(batch)
            }
          }
        }
        return
      } catch let error as AMQPError {
        self.listeningFailure.withLockedValue { $0 = error }
        self.desk.linkEnded()
        if self.state?.phase == .ended { return }
        do { try await cancelWhenGracefulShutdown { try await ContinuousClock().sleep(for: Self.replyQueueRetry) } } catch {
          return
        }
        self.listeningFailure.withLockedValue { $0 = nil }
      } catch {
        return
      }
    }
  }

  private var listening: AddressProbe.Listening {
    guard let replyQueue else { return .no }
    if let failure = self.listeningFailure.withLockedValue({ $0 }) { return .failed(failure, by: .ourselves) }
    return .from(OwnEchoes(desk: self.desk, replyQueue: replyQueue), by: .ourselves)
  }

  // MARK: Echoes for others

  /// The reply queue that is read here for all who ping on this bus.
  ///
  /// - Throws: ``EchoError`` `busNotRead`, `daemonNotListening`.
  public func replyQueueForOthers() throws(EchoError) -> EchoQueueAnswer {
    guard let replyQueue else { throw .busNotRead(self.endpoint.name) }
    if let failure = self.listeningFailure.withLockedValue({ $0 }) {
      throw .daemonNotListening(self.endpoint.name, .init(failure))
    }
    return EchoQueueAnswer(
      bus: self.endpoint.name.text, replyQueue: replyQueue, subject: self.settings.pingSubject, awaited: self.desk.awaited)
  }

  /// Waits for the echoes of pings that another process sends. They are handed to `body` alone, each once, in the order they come; the
  /// sequence ends when all have come, when the time is up, or when the task is cancelled. Others' pings must not be sent before `body` is
  /// called.
  ///
  /// - Throws: ``EchoError`` `busNotRead`, `daemonNotListening`, `tooMuch`, `awaitedAlready`: then `body` was not called.
  public func withEchoes<Result>(
    of messageIDs: [String], within time: Duration, _ body: (AsyncStream<PingEcho>) async -> Result
  ) async throws(EchoError) -> Result {
    _ = try self.replyQueueForOthers()
    return try await self.desk.withEchoes(of: messageIDs, within: time, body)
  }

  /// Ends every wait of ``withEchoes(of:within:_:)``: the process stops.
  public func endWaits() { self.desk.endWaits() }

  // MARK: Looking

  /// Whether queues are there, who listens, and whether we may send to them. Sends nothing.
  ///
  /// - Throws: `AMQPError` when there is no connection.
  public func preflight(_ queues: [String]) async throws -> [QueuePreflight] {
    let connection = try await self.client.connection(within: self.settings.timeout)
    let depths = await self.counting?.read(queues)
    var results: [QueuePreflight] = []
    for queue in queues {
      var refused: AMQPError?
      do throws(AMQPError) {
        let sender = try await connection.openSender(
          to: self.endpoint.sendingAddress(ofQueue: queue).text, within: self.settings.timeout)
        await sender.close(within: self.endpoint.dialect.capabilities.answersCloseOfLink ? .seconds(3) : .milliseconds(200))
      } catch {
        refused = error
      }
      results.append(
        QueuePreflight(
          queue: queue, dialect: self.endpoint.dialect, depth: depths?.first { $0.queue == queue }, sendingRefused: refused))
    }
    return results
  }

  /// Why this login cannot read one of these queues; nil when it can. Takes nothing: the link is given no credit. Only for queues that are
  /// there: of others some buses refuse the right first, and ActiveMQ makes them.
  ///
  /// - Throws: `AMQPError` when there is no connection.
  public func readingRefused(_ queues: [String]) async throws -> (queue: String, because: AMQPError)? {
    let connection = try await self.client.connection(within: self.settings.timeout)
    for queue in queues {
      do throws(AMQPError) {
        let receiver = try await connection.openReceiver(
          from: self.endpoint.receivingAddress(ofQueue: queue).text, credit: 0, within: self.settings.timeout)
        await receiver.close(within: self.endpoint.dialect.capabilities.answersCloseOfLink ? .seconds(3) : .milliseconds(200))
      } catch  where error.code == .notFound {
        continue
      } catch {
        return (queue, error)
      }
    }
    return nil
  }

  /// Pings a party's queue: attach, send, outcome, negative control, depth and consumers before and after, echo.
  ///
  /// Where somebody pinged the party a moment ago, it is waited until it may be pinged again, at most for the ration's interval.
  ///
  /// - Throws: `AMQPError` when there is no connection.
  public func ping(_ herID: HerID, queue: String) async throws -> PingVerdict {
    let leave = await self.leave(herID)
    // The leave is given back when the ping is over, however it ends.
    defer { withExtendedLifetime(leave) {} }
    var notSent: PingObservation.ReasonNotSent?
    if case .failure(let refusal)? = leave { notSent = .pingedLately(refusal.value) }
    let connection = try await self.client.connection(within: self.settings.timeout)
    let probe = AddressProbe(
      connection: connection, endpoint: self.endpoint, counting: self.counting, listening: self.listening,
      settings: self.settings)
    var observation = await probe.observe(herID, queue: queue, notSent: notSent)
    observation.rationPlace = self.ration?.place
    return PingVerdict(observation: observation, judgement: PingJudgement(observation))
  }

  /// For one of the places for pings under way, which others hold for as long as they wait for an echo.
  private static let placePatience = Duration.seconds(30)

  private func leave(_ herID: HerID) async -> Result<PingRation.Permit, PingRation.Refusal>? {
    guard let ration else { return nil }
    let leave = await ration.ask(herID, waitingForPlace: Self.placePatience)
    guard case .failure(.pingedLately(let after)) = leave else { return leave }
    // The daemon has time, unlike a person. Bounded by the interval, and ended by a cancellation, which then goes without a ping.
    try? await ContinuousClock().sleep(for: after)
    return Task.isCancelled ? leave : await ration.ask(herID, waitingForPlace: Self.placePatience)
  }

  /// How long a queue is and who listens. A count that cannot be had is a reading too, never zero.
  public func depth(_ queue: String) async -> DepthReading {
    if let counting { return await counting.read(queue) }
    return self.uncounted(queue)
  }

  /// As ``depth(_:)`` for several queues, by one pair of links.
  public func depths(_ queues: [String]) async -> [DepthReading] {
    if let counting { return await counting.read(queues) }
    return queues.map { self.uncounted($0) }
  }

  /// What lies on a queue, by metadata alone. Nothing is taken, and no body is read.
  ///
  /// - Parameters:
  ///   - queue: `QUEUE/$DeadLetterQueue` for a queue's dead letters on Service Bus.
  ///   - sequenceNumber: as in ``QueuePeeking/look(at:from:atMost:)``.
  ///   - bound: the most messages looked at.
  public func sightings(
    of queue: String, from sequenceNumber: Int64? = nil, atMost bound: Int = 1_000
  ) async -> SightingReading {
    if let peeking { return await peeking.look(at: queue, from: sequenceNumber, atMost: bound) }
    return SightingReading(
      queue: queue, way: nil, readAt: SystemRegistryClock().now,
      value: .unreadable(.peekingNotPossible(self.endpoint.name, self.endpoint.dialect)))
  }

  /// Watches queues of this bus, over the one connection: see ``QueueWatch``. Nil where no way to count is configured or known.
  public func watch(_ queues: [String], settings: WatchSchedule.Settings? = nil) -> QueueWatch? {
    self.counting.map { QueueWatch(queues, counting: $0, census: self.listing, settings: settings) }
  }

  /// Whether the bus can be asked for all its queues at once.
  public var listsQueues: Bool { self.listing != nil }

  /// Every queue of the bus, where it can be asked for them.
  public func census() async -> CensusReading {
    if let listing { return await listing.census() }
    return CensusReading(
      way: nil, readAt: SystemRegistryClock().now,
      value: .notPossible(.censusNotPossible(self.endpoint.name, self.endpoint.dialect)), tellsConsumers: false)
  }

  private func uncounted(_ queue: String) -> DepthReading {
    DepthReading(
      queue: queue, way: nil, readAt: SystemRegistryClock().now,
      value: .unreadable(.countingNotPossible(self.endpoint.name, self.endpoint.dialect)))
  }
}

/// A ping's observation, and what it means.
public struct PingVerdict: Sendable, Hashable {
  public var observation: PingObservation
  public var judgement: PingJudgement
}
