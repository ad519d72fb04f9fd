// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOConcurrencyHelpers
import NIOCore
import ServiceLifecycle

/// A connection that comes back: it connects, and after a loss connects again with back-off, for as long as ``run()`` runs.
///
/// Sending never repeats a message by itself: a send that was under way when the connection broke ends as
/// ``AMQPOutcome/unknown(_:)``, and its caller decides. Receiving attaches again by itself; what was not settled is
/// delivered again by the bus.
public final class AMQPClient: Sendable, Service {
  /// What the client is doing.
  public enum State: Sendable, Hashable {
    case idle
    case connecting(attempt: Int)
    case connected(AMQPPeer)
    case waiting(Duration, because: AMQPError)
    /// For good: an error that trying again cannot mend, or ``run()`` has ended.
    case ended(AMQPError)
  }

  public let configuration: AMQPConnectionConfiguration
  private let backOff: AMQPBackOff
  private let logger: Logger
  private let group: (any EventLoopGroup)?
  private let store = NIOLockedValueBox(Store())

  private struct Store {
    var state = State.idle
    var connection: AMQPConnection?
    var waiters: [UInt64: OneShot<Result<AMQPConnection, AMQPError>>] = [:]
    var lastWaiter: UInt64 = 0
    var senders: [String: SenderSlot] = [:]
    var observers: [UInt64: AsyncStream<State>.Continuation] = [:]
    var isRunning = false
  }

  /// A cached sender, of one connection, or the attach that is under way.
  private final class SenderSlot: Sendable {
    let connection: AMQPConnection
    let sender = OneShot<Result<AMQPSender, AMQPError>>()
    let lastUse = NIOLockedValueBox(ContinuousClock.now)
    init(_ connection: AMQPConnection) { self.connection = connection }
  }

  /// Senders kept attached at once. RabbitMQ 4 allows 64 sessions a connection, and every link has its own.
  private static let senderLimit = 40

  public init(
    _ configuration: AMQPConnectionConfiguration, backOff: AMQPBackOff = AMQPBackOff(), on group: (any EventLoopGroup)? = nil,
    logger: Logger = Logger(label: "amqp", factory: { _ in SwiftLogNoOpLogHandler() })
  ) {
    self.configuration = configuration
    self.backOff = backOff
    self.group = group
    self.logger = logger
  }

  // MARK: Life

  /// Keeps the connection until the task is cancelled or the service is shut down gracefully, then closes it.
  ///
  /// - Throws: ``AMQPError`` when trying again cannot help: `loginRefused`, `certificateRefused`, `configurationInvalid`,
  ///   `unauthorized`. May be called once.
  public func run() async throws {
    let isFirst = self.store.withLockedValue { store in
      defer { store.isRunning = true }
      return !store.isRunning
    }
    precondition(isFirst, "AMQPClient.run() may be called once")
    do {
      try await cancelWhenGracefulShutdown { try await self.keepConnected() }
    } catch is CancellationError {
      await self.end(
        AMQPError(.connectionClosed, .connection, .local, tried: "use \(self.configuration)", seen: "the client was stopped"))
    } catch let error as AMQPError {
      await self.end(error)
      throw error
    }
  }

  private func keepConnected() async throws {
    let clock = ContinuousClock()
    let start = clock.now
    var machine = RecoveryMachine(self.backOff)
    var action = machine.begin()
    while true {
      try Task.checkCancellation()
      switch action {
      case .connect:
        self.set(.connecting(attempt: machine.failuresInARow + 1))
        let failure: AMQPError
        do {
          let connection = try await AMQPConnection.open(self.configuration, on: self.group, logger: self.logger)
          machine.connected(at: clock.now - start)
          self.connected(connection)
          failure = try await connection.waitUntilClosed()
          self.disconnected(connection)
        } catch let error as AMQPError {
          failure = error
        }
        try Task.checkCancellation()
        action = machine.failed(failure, at: clock.now - start, draw: .random(in: 0..<1))
        if case .wait(let delay) = action { self.set(.waiting(delay, because: failure)) }
      case .wait(let delay):
        try await clock.sleep(for: delay)
        action = machine.begin()
      case .giveUp(let error): throw error
      case nil: return
      }
    }
  }

  private func end(_ reason: AMQPError) async {
    let connection = self.store.withLockedValue { $0.connection }
    self.set(.ended(reason))
    await connection?.close()
  }

  private func connected(_ connection: AMQPConnection) {
    let waiters = self.store.withLockedValue { store in
      store.connection = connection
      defer { store.waiters = [:] }
      return Array(store.waiters.values)
    }
    for waiter in waiters { waiter.fulfil(.success(connection)) }
    self.set(.connected(connection.peer))
  }

  private func disconnected(_ connection: AMQPConnection) {
    self.store.withLockedValue { store in
      store.connection = nil
      store.senders = [:]
    }
  }

  private func set(_ state: State) {
    var metadata: Logger.Metadata = [LogKey.endpoint.rawValue: "\(self.configuration)"]
    if case .waiting(let delay, let error) = state {
      metadata[LogKey.waitMilliseconds.rawValue] = "\(delay.milliseconds)"
      metadata[LogKey.error.rawValue] = "\(error.stableCode)"
      self.logger.notice("connection lost or not made; trying again", metadata: metadata)
    }
    let (waiters, observers) = self.store.withLockedValue { store in
      store.state = state
      guard case .ended = state else {
        return ([], Array(store.observers.values)) as ([OneShot<Result<AMQPConnection, AMQPError>>], _)
      }
      defer {
        store.waiters = [:]
        store.observers = [:]
      }
      return (Array(store.waiters.values), Array(store.observers.values))
    }
    for observer in observers { observer.yield(state) }
    if case .ended(let reason) = state {
      for waiter in waiters { waiter.fulfil(.failure(reason)) }
      for observer in observers { observer.finish() }
    }
  }

  /// What the client is doing now.
  public var state: State { self.store.withLockedValue { $0.state } }

  /// The state now, and every change of it with its cause. Ends when the client does. A slow reader gets the newest 64.
  public var states: AsyncStream<State> {
    let (stream, continuation) = AsyncStream.makeStream(of: State.self, bufferingPolicy: .bufferingNewest(64))
    let id = self.store.withLockedValue { store in
      store.lastWaiter += 1
      continuation.yield(store.state)
      if case .ended = store.state { continuation.finish() } else { store.observers[store.lastWaiter] = continuation }
      return store.lastWaiter
    }
    continuation.onTermination = { [weak self] _ in _ = self?.store.withLockedValue { $0.observers.removeValue(forKey: id) } }
    return stream
  }

  // MARK: Connection

  /// The connection, or the next one to come.
  ///
  /// - Throws: ``AMQPError`` `connectTimedOut` with the last failure in its words, or why the client has ended.
  public func connection(within timeout: Duration? = nil) async throws(AMQPError) -> AMQPConnection {
    let limit = timeout ?? self.configuration.operationTimeout
    let waiter = OneShot<Result<AMQPConnection, AMQPError>>()
    let id: UInt64? = self.store.withLockedValue { store in
      if case .ended(let reason) = store.state {
        waiter.fulfil(.failure(reason))
        return nil
      }
      if let connection = store.connection, connection.closedReason == nil {
        waiter.fulfil(.success(connection))
        return nil
      }
      store.lastWaiter += 1
      store.waiters[store.lastWaiter] = waiter
      return store.lastWaiter
    }
    let timer = (self.group ?? NIOSingletons.posixEventLoopGroup).any().scheduleTask(in: TimeAmount(limit)) { [weak self] in
      if let self { waiter.fulfil(.failure(self.notConnected(in: limit))) }
    }
    defer {
      timer.cancel()
      if let id { _ = self.store.withLockedValue { $0.waiters.removeValue(forKey: id) } }
    }
    do {
      return try await waiter.wait().get()
    } catch let error as AMQPError {
      throw error
    } catch {
      throw AMQPError(.cancelled, .connection, .local, tried: "connect to \(self.configuration)", seen: "the task was cancelled")
    }
  }

  private func notConnected(in limit: Duration) -> AMQPError {
    let seen =
      switch self.state {
      case .idle: "run() was not started"
      case .waiting(_, let error):
        "no connection in \(limit); the last attempt: \(error.seen) \(error.condition?.description ?? "")"
      default: "no connection in \(limit)"
      }
    return AMQPError(.connectTimedOut, .connection, .local, tried: "connect to \(self.configuration)", seen: seen)
  }

  // MARK: Sending

  /// Sends a message to an address by a sender that is kept for the next one.
  ///
  /// - Parameter timeout: for connection, attach, credit and outcome together; nil for the operation timeout.
  /// - Returns: what became of it; unknown when the connection broke under it.
  /// - Throws: ``AMQPError`` when it is certain that the message did not leave.
  public func send(
    _ message: AMQPMessage, to address: String, within timeout: Duration? = nil
  ) async throws(AMQPError) -> AMQPOutcome {
    let clock = ContinuousClock()
    let deadline = clock.now + (timeout ?? self.configuration.operationTimeout)
    var tries = 0
    while true {
      let connection = try await self.connection(within: deadline - clock.now)
      do {
        let sender = try await self.sender(to: address, on: connection, within: deadline - clock.now)
        return try await sender.send(message, within: deadline - clock.now)
      } catch let error {
        self.forgetSender(to: address, of: connection)
        self.escalate(error, on: connection)
        // It did not leave: the error says so. A link that was closed to make room, or died idle, is attached again.
        let mayRepeat = [.linkClosed, .linkDetached, .sessionEnded, .connectionLost, .connectionClosedByPeer].contains(error.code)
        guard mayRepeat, clock.now < deadline, !Task.isCancelled else { throw error }
        if connection.closedReason != nil { self.disconnectedEarly(connection) }
        // The first time at once: a sender that was idle too long. After that with full jitter, so that a bus which keeps
        // ending sessions is not hammered.
        if tries > 0 {
          let longest = min(self.backOff.initial * (1 << min(tries, 10)), self.backOff.maximum, deadline - clock.now)
          try? await clock.sleep(for: max(longest, .zero) * Double.random(in: 0..<1))
        }
        tries += 1
      }
    }
  }

  /// RabbitMQ 3 closes a connection by ending its sessions only: it stays open, and answers no attach any more.
  private func escalate(_ error: AMQPError, on connection: AMQPConnection) {
    if error.code == .attachTimedOut { connection.abort(because: "an attach was not answered") }
  }

  /// The connection's end is known here before ``keepConnected()`` has seen it.
  private func disconnectedEarly(_ connection: AMQPConnection) {
    self.store.withLockedValue { if $0.connection === connection { $0.connection = nil } }
  }

  private func sender(
    to address: String, on connection: AMQPConnection, within timeout: Duration
  ) async throws(AMQPError) -> AMQPSender {
    let (slot, isNew, surplus) = self.store.withLockedValue { store -> (SenderSlot, Bool, SenderSlot?) in
      if let slot = store.senders[address], slot.connection === connection { return (slot, false, nil) }
      var surplus: SenderSlot?
      if store.senders.count >= AMQPClient.senderLimit,
        let oldest = store.senders.min(by: { $0.value.lastUse.withLockedValue { $0 } < $1.value.lastUse.withLockedValue { $0 } })
      {
        surplus = store.senders.removeValue(forKey: oldest.key)
      }
      let slot = SenderSlot(connection)
      store.senders[address] = slot
      return (slot, true, surplus)
    }
    slot.lastUse.withLockedValue { $0 = .now }
    if let sender = try? surplus?.sender.current?.get() {
      // Its close waits for its last outcomes; the new sender must not.
      Task { await sender.close() }
    }
    if isNew {
      let result: Result<AMQPSender, AMQPError>
      do {
        result = .success(try await connection.openSender(to: address, within: timeout))
      } catch {
        result = .failure(error)
      }
      slot.sender.fulfil(result)
    }
    do {
      return try await slot.sender.wait().get()
    } catch let error as AMQPError {
      throw error
    } catch {
      throw AMQPError(.cancelled, .link, .local, tried: "attach a sender to \(address)", seen: "the task was cancelled")
    }
  }

  private func forgetSender(to address: String, of connection: AMQPConnection) {
    self.store.withLockedValue { if $0.senders[address]?.connection === connection { $0.senders[address] = nil } }
  }

  // MARK: Receiving

  /// Receives from an address until the task is cancelled, attaching again whenever link or connection is lost.
  ///
  /// - Parameters:
  ///   - credit: the most messages on their way, buffered and unsettled together.
  ///   - handle: gets each batch; it settles what it has dealt with. What it throws ends the receiving.
  /// - Throws: what `handle` throws, or an ``AMQPError`` that trying again cannot mend, such as `notFound`.
  public func receive(
    from address: String, credit: Int = 100, _ handle: @Sendable ([AMQPDelivery]) async throws -> Void
  ) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    var machine = RecoveryMachine(self.backOff)
    _ = machine.begin()
    while true {
      try Task.checkCancellation()
      let failure: AMQPError
      do {
        let connection = try await self.connection(within: .seconds(3_600))
        let receiver: AMQPReceiver
        do {
          receiver = try await connection.openReceiver(from: address, credit: credit)
        } catch {
          self.escalate(error, on: connection)
          throw error
        }
        machine.connected(at: clock.now - start)
        let lost = try await self.drive(receiver, handle)
        try Task.checkCancellation()
        guard let lost else { return }
        failure = lost
      } catch let error as AMQPError {
        try Task.checkCancellation()
        failure = error
      }
      if case .ended(let reason) = self.state { throw reason }
      switch machine.failed(failure, at: clock.now - start, draw: .random(in: 0..<1)) {
      case .wait(let delay):
        self.logger.notice(
          "receiver lost; attaching again",
          metadata: [
            LogKey.address.rawValue: "\(address)", LogKey.error.rawValue: "\(failure.stableCode)",
            LogKey.waitMilliseconds.rawValue: "\(delay.milliseconds)",
          ])
        try await clock.sleep(for: delay)
        _ = machine.begin()
      case .giveUp(let error): throw error
      case .connect, nil: break
      }
    }
  }

  /// - Returns: why the link was lost; nil when it was closed on this side.
  private func drive(
    _ receiver: AMQPReceiver, _ handle: @Sendable ([AMQPDelivery]) async throws -> Void
  ) async throws -> AMQPError? {
    do {
      while true {
        let batch: [AMQPDelivery]?
        do {
          batch = try await receiver.nextBatch()
        } catch {
          return error
        }
        guard let batch else { break }
        do {
          try await handle(batch)
        } catch let error as AMQPError where error.code == .settlementLost {
          // The link went while the handler was at work: the bus delivers those again, so go on with a new link.
          continue
        }
      }
      await receiver.close()
      return nil
    } catch {
      await receiver.close()
      throw error
    }
  }
}
