// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOConcurrencyHelpers
import NIOCore
import ServiceLifecycle

/// A bus that is never given up: connections that come back, senders and receivers on them that come back too.
///
/// ```swift
/// let client = AMQPClient(AMQPClientConfiguration(connection))
/// try await client.withClient { client in
///   let outcome = try await client.send(message, to: "/queues/orders")
///   try await client.withReceiver(from: "/queues/replies") { deliveries in
///     for try await delivery in deliveries { try? delivery.accept() }
///   }
/// }
/// ```
///
/// or, in a `ServiceGroup`, as a service (``run()``). Sending and receiving have a connection each by default.
///
/// - Sending never repeats a message by itself: a send that was under way when the link was lost ends as
///   ``AMQPOutcome/unknown(_:)``, and its caller decides.
/// - Receiving attaches again by itself; what was not settled is delivered again by the bus.
/// - What is lost is made anew in tiers, link, session, connection, with back-off: ``AMQPRecoveryPolicy``, ``states``.
/// - Every call has a deadline, and says at it what was awaited and how link and connection were.
public final class AMQPClient: Sendable, Service {
  public let configuration: AMQPClientConfiguration
  let board: StateBoard
  let deadlines: DeadlineKeeper
  let group: (any EventLoopGroup)?
  let logger: Logger
  private let keepers: [AMQPConnectionUse: ConnectionKeeper]
  private let tasks: AsyncStream<@Sendable () async -> Void>
  private let newTasks: AsyncStream<@Sendable () async -> Void>.Continuation
  private let store = NIOLockedValueBox(Store())
  private let hasEnded = OneShot<Void>()
  private let mark: LiveCount.Mark

  private struct Store {
    var lifecycle = ClientLifecycleMachine()
    var kept: Set<AMQPConnectionUse> = []
    var senders: [String: SenderKeeper] = [:]
    var desks: [String: RequestDesk] = [:]
    /// To be called when the client is leaving, with the reason when that is a fault.
    var finishers: [UInt64: @Sendable (AMQPError?) -> Void] = [:]
    /// What becomes of deliveries on this side, asked of each receiver that is wanted now.
    var loads: [UInt64: @Sendable () -> AMQPReceiverLoad] = [:]
    var lastNumber: UInt64 = 0
    var failure: AMQPError?
    var closeBy: ContinuousClock.Instant?
    var workTimer: Scheduled<Void>?
  }

  /// Sets up the client; nothing is connected before ``run()``.
  ///
  /// - Parameter group: where event loops come from; NIO's shared ones by default.
  public init(
    _ configuration: AMQPClientConfiguration, on group: (any EventLoopGroup)? = nil,
    logger: Logger = Logger(label: "amqp", factory: { _ in SwiftLogNoOpLogHandler() })
  ) {
    self.configuration = configuration
    self.group = group
    self.logger = logger
    self.mark = LiveCount.Mark(.client, of: configuration.endpoints.first?.containerID ?? "")
    let board = StateBoard(endpoints: configuration.description, logger: logger)
    let deadlines = DeadlineKeeper(group)
    self.board = board
    self.deadlines = deadlines
    (self.tasks, self.newTasks) = AsyncStream.makeStream()
    let sending = ConnectionKeeper(.sending, configuration, board: board, deadlines: deadlines, on: group, logger: logger)
    let receiving =
      configuration.separatesReceiving
      ? ConnectionKeeper(.receiving, configuration, board: board, deadlines: deadlines, on: group, logger: logger) : sending
    self.keepers = [.sending: sending, .receiving: receiving]
  }

  /// A client of one endpoint, with defaults for the rest.
  public convenience init(
    _ endpoint: AMQPConnectionConfiguration, recovery: AMQPRecoveryPolicy = AMQPRecoveryPolicy(),
    on group: (any EventLoopGroup)? = nil,
    logger: Logger = Logger(label: "amqp", factory: { _ in SwiftLogNoOpLogHandler() })
  ) {
    self.init(AMQPClientConfiguration(endpoint, recovery: recovery), on: group, logger: logger)
  }

  // MARK: Life

  /// Keeps the connections until the task is cancelled, the service is shut down gracefully, or ``shutdown(within:)``.
  ///
  /// Leaving gracefully takes no new sends, ends the sequences of deliveries, waits for sends and receivers under way, and
  /// closes the connections, all within the configuration's shutdown deadline; what is in flight then ends as unknown. When
  /// the task is cancelled, nothing is waited for but the closing. When it returns, no task and no descriptor is left.
  ///
  /// - Throws: ``AMQPError`` when trying again cannot help: `loginRefused`, `certificateRefused`, `configurationInvalid`,
  ///   `unauthorized`. May be called once.
  public func run() async throws {
    guard self.store.withLockedValue({ $0.lifecycle.start() }) else {
      // Stopped before it was started: there is nothing to keep. A second run() while the first goes on is a mistake.
      precondition(self.store.withLockedValue { $0.lifecycle.isLeaving }, "AMQPClient.run() may be called once at a time")
      return
    }
    do throws(AMQPError) { try self.configuration.validate() } catch {
      self.failed(error)
      self.end(error)
      throw error
    }
    await withGracefulShutdownHandler {
      await self.keep()
    } onGracefulShutdown: {
      self.stop(within: self.configuration.shutdownDeadline)
    }
    let failure = self.store.withLockedValue { $0.failure }
    self.end(failure ?? .clientStopped("the client was stopped"))
    if let failure { throw failure }
  }

  /// Runs the client for the time of `body`, and leaves gracefully however `body` ends.
  public func withClient<Result: Sendable>(
    _ body: @Sendable @escaping (AMQPClient) async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
      // A refused login shows in every call's error and in the states; it must not cancel the body before that is read.
      group.addTask { try? await self.run() }
      defer { group.cancelAll() }
      do {
        let result = try await body(self)
        await self.shutdown()
        return result
      } catch {
        await self.shutdown()
        throw error
      }
    }
  }

  /// Leaves gracefully: see ``run()``. Returns when the client has ended. Idempotent; safe while it reconnects.
  ///
  /// - Parameter deadline: for all of it; nil for the configuration's.
  public func shutdown(within deadline: Duration? = nil) async {
    self.stop(within: deadline ?? self.configuration.shutdownDeadline)
    _ = await uncancelled { try? await self.hasEnded.wait() }
  }

  private func stop(within deadline: Duration) {
    let action = self.store.withLockedValue { store in
      let action = store.lifecycle.stop(within: deadline)
      if action != nil { store.closeBy = .now + deadline }
      return action
    }
    self.carryOut(action)
  }

  private func carryOut(_ action: ClientLifecycleMachine.Action?) {
    switch action {
    case nil: break
    case .askToFinish(let limit):
      let timer = self.deadlines.after(limit) { [weak self] in
        guard let self else { return }
        self.carryOut(self.store.withLockedValue { $0.lifecycle.workDeadlinePassed() })
      }
      let finishers = self.store.withLockedValue { store in
        store.workTimer = timer
        return Array(store.finishers.values)
      }
      for finish in finishers { finish(nil) }
    case .close:
      let isRunning = self.store.withLockedValue { store in
        store.workTimer?.cancel()
        return store.lifecycle.hasStarted
      }
      self.newTasks.finish()
      // Never started: there is nobody to end it.
      if !isRunning { self.end(.clientStopped("the client was stopped before it ran")) }
    }
  }

  /// Runs the client's tasks until it is to close, then cancels them and waits for their end.
  private func keep() async {
    await withDiscardingTaskGroup { group in
      self.keep(.sending)
      for await task in self.tasks { group.addTask { await task() } }
      group.cancelAll()
    }
  }

  /// Has the connection for `use` kept, from now on.
  private func keep(_ use: AMQPConnectionUse) {
    guard let keeper = self.keepers[use] else { return }
    guard self.store.withLockedValue({ $0.kept.insert(keeper.use).inserted }) else { return }
    self.newTasks.yield { [weak self] in
      do {
        try await keeper.run { [weak self] in self?.closingTime ?? .seconds(1) }
      } catch let error as AMQPError {
        self?.failed(error)
      } catch {
        // Cancelled: the client is closing.
      }
    }
  }

  private func failed(_ error: AMQPError) {
    let senders = self.store.withLockedValue { store in
      if store.failure == nil { store.failure = error }
      return Array(store.senders.values)
    }
    // Before the tasks are cancelled: who waits is told why, not that a task was cancelled.
    for sender in senders { sender.end(error) }
    for keeper in self.keepers.values { keeper.end(error) }
    self.newTasks.finish()
  }

  /// What closing a connection or link may take now.
  var closingTime: Duration {
    let closeBy = self.store.withLockedValue { $0.closeBy }
    let limit = min(.seconds(3), self.configuration.shutdownDeadline)
    return closeBy.map { max(min($0 - .now, limit), .milliseconds(100)) } ?? limit
  }

  private func end(_ reason: AMQPError) {
    let (senders, finishers, failure) = self.store.withLockedValue { store in
      store.lifecycle.ended(reason)
      defer { store.senders = [:] }
      return (Array(store.senders.values), Array(store.finishers.values), store.failure)
    }
    self.newTasks.finish()
    for finish in finishers { finish(failure) }
    for sender in senders { sender.end(reason) }
    for keeper in self.keepers.values { keeper.end(reason) }
    self.board.end()
    self.hasEnded.fulfil(())
  }

  // MARK: Work

  /// Counts a call as work under way, until ``finished(_:)``, and has `finish` called when the client is leaving.
  func begin(on address: String, _ finish: (@Sendable (AMQPError?) -> Void)? = nil) throws(AMQPError) -> UInt64 {
    let (number, reason) = self.store.withLockedValue { store -> (UInt64?, AMQPError?) in
      guard store.lifecycle.workBegan() else { return (nil, store.failure ?? store.lifecycle.endReason) }
      store.lastNumber += 1
      if let finish { store.finishers[store.lastNumber] = finish }
      return (store.lastNumber, nil)
    }
    guard let number else {
      throw reason
        ?? AMQPError(.clientStopped, .connection, .local, tried: "use \(address)", seen: "the client is being stopped")
    }
    return number
  }

  func finished(_ number: UInt64) {
    let action = self.store.withLockedValue { store in
      store.finishers[number] = nil
      return store.lifecycle.workEnded()
    }
    self.carryOut(action)
  }

  /// Runs `task` among the client's, until it ends or the client does.
  func start(_ task: @escaping @Sendable () async -> Void) { self.newTasks.yield(task) }

  func nextNumber() -> UInt64 {
    self.store.withLockedValue { store in
      store.lastNumber += 1
      return store.lastNumber
    }
  }

  // MARK: Connections

  /// The connection for `use`, or the next one to come. Where the configuration does not separate them, there is one.
  ///
  /// - Parameter timeout: nil for the operation timeout.
  /// - Throws: ``AMQPError`` `connectTimedOut` with the last failure in its words, or why the client has ended.
  public func connection(
    for use: AMQPConnectionUse = .sending, within timeout: Duration? = nil
  ) async throws(AMQPError) -> AMQPConnection {
    try await self.keeper(use).connection(until: .now + (timeout ?? self.configuration.operationTimeout))
  }

  func keeper(_ use: AMQPConnectionUse) throws(AMQPError) -> ConnectionKeeper {
    guard let keeper = self.keepers[use] else { throw .clientStopped("there is no connection for \(use.rawValue)") }
    self.keep(use)
    return keeper
  }

  /// The connections that stand now.
  var connections: [AMQPConnection] {
    var seen: Set<AMQPConnectionUse> = []
    return self.keepers.values.filter { seen.insert($0.use).inserted }.compactMap(\.current)
  }

  // MARK: Senders and requesters

  /// The keeper of the sender to `address`; the one unused for longest makes room for a new one.
  func senderKeeper(to address: String) throws(AMQPError) -> SenderKeeper {
    let keeper = try self.keeper(.sending)
    let (sender, surplus) = self.store.withLockedValue { store -> (SenderKeeper, SenderKeeper?) in
      if let sender = store.senders[address] { return (sender, nil) }
      var surplus: SenderKeeper?
      if store.senders.count >= self.configuration.maximumSenders,
        let oldest = store.senders.min(by: { $0.value.lastUse < $1.value.lastUse })
      {
        surplus = store.senders.removeValue(forKey: oldest.key)
      }
      let sender = SenderKeeper(
        address, keeper: keeper, policy: self.configuration.recovery, board: self.board, deadlines: self.deadlines)
      store.senders[address] = sender
      return (sender, surplus)
    }
    if let surplus {
      let reason = AMQPError(
        .linkClosed, .link, .local, tried: "send to \(surplus.address)", seen: "the sender was closed to make room for another")
      // Its close waits for its last outcomes; the new sender must not.
      if let sender = surplus.end(reason) { self.start { await sender.close() } }
    }
    return sender
  }

  /// The desk that reads answers from `queue`; a new one when that could not be read before.
  func desk(_ queue: String) -> RequestDesk {
    let (desk, isNew) = self.store.withLockedValue { store in
      if let desk = store.desks[queue], !desk.hasEnded { return (desk, false) }
      let desk = RequestDesk(queue)
      store.desks[queue] = desk
      return (desk, true)
    }
    if isNew {
      self.start { [weak self] in
        if let self { await desk.run(self) }
      }
    }
    return desk
  }

  // MARK: State

  func setLoad(_ number: UInt64, _ load: (@Sendable () -> AMQPReceiverLoad)?) {
    self.store.withLockedValue { $0.loads[number] = load }
  }

  /// Where the deliveries of each receiver are now.
  var loads: [AMQPReceiverLoad] { self.store.withLockedValue { Array($0.loads.values) }.map { $0() } }

  /// How every connection and link is now.
  public var status: [AMQPClientState] { self.board.current }

  /// How one of them is now; nil when there is none such.
  public func state(of subject: AMQPClientState.Subject) -> AMQPClientState? { self.board.current(subject) }

  /// Every state now, and every change with its cause and next attempt, without repetitions: the same failure is told again
  /// at attempts 2, 4, 8 and so on. Ends when the client does. A slow reader gets the newest 256.
  public var states: AsyncStream<AMQPClientState> { self.board.states }
}
