// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore

/// One AMQP connection: from its TCP connection to its end. It does not reconnect; ``AMQPClient`` does.
///
/// ```swift
/// try await AMQPConnection.withConnection(configuration) { connection in
///   try await connection.withSender(to: "/queues/orders") { sender in
///     let outcome = try await sender.send(AMQPMessage(body: .data(bytes)))
///   }
/// }
/// ```
public final class AMQPConnection: Sendable {
  public let configuration: AMQPConnectionConfiguration
  /// What the peer said of itself.
  public let peer: AMQPPeer
  let mailbox: LoopMailbox<ConnectionCore.Command>
  private let core: NIOLoopBound<ConnectionCore>
  private let eventLoop: any EventLoop
  private let ended: OneShot<AMQPError>
  private let mark: LiveCount.Mark

  init(
    _ configuration: AMQPConnectionConfiguration, peer: AMQPPeer, core: NIOLoopBound<ConnectionCore>, ended: OneShot<AMQPError>,
    eventLoop: any EventLoop
  ) {
    self.configuration = configuration
    self.peer = peer
    self.core = core
    self.ended = ended
    self.eventLoop = eventLoop
    self.mark = LiveCount.Mark(.connection, of: configuration.containerID)
    self.mailbox = LoopMailbox(eventLoop) { core.value.carryOut($0) }
  }

  // MARK: Open and close

  /// Connects, logs in and opens.
  ///
  /// - Parameters:
  ///   - group: where its event loop comes from; NIO's shared group by default.
  /// - Throws: ``AMQPError``: `unknownHost`, `unreachable`, `connectTimedOut`, `certificateRefused`, `tlsFailed`,
  ///   `loginRefused`, `connectionClosedByPeer`, `protocolViolated`, `configurationInvalid`, `cancelled`.
  public static func open(
    _ configuration: AMQPConnectionConfiguration, on group: (any EventLoopGroup)? = nil,
    logger: Logger = Logger(label: "amqp", factory: { _ in SwiftLogNoOpLogHandler() })
  ) async throws(AMQPError) -> AMQPConnection {
    try await ConnectionOpening(configuration, on: group, logger: logger).open()
  }

  /// Opens a connection for the time of `body`, and closes it however `body` ends.
  public static func withConnection<Result: Sendable>(
    _ configuration: AMQPConnectionConfiguration, on group: (any EventLoopGroup)? = nil,
    logger: Logger = Logger(label: "amqp", factory: { _ in SwiftLogNoOpLogHandler() }),
    _ body: (AMQPConnection) async throws -> Result
  ) async throws -> Result {
    let connection = try await AMQPConnection.open(configuration, on: group, logger: logger)
    do {
      let result = try await body(connection)
      await connection.close()
      return result
    } catch {
      await connection.close()
      throw error
    }
  }

  /// Closes: no new sends, unsent ones throw, sends in flight become unknown. Waits for the peer's Close no longer than
  /// `timeout` after ours was written, then cuts. Idempotent; safe while the connection fails.
  public func close(within timeout: Duration = .seconds(3)) async {
    let core = self.core
    let eventLoop = self.eventLoop
    // The time begins when Close has been written: a loop that was busy for longer must not cut before it has said so.
    eventLoop.execute {
      core.value.close()
      guard core.value.closed.current == nil else { return }
      let timer = eventLoop.scheduleTask(in: TimeAmount(timeout)) { core.value.abort() }
      core.value.closed.whenDone { _ in timer.cancel() }
    }
    // A cancelled task closes too: shielded, and bounded by the timer.
    _ = await self.ended.uncancelledValue()
  }

  /// Cuts the connection at once: it is open, and does not work.
  func abort(because seen: String) {
    let core = self.core
    let error = AMQPError(.connectionLost, .connection, .local, tried: "use the connection to \(self.configuration)", seen: seen)
    self.eventLoop.execute { core.value.abort(error) }
  }

  /// Why the connection is no more; nil while it stands.
  public var closedReason: AMQPError? { self.ended.current }

  /// Returns when the connection has ended, with the reason. Throws `CancellationError` when the task is cancelled first.
  public func waitUntilClosed() async throws -> AMQPError { try await self.ended.wait() }

  // MARK: Links

  /// Attaches a sender.
  ///
  /// - Parameters:
  ///   - address: the target in the bus's own address form.
  ///   - onNewSession: whether it must not share a session that served an earlier link. Default false.
  ///   - presettled: fire and forget; every send then counts as accepted when it is handed over. For probes, not for mail.
  ///   - timeout: for the peer's answer; nil for the configuration's operation timeout.
  /// - Throws: ``AMQPError``: `notFound`, `unauthorized`, `linkRefused`, `sessionEnded`, `attachTimedOut`, or why the
  ///   connection ended.
  public func openSender(
    to address: String, presettled: Bool = false, onNewSession: Bool = false, within timeout: Duration? = nil
  ) async throws(AMQPError) -> AMQPSender {
    let attachment = ConnectionCore.Attachment(
      role: .sender, name: self.linkName(address), source: self.configuration.containerID, target: address,
      presettled: presettled, onNewSession: onNewSession)
    let attached = try await self.attach([attachment], within: timeout)[0]
    return AMQPSender(attached, address: address, presettled: presettled, connection: self)
  }

  /// Attaches a receiver. Credit is granted once the peer has answered.
  ///
  /// - Parameters:
  ///   - credit: the most messages on their way, buffered and unsettled together; 0 takes none. Default 100.
  ///   - bodies: whether messages are handed out whole (the default) or as soon as their body begins.
  ///   - onNewSession: whether it must not share a session that served an earlier link. Default false.
  ///   - browses: whether copies are wanted that leave the queue as it is (distribution mode copy). Default false. Only for buses that
  ///     heed it: RabbitMQ 3 and 4.0 repeat it in their answer, and hand messages out for good.
  ///   - properties: of the link, in its Attach: RabbitMQ 4.3 takes `rabbitmq:consumer-timeout` here, in milliseconds.
  ///   - timeout: for the peer's answer; nil for the configuration's operation timeout.
  /// - Throws: as ``openSender(to:presettled:onNewSession:within:)``.
  public func openReceiver(
    from address: String, credit: Int = 100, bodies: AMQPBodyDelivery = .whole, onNewSession: Bool = false,
    browses: Bool = false, properties: AMQPMap = [:], within timeout: Duration? = nil
  ) async throws(AMQPError) -> AMQPReceiver {
    let attachment = ConnectionCore.Attachment(
      role: .receiver, name: self.linkName(address), source: address, target: self.configuration.containerID, window: credit,
      properties: properties, onNewSession: onNewSession, streamsBodies: bodies == .streamed, browses: browses)
    let attached = try await self.attach([attachment], within: timeout)[0]
    return AMQPReceiver(attached, address: address, buffer: attached.buffer ?? ReceiverBuffer(), connection: self)
  }

  /// Attaches a receiver to a queue that the peer makes for it and removes with it: for answers (ActiveMQ). Its address is the
  /// receiver's ``AMQPReceiver/address``.
  ///
  /// - Throws: as ``openSender(to:presettled:onNewSession:within:)``.
  package func openAnswerReceiver(credit: Int, within timeout: Duration? = nil) async throws(AMQPError) -> AMQPReceiver {
    let attachment = ConnectionCore.Attachment(
      role: .receiver, name: self.linkName("answers"), target: self.configuration.containerID, window: credit, isDynamic: true)
    let attached = try await self.attach([attachment], within: timeout)[0]
    return AMQPReceiver(
      attached, address: attached.source ?? "", buffer: attached.buffer ?? ReceiverBuffer(), connection: self)
  }

  /// Attaches a sender to no address: each message goes where its `to` says (the anonymous terminus: RabbitMQ 4, ActiveMQ).
  ///
  /// - Throws: as ``openSender(to:presettled:onNewSession:within:)``.
  package func openAnonymousSender(within timeout: Duration? = nil) async throws(AMQPError) -> AMQPSender {
    let attachment = ConnectionCore.Attachment(
      role: .sender, name: self.linkName("anonymous"), source: self.configuration.containerID)
    let attached = try await self.attach([attachment], within: timeout)[0]
    return AMQPSender(attached, address: "", presettled: false, connection: self)
  }

  /// A sender for the time of `body`.
  public func withSender<Result: Sendable>(
    to address: String, _ body: (AMQPSender) async throws -> Result
  ) async throws -> Result {
    let sender = try await self.openSender(to: address)
    do {
      let result = try await body(sender)
      await sender.close()
      return result
    } catch {
      await sender.close()
      throw error
    }
  }

  /// A receiver for the time of `body`. What arrived and no task took is released at the end.
  public func withReceiver<Result: Sendable>(
    from address: String, credit: Int = 100, _ body: (AMQPReceiver) async throws -> Result
  ) async throws -> Result {
    let receiver = try await self.openReceiver(from: address, credit: credit)
    do {
      let result = try await body(receiver)
      await receiver.close()
      return result
    } catch {
      await receiver.close()
      throw error
    }
  }

  /// Attaches several links at once on one session.
  func attach(
    _ attachments: [ConnectionCore.Attachment], within timeout: Duration?
  ) async throws(AMQPError) -> [ConnectionCore.Attached] {
    let core = self.core
    let limit = timeout ?? self.configuration.operationTimeout
    let started = OneShot<[OneShot<Result<ConnectionCore.Attached, AMQPError>>]>()
    self.eventLoop.execute { started.fulfil(core.value.attach(attachments, within: limit)) }
    var attached: [ConnectionCore.Attached] = []
    do {
      for answer in try await started.wait() { attached.append(try await answer.wait().get()) }
      return attached
    } catch let error as AMQPError {
      self.abandon(attached)
      throw error
    } catch {
      // Cancelled: whatever comes about after all is detached again.
      let eventLoop = self.eventLoop
      started.whenDone { answers in eventLoop.execute { core.value.abandon(answers) } }
      throw AMQPError(
        .cancelled, .link, .local, tried: "attach a link to \(attachments[0].address)", seen: "the task was cancelled")
    }
  }

  private func abandon(_ attached: [ConnectionCore.Attached]) {
    let core = self.core
    for one in attached { self.eventLoop.execute { _ = core.value.detach(one.link) } }
  }

  func closeLink(_ link: LinkID, within timeout: Duration, releasing: Bool = true) async {
    let core = self.core
    let started = OneShot<OneShot<Void>>()
    self.eventLoop.execute { started.fulfil(core.value.detach(link, releasing: releasing)) }
    await self.wait(for: await started.uncancelledValue(), within: timeout) { core.value.forget(link) }
  }

  /// Waits for `shot`; at the deadline carries out `late` on the event loop, which must bring `shot` about.
  private func wait<Value: Sendable>(
    for shot: OneShot<Value>, within timeout: Duration, _ late: @escaping @Sendable () -> Void
  ) async {
    let timer = self.eventLoop.scheduleTask(in: TimeAmount(timeout)) { if shot.current == nil { late() } }
    // A cancelled task closes too: shielded, and bounded by the timer.
    _ = await shot.uncancelledValue()
    timer.cancel()
  }

  func drain(_ link: LinkID, address: String, within timeout: Duration) async throws(AMQPError) -> AMQPDrainResult {
    let core = self.core
    let started = OneShot<OneShot<Result<AMQPDrainResult, AMQPError>>>()
    self.eventLoop.execute { started.fulfil(core.value.drain(link, address: address, within: timeout)) }
    do {
      return try await started.wait().wait().get()
    } catch let error as AMQPError {
      throw error
    } catch {
      throw AMQPError(
        .cancelled, .link, .local, tried: "drain the receiver from \(address)", seen: "the task was cancelled")
    }
  }

  /// What the connection and its links look like now: credit, what waits, what is unsettled, how old it all is.
  ///
  /// Read on the event loop between two events, so that the figures belong together. After the end it says `closed`.
  public func statistics() async -> AMQPConnectionStatistics {
    let core = self.core
    let answer = OneShot<AMQPConnectionStatistics>()
    self.eventLoop.execute { answer.fulfil(core.value.statistics()) }
    // Not ended by a cancellation: the loop answers at once.
    return await answer.uncancelledValue()
  }

  /// The event loop's clock.
  var now: NIODeadline { self.eventLoop.now }

  package func after(_ delay: Duration, _ work: @escaping @Sendable () -> Void) -> Scheduled<Void> {
    self.eventLoop.scheduleTask(in: TimeAmount(delay), work)
  }

  private func linkName(_ address: String) -> String {
    // Unique: a second link of the same name would steal the first (spec 2.6.1).
    "\(self.configuration.containerID)/\(UInt64.random(in: .min ... .max))"
  }
}
