// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Logging
import NIOCore
import ServiceLifecycle
import NIOConcurrencyHelpers
import Synchronization

/// Sends to and receives from parties (HER-IDs) on every bus they may sit on.
///
/// ```swift
/// let client = try TjenestebussClient(
///   TjenestebussConfiguration(buses: [servicebus, tjenestebuss], product: "MyEPJ 4.2"), routes: addressResolver, logger: logger)
///
/// try await client.withClient { client in
///   let result = await client.send(message, kind: .asynchronous)
///   try result.requireAccepted()
/// }
/// ```
///
/// A system that receives too says which HER-IDs it serves (``ServeConfiguration``) and hands over its handlers:
///
/// ```swift
/// try await client.run(MessageHandlers(
///   messages: { received in try await inbox.store(received) },
///   errorReports: { report in try await outbox.markFailed(report) }))
/// ```
///
/// In a `ServiceGroup`, use ``run()`` as the service and ``serve(_:)`` in a service of yours, which shall be shut down first.
///
/// - Sending goes to the bus that the host of the party's address names. What became of a message is told by a
///   ``SendResult``; the client never sends a message again whose outcome is unknown.
/// - Receiving listens on all configured buses at once, so that no restart is tied to the minute a party is moved.
/// - Pings are swallowed and answered here; the EPJ does not see them.
///
/// One client a process is enough; it is made to live as long as the process. Sends may be made from any number of tasks.
public final class TjenestebussClient: Service, Sendable {
  public let configuration: TjenestebussConfiguration
  let routes: any RouteResolving
  let protection: (any MessageProtection)?
  let changes: [any AddressChangeSource]
  let logger: Logger
  let group: (any EventLoopGroup)?
  let board = StatusBoard()
  let sends = WorkUnderWay()
  let forcedRefreshes: NIOLockedValueBox<ForcedRefreshLimit>
  let errorLimit: NIOLockedValueBox<ErrorRateLimit>
  /// Nil where copies are not looked for.
  let duplicates: DuplicateGate?
  let answers = AnswerDesk()
  let clock = ContinuousClock()
  let start = ContinuousClock.now
  let lanes: [BusName: BusLane]
  private let hasRun = Atomic(false)
  private let runs = Atomic(false)

  /// Sets up the client; nothing is connected before ``run()``.
  ///
  /// - Parameters:
  ///   - routes: who knows where parties are; an `AddressResolver`.
  ///   - protection: the vendor's signing and encryption; nil for none.
  ///   - changes: who tells that a party's entry in the register has changed; listened to while ``run()`` runs, beside the queue
  ///     of registry events in the configuration.
  ///   - group: where event loops come from; NIO's shared ones by default.
  /// - Throws: ``TjenestebussError`` as ``TjenestebussConfiguration/validate()``.
  public init(
    _ configuration: TjenestebussConfiguration, routes: any RouteResolving, protection: (any MessageProtection)? = nil,
    changes: [any AddressChangeSource] = [], on group: (any EventLoopGroup)? = nil,
    logger: Logger = Logger(label: "tjenestebuss", factory: { _ in SwiftLogNoOpLogHandler() })
  ) throws(TjenestebussError) {
    try configuration.validate()
    self.configuration = configuration
    self.routes = routes
    self.protection = protection
    self.changes = changes
    self.errorLimit = NIOLockedValueBox(ErrorRateLimit(perMinute: configuration.errorReportsPerMinute))
    self.duplicates = configuration.duplicates.map { DuplicateGate(DuplicateWindow(count: $0.count, age: $0.age)) }
    self.logger = logger
    self.group = group
    self.forcedRefreshes = NIOLockedValueBox(ForcedRefreshLimit(interval: configuration.forcedRefreshInterval))
    var lanes: [BusName: BusLane] = [:]
    for endpoint in configuration.buses {
      lanes[endpoint.name] = BusLane(endpoint, configuration: configuration, on: group, logger: logger)
    }
    self.lanes = lanes
  }

  /// The configured buses, as the register's addresses name them.
  public var buses: [Bus] { self.configuration.buses.map(\.bus) }

  // MARK: Life

  /// Keeps the connections to every bus, reads this process's reply queue and the registry's events, until the task is cancelled
  /// or the service is shut down gracefully.
  ///
  /// Leaving takes no new sends, waits for those under way, has receivers hand back what no handler has begun and waits for the
  /// handlers (each at most the configuration's shutdown grace), then closes the connections; what is still in flight then has
  /// an unknown outcome. A bus that refuses us does not end it: see ``status``. May be called once.
  public func run() async {
    let isFirst = self.hasRun.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
    precondition(isFirst, "TjenestebussClient.run() may be called once")
    self.runs.store(true, ordering: .relaxed)
    defer { self.runs.store(false, ordering: .relaxed) }
    // Detached on purpose: the connections must outlive the cancellation for the sends that are under way, and the calls that
    // wait for their answers. They are ended and awaited below, whatever happens.
    let connections = Task.detached {
      await withDiscardingTaskGroup { group in
        for lane in self.lanes.values {
          group.addTask { await lane.run() }
          group.addTask { await self.watch(lane) }
        }
      }
    }
    let receiving = Task.detached {
      await withDiscardingTaskGroup { group in
        group.addTask { await self.receiveReplies() }
        group.addTask { await self.receiveRegistryEvents() }
        for source in self.changes { group.addTask { await source.watch { await self.drop($0) } } }
      }
    }
    // Throws when cancelled, returns on graceful shutdown: both mean to leave.
    try? await gracefulShutdown()
    self.sends.close()
    // Shielded from our own cancellation, bounded by the graces.
    await Task.detached {
      await self.sends.waitForTheLast(within: self.configuration.shutdownGrace)
      receiving.cancel()
      await receiving.value
      await withDiscardingTaskGroup { group in
        for lane in self.lanes.values { group.addTask { await lane.shutdown(within: self.configuration.shutdownDeadline) } }
      }
      await connections.value
    }.value
  }

  /// Writes down how the connection is that a bus is sent to by; ends with it.
  private func watch(_ lane: BusLane) async {
    for await state in lane.client.states where state.subject == .connection(.sending) {
      let news = state.peer.flatMap { lane.note($0) }
      self.board.change { status in
        status.sending[lane.endpoint.name] = ClientStatus.BusState(state)
        status.dialects[lane.endpoint.name] = lane.dialect
      }
      if let news { self.log(news, of: lane.endpoint.name) }
    }
  }

  private func log(_ dialect: BusDialect, of bus: BusName) {
    switch dialect {
    case .contradicted(let configured, let seen):
      self.logger.error(
        "the bus says that it is another one than the configuration has it",
        metadata: [
          LogKey.bus.rawValue: "\(bus)", LogKey.error.rawValue: "TB-207", LogKey.configured.rawValue: "\(configured.rawValue)",
          LogKey.seen.rawValue: "\(seen.rawValue)",
        ])
    case .learnt(let seen):
      self.logger.info(
        "the bus has told its dialect", metadata: [LogKey.bus.rawValue: "\(bus)", LogKey.seen.rawValue: "\(seen.rawValue)"])
    case .configured, .unknown: break
    }
  }

  /// The dialect that a bus is spoken to in; the configured one while it is not known.
  func dialect(of bus: BusName) -> Dialect? {
    self.lanes[bus].map { $0.dialect.spoken ?? $0.endpoint.dialect }
  }

  /// Runs the client for the time of `body`, and leaves however `body` ends.
  public func withClient<Result: Sendable>(
    _ body: @Sendable @escaping (TjenestebussClient) async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await self.run() }
      defer { group.cancelAll() }
      return try await body(self)
    }
  }

  // MARK: State

  /// Whether ``run()`` runs now.
  public var isRunning: Bool { self.runs.load(ordering: .relaxed) }

  /// What the client is doing now.
  public var status: ClientStatus { self.board.status }

  /// The status now and after every change, until the reader stops. A slow reader gets the newest only.
  public var statusChanges: AsyncStream<ClientStatus> { self.board.changes }
}
