// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// A link that sends to one address, for the life of one connection.
///
/// Any number of tasks may send at once; messages go out in the order in which the calls came.
public final class AMQPSender: Sendable {
  /// The address it is attached to.
  public let address: String
  /// The largest message the peer takes, in bytes; nil when it states none.
  public let maximumMessageSize: UInt64?

  /// The link's generation.
  public let epoch: AMQPEpoch

  let link: LinkID
  private let connection: AMQPConnection
  private let presettled: Bool
  private let lastID = Atomic<UInt64>(0)

  init(_ attached: ConnectionCore.Attached, address: String, presettled: Bool, connection: AMQPConnection) {
    self.link = attached.link
    self.epoch = attached.epoch
    self.address = address
    self.maximumMessageSize = attached.maximumMessageSize == 0 ? nil : attached.maximumMessageSize
    self.presettled = presettled
    self.connection = connection
  }

  /// Sends a message and waits for its outcome.
  ///
  /// - Parameters:
  ///   - checks: what it is checked for first; by default all for which a bus is known to end link, session or connection.
  ///   - timeout: for credit and outcome together; nil for the connection's operation timeout.
  /// - Returns: what became of it. ``AMQPOutcome/unknown(_:)`` when the deadline passed, the task was cancelled or the
  ///   link was lost after the message had been handed over.
  /// - Throws: ``AMQPError`` only when it is certain that the message did not leave: not sendable, too large, no credit in
  ///   time, cancelled while waiting, link gone.
  public func send(
    _ message: AMQPMessage, checks: AMQPSendChecks = .standard, within timeout: Duration? = nil
  ) async throws(AMQPError) -> AMQPOutcome {
    try await self.traced(message) { carried throws(AMQPError) in
      let payload = carried.encoded()
      try self.check(carried, checks, encodedSize: payload.count)
      return try await self.send(encoded: payload, within: timeout)
    }
  }

  /// With a span of its own, where there is tracing, and the trace's context in the message.
  func traced(
    _ message: AMQPMessage, _ send: (AMQPMessage) async throws(AMQPError) -> AMQPOutcome
  ) async throws(AMQPError) -> AMQPOutcome {
    guard let tracing = self.connection.configuration.observability.tracing else { return try await send(message) }
    return try await tracing.sending(message, to: self.address, at: self.connection.configuration, send)
  }

  /// - Throws: what stands against sending it; counted as a send that failed.
  func check(_ message: AMQPMessage, _ checks: AMQPSendChecks, encodedSize: Int) throws(AMQPError) {
    do {
      try message.checkSendable(checks, encodedSize: encodedSize, maximumSize: self.maximumMessageSize, to: self.address)
      try self.checkSize(encodedSize)
    } catch {
      self.connection.configuration.observability.metrics?.sent(self.address, .failure(error), after: .zero)
      throw error
    }
  }

  /// Whatever is checked: the bus would end the link over it.
  private func checkSize(_ size: Int) throws(AMQPError) {
    guard let limit = self.maximumMessageSize, UInt64(size) > limit else { return }
    throw AMQPError(
      .messageTooLarge, .delivery, .local, tried: "send a message to \(self.address)",
      seen: "\(size) bytes encoded, the bus takes \(limit)")
  }

  /// Sends a message that is encoded already, unchanged: the sections of ``AMQPMessage/encoded()``.
  package func send(encoded payload: [UInt8], within timeout: Duration? = nil) async throws(AMQPError) -> AMQPOutcome {
    try await self.counted { () async throws(AMQPError) in
      try self.checkSize(payload.count)
      return try await self.transfer(payload, within: timeout)
    }
  }

  /// Counted and timed, where there are metrics.
  func counted(_ send: () async throws(AMQPError) -> AMQPOutcome) async throws(AMQPError) -> AMQPOutcome {
    guard let metrics = self.connection.configuration.observability.metrics else { return try await send() }
    let begun = ContinuousClock.now
    do {
      let outcome = try await send()
      metrics.sent(self.address, .success(outcome), after: .now - begun)
      return outcome
    } catch {
      metrics.sent(self.address, .failure(error), after: .now - begun)
      throw error
    }
  }

  func transfer(
    _ payload: [UInt8], body: OutgoingBody? = nil, within timeout: Duration?
  ) async throws(AMQPError) -> AMQPOutcome {
    let id = PendingSend.Machine.SendID(number: self.lastID.wrappingAdd(1, ordering: .relaxed).newValue)
    let now = self.connection.now
    let deadline = now + TimeAmount(timeout ?? self.connection.configuration.operationTimeout)
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let send = PendingSend(
          id: id, payload: payload, body: body, settled: self.presettled, since: now, deadline: deadline,
          continuation: continuation)
        self.connection.mailbox.put(.send(self.link, send))
        // A cancellation that came before the send was put must not be lost.
        if Task.isCancelled { self.connection.mailbox.put(.cancelSend(self.link, id)) }
      }
    } onCancel: {
      self.connection.mailbox.put(.cancelSend(self.link, id))
    }
    return try result.get()
  }

  /// See ``send(parcels:told:)``.
  func putParcels(_ parcels: [AMQPParcel], told: @escaping @Sendable ([AMQPParcelEnd]) -> Void) {
    self.connection.mailbox.put(.sendParcels(self.link, parcels, told))
  }

  /// See ``withdrawParcels(told:)``.
  func takeParcelsBack(_ told: @escaping @Sendable ([UInt64]) -> Void) {
    self.connection.mailbox.put(.withdrawParcels(self.link, told))
  }

  /// A piece of a body is there to be taken.
  func wakeLoop() { self.connection.mailbox.put(.bodyReady(self.link)) }

  /// Calls `work` after `delay` on the connection's event loop, unless cancelled.
  func after(_ delay: Duration, _ work: @escaping @Sendable () -> Void) -> Scheduled<Void> {
    self.connection.after(delay, work)
  }

  /// Detaches. Waits for outcomes that are outstanding, then for the peer's answer, together no longer than `timeout`.
  /// What is still unsent then throws, what is in flight becomes unknown. Idempotent.
  public func close(within timeout: Duration = .seconds(3)) async {
    await self.connection.closeLink(self.link, within: timeout)
  }
}
