// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import NIOConcurrencyHelpers

/// What the client is doing, bus by bus and queue by queue: enough to say in one sentence why nothing moves.
public struct ClientStatus: Sendable, Hashable {
  /// The sending connection of each bus, while ``TjenestebussClient/run()`` runs.
  public var sending: [BusName: BusState] = [:]
  /// Which dialect is spoken with each bus, as far as that is known.
  public var dialects: [BusName: BusDialect] = [:]
  /// The queues that are received from, in no order.
  public var receivers: [Receiver] = []
  /// Why nothing is received yet: the register does not tell our own queues. Tried again by itself.
  public var waitingForRegister: TjenestebussError?
  public var counters = Counters()

  /// The sending connection of one bus.
  public enum BusState: Sendable, Hashable {
    case connecting
    case connected
    /// Tried again after the wait.
    case waiting(Duration, because: AMQPError)
    /// The bus refuses us, or the client has stopped.
    case ended(AMQPError)
  }

  /// One queue on one bus.
  public struct Receiver: Sendable, Hashable {
    public var bus: BusName
    public var queue: String
    public var kind: QueueKind
    public var state: ReceiverState
    /// Deliveries that are being dealt with now.
    public var atWork = 0
    /// Deliveries held after a failure, to be given back when their wait is over. They take places in the link's credit.
    public var held = 0
    /// Failures since the last success: many of them mean that the fault is the handler's, not the messages'.
    public var failuresInARow = 0

    public init(bus: BusName, queue: String, kind: QueueKind, state: ReceiverState) {
      self.bus = bus
      self.queue = queue
      self.kind = kind
      self.state = state
    }
  }

  public enum ReceiverState: Sendable, Hashable {
    case connecting
    /// Attached, with credit granted: messages come as they arrive.
    case receiving
    /// The queue does not exist on this bus (yet, or any more). Not an error during a move; tried again after the wait.
    case queueMissing(retryIn: Duration)
    /// Tried again after the wait: no connection, no permission, link lost.
    case waiting(Duration, because: AMQPError)
    /// It is not tried again: another process has taken the link over.
    case ended(AMQPError)
  }

  public struct Counters: Sendable, Hashable {
    /// The handler returned and the message was accepted.
    public var handled = 0
    /// The handler threw; given back after the redelivery delay.
    public var released = 0
    /// Refused for good: dead-lettered, or its sender told.
    public var refused = 0
    /// Dead-lettered after it had failed as often as the poison limit says.
    public var poisonous = 0
    /// Came so often already that the bus will soon give them up.
    public var nearDeliveryLimit = 0
    /// Of a form that cannot be read, or lacking what receivers check.
    public var malformed = 0
    /// Copies of messages that were handled before: accepted without a handler.
    public var duplicates = 0
    /// Copies given back because the first was still in its handler.
    public var duplicatesHandedBack = 0
    /// Bodies that the vendor's protection could not open.
    public var unopened = 0
    /// Error messages that the sender's bus has taken; the faulty message was accepted then.
    public var errorsSent = 0
    /// Faulty messages whose sender was not told, since it may not be or cannot be: dead-lettered.
    public var errorsNotSent = 0
    /// Reports read from our error queues.
    public var errorReportsReceived = 0
    /// Answers brought to the calls that waited for them.
    public var replies = 0
    /// Answers that nobody waited for any more.
    public var repliesTooLate = 0
    /// Answers to an open call from another party than the one that was asked: dead-lettered.
    public var repliesFromOthers = 0
    /// Times that a party's cached address was dropped because the register had said that it changed.
    public var addressesDropped = 0
    /// Pings swallowed.
    public var pings = 0
    /// Pings answered, with the echo accepted by the bus.
    public var echoes = 0
    /// Taken back by the bus because they were not settled in time; their handlers were cancelled, and they come again.
    public var withdrawn = 0
    /// Handled, but the link was lost before the bus could be told: they come again.
    public var settlementsLost = 0
  }

  public subscript(bus: BusName, queue: String) -> ReceiverState? {
    self.receivers.first { $0.bus == bus && $0.queue == queue }?.state
  }
}

extension ClientStatus.BusState {
  init(_ state: AMQPClientState) {
    switch (state.phase, state.cause) {
    case (.connecting, _), (.waiting, nil), (.ended, nil): self = .connecting
    case (.open, _): self = .connected
    case (.waiting, let error?): self = .waiting(state.nextAttemptIn ?? .zero, because: error)
    case (.ended, let error?): self = .ended(error)
    }
  }
}

/// Where the parts of the client write down how they are, and others read it.
final class StatusBoard: Sendable {
  private struct State {
    var status = ClientStatus()
    var observers: [UInt64: AsyncStream<ClientStatus>.Continuation] = [:]
    var lastObserver: UInt64 = 0
  }

  private let state = NIOLockedValueBox(State())

  var status: ClientStatus { self.state.withLockedValue { $0.status } }

  /// The status now and after every change; a slow reader gets the newest only.
  var changes: AsyncStream<ClientStatus> {
    let (stream, continuation) = AsyncStream.makeStream(of: ClientStatus.self, bufferingPolicy: .bufferingNewest(1))
    let id = self.state.withLockedValue { state in
      state.lastObserver += 1
      state.observers[state.lastObserver] = continuation
      continuation.yield(state.status)
      return state.lastObserver
    }
    continuation.onTermination = { [weak self] _ in _ = self?.state.withLockedValue { $0.observers.removeValue(forKey: id) } }
    return stream
  }

  func change(_ body: (inout ClientStatus) -> Void) {
    // Yielding under the lock keeps the order of changes; a continuation's yield calls nothing of ours.
    self.state.withLockedValue { state in
      body(&state.status)
      for observer in state.observers.values { observer.yield(state.status) }
    }
  }

  func set(_ receiver: ClientStatus.ReceiverState, bus: BusName, queue: String, kind: QueueKind) {
    self.change { status in
      if let index = status.receivers.firstIndex(where: { $0.bus == bus && $0.queue == queue && $0.kind == kind }) {
        status.receivers[index].state = receiver
      } else {
        status.receivers.append(.init(bus: bus, queue: queue, kind: kind, state: receiver))
      }
    }
  }

  func note(bus: BusName, queue: String, kind: QueueKind, _ body: (inout ClientStatus.Receiver) -> Void) {
    self.change { status in
      guard let index = status.receivers.firstIndex(where: { $0.bus == bus && $0.queue == queue && $0.kind == kind }) else {
        return
      }
      body(&status.receivers[index])
    }
  }

  func remove(bus: BusName, queue: String, kind: QueueKind) {
    self.change { status in status.receivers.removeAll { $0.bus == bus && $0.queue == queue && $0.kind == kind } }
  }
}
